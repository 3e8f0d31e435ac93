/** How far back a chart looks. */
export type Range = "24h" | "7d" | "30d" | "90d" | "1y"

const DAY_MICROS = 86_400_000_000

export interface RangeOption {
  value: Range
  text: string
  days: number
  step: "hour" | "day"
}

export const RANGES: RangeOption[] = [
  { value: "24h", text: "24 h", days: 1, step: "hour" },
  { value: "7d", text: "7 d", days: 7, step: "hour" },
  { value: "30d", text: "30 d", days: 30, step: "day" },
  { value: "90d", text: "90 d", days: 90, step: "day" },
  { value: "1y", text: "1 y", days: 365, step: "day" },
]

/** An area from zero flattens slow growth: over longer ranges a line on a zoomed axis shows it. */
const LONG_DAYS = 90

export function rangeOf(text: string | null): RangeOption {
  return RANGES.find(({ value }) => value === text) ?? (RANGES[2] as RangeOption)
}

export function kindOf({ days }: RangeOption): "area" | "line" {
  return days > LONG_DAYS ? "line" : "area"
}

/** Bars for what happened in each step, as long as they are wide enough to be told apart. */
export function barsOf({ days, step }: RangeOption): "bars" | "area" {
  const steps = step === "hour" ? days * 24 : days
  return steps > LONG_DAYS ? "area" : "bars"
}

export function beginOf({ days }: RangeOption, now: number): number {
  return now - days * DAY_MICROS
}
