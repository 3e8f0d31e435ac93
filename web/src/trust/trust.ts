/** From the root key down: it signs the trust document, whose keys sign each agent's statement. */
import { type Envelope, keyId, ProofError, verify } from "./envelope"

export interface Bundle {
  root_key: string
  trust: Envelope
  agents: Envelope[]
}

/** The key with which an agent signs its receipts. */
export interface AgentKey {
  agent: string
  region: string
  receiptKey: string
}

/** Verifies a bundle against the digest of the root key. */
export async function openTrust(bundle: Bundle, pinned: string): Promise<AgentKey[]> {
  if ((await keyId(bundle.root_key)) !== pinned) {
    throw new ProofError(
      "The server shows another root key than the one that this browser saw before. Ask the operator.",
    )
  }
  const document = (await verify(bundle.trust, "trust", [bundle.root_key])).payload as {
    keys: { key: string; role: string }[]
  }
  const dispatch = document.keys.filter(({ role }) => role === "dispatch").map(({ key }) => key)
  const statements = bundle.agents.map(async (envelope) => {
    const said = (await verify(envelope, "agent", dispatch)).payload as {
      agent: string
      region: string
      receipt_key: string
    }
    return { agent: said.agent, region: said.region, receiptKey: said.receipt_key }
  })
  return Promise.all(statements)
}
