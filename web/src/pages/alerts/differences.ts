import type { BucketSettings } from "../../api/types"
import { bytesText } from "../../format/bytes"
import { countText, several } from "../../format/count"

type Value = BucketSettings["wanted"]
type Right = Value["grants"][number]

/** One thing that differs on a bucket, in words. */
export interface Difference {
  what: string
  wanted: string
  found: string
}

const TITLES: Record<string, string> = {
  quota: "Quota",
  cors: "CORS",
  lifecycle: "Rules",
  website: "Website",
}

const TELL: Record<string, (value: Value) => string> = {
  quota: ({ quota_bytes: bytes, quota_objects: objects }) =>
    [bytes ? bytesText(bytes) : "", objects ? `${countText(objects)} objects` : ""]
      .filter(Boolean)
      .join(", ") || "none",
  cors: ({ cors }) => (cors.length ? several(cors.length, "rule") : "none"),
  lifecycle: ({ lifecycle }) => (lifecycle.length ? several(lifecycle.length, "rule") : "none"),
  website: ({ website }) => (website ? website.index_document : "off"),
}

/** What differs between what was asked for and what was found; a line for each key whose rights do. */
export function differences({ drift, wanted, found }: BucketSettings): Difference[] {
  return drift.flatMap((setting): Difference[] => {
    if (setting === "grants") return ofGrants(wanted.grants, found.grants)
    const tell = TELL[setting]
    return tell ? [{ what: TITLES[setting] ?? setting, wanted: tell(wanted), found: tell(found) }] : []
  })
}

function ofGrants(wanted: Right[], found: Right[]): Difference[] {
  const keys = [...new Set([...wanted, ...found].map(({ key }) => key))]
  return keys.flatMap((key) => {
    const [asked, is] = [wanted, found].map((rights) => letters(rights.find((right) => right.key === key)))
    if (asked === is || asked === undefined || is === undefined) return []
    return [{ what: `Key ${key.slice(0, 6)}…${key.slice(-4)}`, wanted: asked, found: is }]
  })
}

function letters(right: Right | undefined): string {
  const { read, write, owner } = right ?? { read: false, write: false, owner: false }
  const all = [read && "reads", write && "writes", owner && "changes the bucket"].filter(Boolean)
  return all.length ? all.join(", ") : "may nothing"
}
