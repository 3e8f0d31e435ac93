/** A stretch of water. */
export interface Stretch {
  /** 0 is calm, 1 is as rough as it gets. */
  roughness: number
}

const WIDTH = 1440
const STEP = 12

/** Numbers that look like chance and are the same each time. */
function noise(seed: number): number {
  const value = Math.sin(seed * 127.1) * 43758.5453
  return value - Math.floor(value)
}

/** A smooth curve between -1 and 1. */
function swell(x: number, row: number): number {
  const phase = noise(row) * 0.9
  return (
    Math.sin(x / 61 + row * 0.37 + phase) * 0.5 +
    Math.sin(x / 37 - row * 0.61) * 0.3 +
    Math.sin(x / 19 + row * 0.83 + phase) * 0.2
  )
}

/** The lines of a sea whose stretches lie side by side, as paths in a box 1440 wide and `height` high. */
export function seaLines(stretches: Stretch[], rows: number, height: number): string[] {
  const each = WIDTH / Math.max(1, stretches.length)
  const gap = (height - 30) / Math.max(1, rows - 1)
  return Array.from({ length: rows }, (_, row) => {
    const points: string[] = []
    for (let x = 0; x <= WIDTH; x += STEP) {
      const rough = roughnessAt(stretches, x / each - 0.5)
      // The far lines, above, are the roughest.
      const tall = (0.8 + rough * 11) * (1 - (row / rows) * 0.75)
      points.push(`${x} ${(20 + row * gap + swell(x, row) * tall).toFixed(1)}`)
    }
    return `M${points.join("L")}`
  })
}

/** Between two stretches the sea changes slowly. */
function roughnessAt(stretches: Stretch[], place: number): number {
  const left = Math.max(0, Math.min(stretches.length - 1, Math.floor(place)))
  const right = Math.min(stretches.length - 1, left + 1)
  const share = Math.max(0, Math.min(1, place - left))
  const eased = share * share * (3 - 2 * share)
  const [a, b] = [stretches[left]?.roughness ?? 0, stretches[right]?.roughness ?? 0]
  return a + (b - a) * eased
}

/** The sea of the sign-in page: a storm far out, calm water in front. */
export function stormLines(): { d: string; faint: number }[] {
  const rows = 44
  return Array.from({ length: rows }, (_, row) => {
    const depth = row / (rows - 1)
    const points: string[] = []
    for (let x = 0; x <= 760; x += 8) {
      const calm = (1 - depth) ** 2.2
      const crest = 108 * Math.exp(-(((x - 415 - row * 3) / 62) ** 2)) * (1 - depth * 3.2)
      const trough =
        92 * Math.exp(-(((x - 560 + row * 6) / 68) ** 2)) * Math.max(0, 1 - Math.abs(depth - 0.16) * 5)
      const rise = Math.max(0, crest) * calm - trough * calm
      const y = 160 + row * 12 - rise + swell(x * 0.55, row) * 26 * calm
      points.push(`${x} ${y.toFixed(1)}`)
    }
    return { d: `M${points.join("L")}`, faint: Math.round((0.95 - depth * 0.6) * 100) / 100 }
  })
}
