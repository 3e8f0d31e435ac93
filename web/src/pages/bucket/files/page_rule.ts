import { api, ask, once } from "../../../api/client"
import type { OperationAnswer } from "../../../api/types"
import { presetRule } from "../rules/words"

/** Whether the bucket lets pages of this address ask it, for reading and for writing. */
export async function pageMay(bucket: string): Promise<{ read: boolean; write: boolean }> {
  const params = { path: { bucket } }
  const [get, put, remove] = await Promise.all(
    (["GET", "PUT", "DELETE"] as const).map((method) =>
      ask(
        api.POST("/api/v1/buckets/{bucket}/cors/check", {
          params,
          body: { origin: location.origin, method },
        }),
      ),
    ),
  )
  return {
    read: get?.allowed ?? false,
    write: Boolean(get?.allowed && put?.allowed && remove?.allowed),
  }
}

/** Lets pages of this address in, beside those that may already. */
export async function letPageIn(bucket: string): Promise<OperationAnswer> {
  const path = { bucket }
  const { wanted } = await ask(api.GET("/api/v1/buckets/{bucket}/settings", { params: { path } }))
  const rules = [...(wanted.cors ?? []), presetRule("all", [location.origin])]
  return ask(api.PUT("/api/v1/buckets/{bucket}/cors", { params: { path, ...once() }, body: { rules } }))
}
