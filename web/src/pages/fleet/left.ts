/** What is left of a token: "14:32", "0:07". */
export function leftText(span: number): string {
  const seconds = Math.ceil(span / 1_000_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
}
