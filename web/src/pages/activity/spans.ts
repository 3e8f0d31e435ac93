import type { Zone } from "../../format/time"

/** Spans of time that a list is narrowed to. */
export const SPANS = [
  { value: "", text: "Any time" },
  { value: "today", text: "Today" },
  { value: "7d", text: "7 days" },
  { value: "30d", text: "30 days" },
]

const DAY_MICROS = 86_400_000_000

/** Since when, in microseconds; nothing is from the first on. Today begins at midnight in the zone that is shown. */
export function sinceOf(span: string, now: number, zone: Zone): number | undefined {
  if (span === "7d") return now - 7 * DAY_MICROS
  if (span === "30d") return now - 30 * DAY_MICROS
  if (span !== "today") return undefined
  const midnight = new Date(now / 1000)
  if (zone === "UTC") midnight.setUTCHours(0, 0, 0, 0)
  else midnight.setHours(0, 0, 0, 0)
  return midnight.getTime() * 1000
}
