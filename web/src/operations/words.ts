import type { Operation } from "../api/types"
import { bytesText } from "../format/bytes"
import { several } from "../format/count"
import { duration } from "../format/time"
import type { Mood } from "../marks/mood"

/** A sentence of plain words and names, of which some lead somewhere. */
export type Words = (string | { name: string; href?: string })[]

/** How things are called by their ids. */
export interface Names {
  bucket: (id: string) => string | undefined
  key: (id: string) => string | undefined
}

type Parameters = Record<string, unknown>
type Tell = (parameters: Parameters, names: Names) => Words

const text = (value: unknown): string => (typeof value === "string" ? value : "")

function bucket(parameters: Parameters, names: Names): Words[number] {
  const id = text(parameters["bucket"])
  return { name: names.bucket(id) ?? `${id.slice(0, 8)}…`, href: `/buckets/${id}` }
}

function key(parameters: Parameters, names: Names): Words[number] {
  const id = text(parameters["key"])
  return { name: names.key(id) ?? `${id.slice(0, 6)}…${id.slice(-4)}`, href: `/keys?q=${id}` }
}

/** "to 20 GB", from the parameters of a quota. */
function quota({ quota_bytes: most }: Parameters): string {
  return typeof most === "number" ? `set to ${bytesText(most)}` : "lifted"
}

function rights(parameters: Parameters): string {
  const { grant } = parameters as { grant?: { read?: boolean; write?: boolean; owner?: boolean } }
  const { read, write, owner } = { ...parameters, ...grant } as {
    read?: boolean
    write?: boolean
    owner?: boolean
  }
  if (owner) return "is now an owner of"
  if (write) return "may now write to"
  return read ? "may now read" : "no longer opens"
}

function granted(parameters: Parameters, names: Names): Words {
  const { grant } = parameters as { grant?: Parameters }
  return ["Key ", key(parameters, names), ` ${rights(parameters)} `, bucket(grant ?? parameters, names)]
}

const many = (parameters: Parameters): string => {
  const { grants } = parameters as { grants?: unknown[] }
  return grants?.length ? ` for ${several(grants.length, "bucket")}` : ""
}

const TELL: Record<string, Tell> = {
  "bucket.create": (all) => ["Bucket ", { name: text(all["bucket"]) }, " created"],
  "bucket.delete": (all, names) => ["Bucket ", bucket(all, names), " deleted"],
  "bucket.clear": (all, names) => ["All objects of ", bucket(all, names), " deleted"],
  "bucket.measure_prefix": (all, names) => ["Objects of ", bucket(all, names), " counted"],
  "bucket.set_quota": (all, names) => ["Quota of ", bucket(all, names), ` ${quota(all)}`],
  "bucket.set_cors": (all, names) => ["Pages that may use ", bucket(all, names), " set"],
  "bucket.set_lifecycle": (all, names) => ["Rules of ", bucket(all, names), " set"],
  "bucket.set_website": (all, names) => [
    "Website of ",
    bucket(all, names),
    all["website"] ? " set" : " switched off",
  ],
  "bucket.add_alias": (all, names) => [
    "Bucket ",
    bucket(all, names),
    " also called ",
    { name: text(all["name"]) },
  ],
  "bucket.remove_alias": (all, names) => [
    "Name ",
    { name: text(all["name"]) },
    " taken from ",
    bucket(all, names),
  ],
  "bucket.cleanup_uploads": (all, names) => ["Unfinished uploads of ", bucket(all, names), " removed"],
  "bucket.restore": (all, names) => ["Bucket ", bucket(all, names), " set back to what was asked for"],
  "bucket.adopt": (all, names) => ["Bucket ", bucket(all, names), " given to an account"],
  "bucket.release": (all, names) => ["Bucket ", bucket(all, names), " released"],
  "account.set_quotas": () => ["Limits of the account spread over its buckets"],
  "key.create": (all) => ["Key ", { name: text(all["label"]) }, ` created${many(all)}`],
  "key.create_temporary": (all, names) => ["Temporary key for ", bucket(all, names), " created"],
  "key.rename": (all, names) => ["Key ", key(all, names), " called ", { name: text(all["label"]) }],
  "key.set_expiry": (all, names) => ["End of key ", key(all, names), " set"],
  "key.suspend": (all, names) => ["Key ", key(all, names), " suspended"],
  "key.resume": (all, names) => ["Key ", key(all, names), " resumed"],
  "key.delete": (all, names) => ["Key ", key(all, names), " deleted"],
  "key.set_grant": granted,
  "key.rotate": (all, names) => ["Key ", key(all, names), " rotated"],
  "key.revoke_leaked": (all, names) => ["Leaked key ", key(all, names), " replaced"],
  "agent.ping": () => ["Sign of life asked for"],
  "cluster.health": () => ["Health asked for"],
  "inventory.refresh": () => ["Buckets and keys read again"],
  "executor.release": () => ["Executor's role given up"],
  "job.cancel": () => ["Job cancelled"],
}

/** What an operation is about, in words. */
export function describe(operation: Operation, names: Names): Words {
  const tell = TELL[operation.command]
  const parameters = operation.parameters as Parameters | undefined
  if (!tell || !parameters || !Object.keys(parameters).length) {
    return tell && !operation.command.includes("bucket") ? tell({}, names) : [operation.command]
  }
  return tell(parameters, names)
}

/** What came of an operation. */
export function resultOf(operation: Operation): { mood: Mood; text: string } {
  const { state, outcome, finished_at, requested_at, progress, region } = operation
  if (outcome && "failed" in outcome) return { mood: "prob", text: outcome.failed.message }
  if (outcome && "refused" in outcome) return { mood: "prob", text: `Refused: ${outcome.refused.message}` }
  switch (state) {
    case "done":
      return { mood: "ok", text: finished_at ? `Done in ${took(finished_at - requested_at)}` : "Done" }
    case "expired":
      return { mood: "att", text: `Expired: ${region} was away. Nothing was changed` }
    case "cancelled":
      return { mood: "att", text: "Cancelled. Nothing was changed" }
    case "unknown":
      return { mood: "unk", text: `Not known until ${region}'s agent is back` }
    case "failed":
    case "refused":
      return { mood: "prob", text: "Not done" }
    default:
      return {
        mood: "run",
        text: progress ? `Running, ${several(progress.objects, "object")} so far` : "Running",
      }
  }
}

/** "0.2 s", "26 min". */
function took(span: number): string {
  return span < 10_000_000 ? `${Math.max(0.1, span / 1e6).toFixed(1)} s` : duration(span)
}

const VIA: Record<string, string> = {
  web: "dashboard",
  cli: "command line",
  api: "API",
  offline: "signed offline",
  system: "automatic",
}

/** Through what it was asked. */
export function viaOf(operation: Operation): string {
  return VIA[operation.actor.via] ?? operation.actor.via
}
