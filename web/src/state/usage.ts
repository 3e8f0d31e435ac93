import { api, ask } from "../api/client"
import type { Usage } from "../api/types"
import { micros } from "../format/time"
import { beginOf, type RangeOption } from "../charts/ranges"

/** Use, with the range that was asked for. */
export interface UsageOver extends Usage {
  from: number
  to: number
}

/** Use over a range, of one bucket or of all together. */
export async function readUsage(range: RangeOption, bucket?: string): Promise<UsageOver> {
  const to = micros()
  const from = beginOf(range, to)
  const query = { from, to, step: range.step, ...(bucket ? { bucket } : {}) }
  return { from, to, ...(await ask(api.GET("/api/v1/usage", { params: { query } }))) }
}
