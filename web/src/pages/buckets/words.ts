import type { Bucket } from "../../api/types"
import { bytesText } from "../../format/bytes"
import { inWords, percent, sentence, several } from "../../format/count"
import { ATTENTION } from "../../marks/mood"

/** What a person calls a bucket. */
export function nameOf(bucket: Bucket): string {
  return bucket.name ?? bucket.aliases[0] ?? `unnamed ${bucket.id.slice(0, 8)}…`
}

/** How much of its quota is used, in per cent; of bytes or objects, whichever is nearer. */
export function usedPercent(bucket: Bucket): number | undefined {
  const bytesQuota = bucket.effective_quota_bytes ?? bucket.quota_bytes
  const parts = [
    share((bucket.bytes ?? 0) + (bucket.unfinished_bytes ?? 0), bytesQuota),
    share(bucket.objects ?? 0, bucket.quota_objects),
  ].filter((part) => part !== undefined)
  return parts.length ? Math.max(...parts) : undefined
}

function share(used: number, limit: number | null | undefined): number | undefined {
  return limit ? percent(used, limit) : undefined
}

/** The sentence above the list. */
export function summary(buckets: Bucket[]): string {
  const stored = buckets.reduce((sum, bucket) => sum + (bucket.bytes ?? 0), 0)
  const near = buckets.filter((bucket) => (usedPercent(bucket) ?? 0) >= ATTENTION).length
  const verb = buckets.length === 1 ? "holds" : "hold"
  const first = `${several(buckets.length, "bucket")} ${verb} ${bytesText(stored)}.`
  if (!near) return first
  return `${first} ${sentence(inWords(near))} ${near === 1 ? "is" : "are"} near ${near === 1 ? "its" : "their"} quota.`
}

const RULE = /^(?!xn--)(?!.*-s3alias$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** What is wrong with a bucket's name, and what to try; nothing when it will do. */
export function nameTrouble(name: string): string | undefined {
  if (RULE.test(name)) return undefined
  if (name.length < 3) return "Too short: 3 to 63 characters."
  if (name.length > 63) return `Too long: ${name.length} characters, 63 at most.`
  const better = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
  return RULE.test(better)
    ? `Only small letters, digits, dots and hyphens. Try ${better}.`
    : "Only small letters, digits, dots and hyphens, beginning and ending with a letter or digit."
}
