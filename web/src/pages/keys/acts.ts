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

export const rename = (key: Key, label: string): Promise<OperationAnswer> =>
  ask(api.PUT("/api/v1/keys/{key}/label", { params: asking(key), body: { label } }))

/** Sets when a key ends; null is never. */
export const setEnd = (key: Key, expires_at: number | null): Promise<OperationAnswer> =>
  ask(api.PUT("/api/v1/keys/{key}/expiry", { params: asking(key), body: { expires_at } }))
