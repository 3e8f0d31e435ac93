import type { components } from "../../../api/schema"
import { bytesText } from "../../../format/bytes"
import { sentence } from "../../../format/count"

export type CorsRule = components["schemas"]["CorsRule"]
export type LifecycleRule = components["schemas"]["LifecycleRule"]
export type Method = components["schemas"]["CorsMethod"]

const VERBS: Record<Method, string> = {
  GET: "read",
  HEAD: "look at headers",
  PUT: "upload",
  POST: "upload by form",
  DELETE: "delete",
}

/** A CORS rule in words: "Pages of https://example.org may read and upload." */
export function corsWords({ allowed_origins: origins, allowed_methods: methods }: CorsRule): string {
  const who = origins.includes("*") ? "Any page" : `Pages of ${list(origins)}`
  return `${who} may ${list(methods.map((method) => VERBS[method]))}.`
}

/** A lifecycle rule in words: "Objects under logs/ are deleted 30 days after they were written." */
export function lifecycleWords(rule: LifecycleRule): string {
  const { prefix, size_greater_than: over, size_less_than: under } = rule
  const where = prefix ? ` under ${prefix}` : ""
  const sizes = [over && `over ${bytesText(over)}`, under && `under ${bytesText(under)}`]
    .filter(Boolean)
    .join(" and ")
  const what = `objects${where}${sizes ? ` of ${sizes}` : ""}`
  const acts: string[] = []
  if (rule.expire_after_days)
    acts.push(`${what} are deleted ${days(rule.expire_after_days)} after they were written`)
  if (rule.expire_on) acts.push(`${what} are deleted on ${rule.expire_on}`)
  if (rule.abort_uploads_after_days) {
    acts.push(
      `unfinished uploads${where} are removed ${days(rule.abort_uploads_after_days)} after they began`,
    )
  }
  return `${sentence(acts.join("; ") || "it does nothing")}.${rule.enabled ? "" : " Off for now."}`
}

function days(amount: number): string {
  return amount === 1 ? "one day" : `${amount} days`
}

/** "a, b and c". */
function list(words: string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`
}

/** What most people want of CORS. */
export const PRESETS = {
  read: { title: "Read", text: "Show pictures, play films, download.", methods: ["GET", "HEAD"] },
  upload: {
    title: "Read and upload",
    text: "Also send files from a form or an app.",
    methods: ["GET", "HEAD", "PUT", "POST"],
  },
  all: {
    title: "Everything",
    text: "Also delete. For file managers.",
    methods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
  },
} as const satisfies Record<string, { title: string; text: string; methods: readonly Method[] }>

export type Preset = keyof typeof PRESETS

const REMEMBER_SECONDS = 3600

/** A rule for `origins` as a preset has it. */
export function presetRule(preset: Preset, origins: string[]): CorsRule {
  return {
    allowed_origins: origins,
    allowed_methods: [...PRESETS[preset].methods],
    allowed_headers: ["*"],
    expose_headers: ["ETag"],
    max_age_seconds: REMEMBER_SECONDS,
  }
}

/** The origins in what a person typed; nothing when one of them is none. */
export function parseOrigins(text: string): string[] | undefined {
  const found = text.split(/[\s,]+/).filter(Boolean)
  const good = found.every((origin) => origin === "*" || /^https?:\/\/(\*\.)?[^\s/*]+$/.test(origin))
  return found.length && good ? found : undefined
}
