import { api, ask, once } from "../../../api/client"

/**
 * Ends a temporary key of this page, also while the page goes away. One that is gone already, or out of reach, ends
 * within the hour by itself.
 */
export function endTemporary(key: string): void {
  const params = { path: { key }, ...once() }
  ask(api.DELETE("/api/v1/keys/{key}", { params, keepalive: true })).catch(() => undefined)
}
