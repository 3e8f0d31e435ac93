/** Checks many receipts, in order. It knows nothing of the page and the network, so that it runs beside the page. */
import { type Envelope, ProofError } from "./envelope"
import { Chain, type Head, openReceipt } from "./receipt"
import type { AgentKey } from "./trust"

/** How far a check has come. */
export interface Checked {
  /** Receipts that were new to this check. */
  count: number
  head: Head | undefined
  operations: string[]
}

export class ChainCheck {
  readonly #chain: Chain
  readonly #agents: AgentKey[]
  /** The receipt that was checked last, some other time: it has to be there still, and the same. */
  #known: Head | undefined

  /** For the chain of the one agent whose receipts are taken. */
  constructor(agent: AgentKey | undefined, known?: Head) {
    // Another agent's chain in its place would hide what this one did.
    this.#agents = agent ? [agent] : []
    this.#known = known
    this.#chain = new Chain(known)
  }

  /** Takes the next receipts. The first of all is the known one, if there is one. */
  async take(envelopes: Envelope[]): Promise<Checked> {
    // Signatures are checked side by side, links one after the other.
    const opened = await Promise.all(envelopes.map((envelope) => openReceipt(envelope, this.#agents)))
    const operations: string[] = []
    for (const one of opened) {
      if (this.#known) {
        const { sequence, identity } = this.#known
        if (one.receipt.account_sequence !== sequence || one.identity !== identity) {
          throw new ProofError(
            `Receipt ${sequence.toLocaleString("en")} is another one than this browser saw before.`,
          )
        }
        this.#known = undefined
      } else {
        this.#chain.take(one)
        operations.push(one.receipt.operation)
      }
    }
    return { count: operations.length, head: this.#head, operations }
  }

  /** After the last receipt: the known one must have been there. */
  end(): void {
    if (this.#known) {
      const place = this.#known.sequence.toLocaleString("en")
      throw new ProofError(`Receipt ${place}, which this browser saw before, is gone.`)
    }
  }

  get #head(): Head | undefined {
    const { sequence, head } = this.#chain
    return head === null ? undefined : { sequence, identity: head }
  }
}
