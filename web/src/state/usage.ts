import { api, ask } from "../api/client"
import type { Usage } from "../api/types"
import { micros } from "../format/time"
import { beginOf, type RangeOption } from "../charts/ranges"

/** Use over a range, of one bucket or of all together. */
export function readUsage(range: RangeOption, bucket?: string): Promise<Usage> {
  const now = micros()
  const query = { from: beginOf(range, now), to: now, step: range.step, ...(bucket ? { bucket } : {}) }
  return ask(api.GET("/api/v1/usage", { params: { query } }))
}
