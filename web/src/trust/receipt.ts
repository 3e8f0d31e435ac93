/** Receipts: an agent's signed answers, each linked to the account's one before it on that agent. */
import { type Envelope, ProofError, verify } from "./envelope"
import type { AgentKey } from "./trust"

/** What a receipt says, as far as a page needs it. */
export interface Receipt {
  agent: string
  region: string
  account: string
  /** Its place in the agent's chain over all accounts, and the receipt before it there. */
  sequence: number
  previous: string | null
  account_sequence: number
  account_previous: string | null
  operation: string
  command: string
  finished_at: number
  sealed: string | null
}

export interface VerifiedReceipt {
  receipt: Receipt
  identity: string
}

/** Verifies a receipt with the keys of the agents. */
export async function openReceipt(envelope: Envelope, agents: AgentKey[]): Promise<VerifiedReceipt> {
  const { payload, identity, key } = await verify(
    envelope,
    "receipt",
    agents.map(({ receiptKey }) => receiptKey),
  )
  const receipt = payload as Receipt
  const named = agents.find(({ agent, region }) => agent === receipt.agent && region === receipt.region)
  if (!named) throw new ProofError("It names an agent that nothing is known of.")
  if (named.receiptKey !== key) throw new ProofError("Another agent signed it than the one that it names.")
  return { receipt, identity }
}

/** A receipt by its place in the chain, and what it is called by the one that follows it. */
export interface Head {
  sequence: number
  identity: string
}

/** An account's chain on one agent, checked one receipt at a time, in order. */
export class Chain {
  sequence: number
  head: string | null

  /** From the first receipt on, or from one that was checked before. */
  constructor(from?: Head) {
    this.sequence = from?.sequence ?? 0
    this.head = from?.identity ?? null
  }

  /** Takes the next receipt; throws when it does not follow. */
  take({ receipt, identity }: VerifiedReceipt): void {
    const expected = this.sequence + 1
    if (receipt.account_sequence !== expected) {
      throw new ProofError(`Receipt ${expected} is missing: ${receipt.account_sequence} stands in its place.`)
    }
    if (receipt.account_previous !== this.head) {
      throw new ProofError(`Receipt ${expected} does not follow from the one before it.`)
    }
    this.sequence = expected
    this.head = identity
  }
}
