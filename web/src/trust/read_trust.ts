import { api, ask } from "../api/client"
import { read, write } from "../state/preferences.svelte"
import { keyId } from "./envelope"
import { type AgentKey, openTrust } from "./trust"

/** The digest of the root key that this browser saw first. It is public. */
const PINNED = "storm.root-key"

/** The agents' keys, verified; the root key is pinned at the first look. */
export async function readTrust(): Promise<AgentKey[]> {
  const bundle = await ask(api.GET("/api/v1/trust"))
  const found = await keyId(bundle.root_key)
  const pinned = read(PINNED) || found
  const keys = await openTrust(bundle, pinned)
  write(PINNED, pinned)
  return keys
}
