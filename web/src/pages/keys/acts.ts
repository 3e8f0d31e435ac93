import { api, ask, once } from "../../api/client"
import type { Key, OperationAnswer } from "../../api/types"

const asking = (key: Key) => ({ path: { key: key.id }, ...once() })

export const suspend = (key: Key): Promise<OperationAnswer> =>
  ask(api.POST("/api/v1/keys/{key}/suspend", { params: asking(key) }))

export const resume = (key: Key): Promise<OperationAnswer> =>
  ask(api.POST("/api/v1/keys/{key}/resume", { params: asking(key) }))

export const remove = (key: Key): Promise<OperationAnswer> =>
  ask(api.DELETE("/api/v1/keys/{key}", { params: asking(key) }))

/** A new key with the same rights; the old one goes on for the grace. */
export const rotate = (key: Key, seal_to: string, grace_seconds: number): Promise<OperationAnswer> =>
  ask(api.POST("/api/v1/keys/{key}/rotate", { params: asking(key), body: { seal_to, grace_seconds } }))

/** A new key with the same rights; the old one ends at once. */
export const replaceLeaked = (key: Key, seal_to: string): Promise<OperationAnswer> =>
  ask(api.POST("/api/v1/keys/{key}/revoke-leaked", { params: asking(key), body: { seal_to } }))
