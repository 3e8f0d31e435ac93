/** The zone that times are shown in. */
export type Zone = "UTC" | "local"

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** The instant now, in microseconds. */
export function micros(date = new Date()): number {
  return date.getTime() * 1000
}

function parts(at: number, zone: Zone, options: Intl.DateTimeFormatOptions): string {
  const all = zone === "UTC" ? { ...options, timeZone: "UTC" } : options
  return new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...all }).format(new Date(at / 1000))
}

/** "14:06". */
export function clock(at: number, zone: Zone): string {
  return parts(at, zone, { hour: "2-digit", minute: "2-digit" })
}

/** "23 Nov", or "23 Nov 2025" when the year is not the one of `now`. */
export function day(at: number, now: number, zone: Zone): string {
  const year = parts(at, zone, { year: "numeric" })
  const text = `${parts(at, zone, { day: "numeric" })} ${month(at, zone)}`
  return year === parts(now, zone, { year: "numeric" }) ? text : `${text} ${year}`
}

// British English abbreviates September with four letters; the others have three.
function month(at: number, zone: Zone): string {
  return parts(at, zone, { month: "short" }).slice(0, 3)
}

/** How long ago: "8 s ago", "26 min ago", then "14:06", "yesterday", "23 Nov". */
export function when(at: number, now: number, zone: Zone): string {
  const past = now - at
  if (past < 0) return future(at, now, zone)
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s ago`
  if (past < 60 * MINUTE) return `${Math.floor(past / MINUTE)} min ago`
  const today = day(now, now, zone)
  if (day(at, now, zone) === today) return clock(at, zone)
  if (day(at, now, zone) === day(now - DAY, now, zone)) return "yesterday"
  return day(at, now, zone)
}

function future(at: number, now: number, zone: Zone): string {
  const left = at - now
  // Two clocks never agree to the second.
  if (left < 5 * SECOND) return "0 s ago"
  if (left < DAY) return `in ${duration(left)}`
  return day(at, now, zone)
}

/** "8 s", "26 min", "3 h", "12 days". */
export function duration(span: number): string {
  if (span < MINUTE) return `${Math.max(0, Math.round(span / SECOND))} s`
  if (span < 60 * MINUTE) return `${Math.round(span / MINUTE)} min`
  if (span < 2 * DAY) return `${Math.round(span / (60 * MINUTE))} h`
  return `${Math.round(span / DAY)} days`
}

/** The full instant: "23 Nov 2026, 14:06:09 UTC". */
export function instant(at: number, zone: Zone): string {
  const date = `${parts(at, zone, { day: "numeric" })} ${month(at, zone)} ${parts(at, zone, { year: "numeric" })}`
  const time = parts(at, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" })
  return `${date}, ${time} ${zone === "UTC" ? "UTC" : "your time"}`
}

/** "22 Feb 2027, 14:32 UTC". */
export function moment(at: number, zone: Zone): string {
  return instant(at, zone).replace(/:\d\d (UTC|your time)$/, " $1")
}
