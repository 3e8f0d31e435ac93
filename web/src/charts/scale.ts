/** Three or four round ticks from `low` to at least `high`. */
export function roundTicks(low: number, high: number): number[] {
  const span = high - low
  if (!(span > 0)) return [low, low + 1]
  const rough = span / 3
  const power = 10 ** Math.floor(Math.log10(rough))
  const round = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power
  // Bytes and objects come whole.
  const step = Math.max(1, round)
  const first = Math.floor(low / step) * step
  const ticks: number[] = []
  for (let tick = first; tick < high + step * 0.999; tick += step) ticks.push(Number(tick.toPrecision(12)))
  return ticks
}

/** The point next to `at` in a sorted list. */
export function nearest(points: number[], at: number): number {
  let best = 0
  for (const [index, point] of points.entries()) {
    if (Math.abs(point - at) < Math.abs((points[best] ?? 0) - at)) best = index
  }
  return best
}
