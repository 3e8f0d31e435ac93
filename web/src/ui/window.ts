/** Which rows of a long table are on the screen. */
export interface Window {
  from: number
  to: number
}

const SPARE_ROWS = 12

/** The rows to draw when the table begins `top` pixels below the upper edge of a screen `height` high. */
export function windowOf(count: number, rowHeight: number, top: number, height: number): Window {
  const first = Math.floor(-top / rowHeight) - SPARE_ROWS
  const last = Math.ceil((height - top) / rowHeight) + SPARE_ROWS
  const from = Math.min(Math.max(0, first), count)
  return { from, to: Math.max(from, Math.min(count, last)) }
}
