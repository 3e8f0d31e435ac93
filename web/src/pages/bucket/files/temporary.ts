import { api, ask, once } from "../../../api/client"

/** Ends a temporary key of this page; one that is gone already, or out of reach, ends within the hour by itself. */
export function endTemporary(key: string): void {
  ask(api.DELETE("/api/v1/keys/{key}", { params: { path: { key }, ...once() } })).catch(() => undefined)
}
