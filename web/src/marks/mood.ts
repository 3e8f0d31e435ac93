/** How something is. */
export type Mood = "ok" | "att" | "prob" | "unk" | "run"

/** Marks on every limit, in per cent. */
export const ATTENTION = 80
export const PROBLEM = 95

/** How a limit is that is used to so many per cent. */
export function moodOf(percent: number): Mood {
  if (percent >= PROBLEM) return "prob"
  return percent >= ATTENTION ? "att" : "ok"
}
