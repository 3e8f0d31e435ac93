import { api, ask } from "../api/client"
import { asFailure, type Failure } from "../api/failure"
import { micros } from "../format/time"
import { ProofError } from "./envelope"
import { openReceipt } from "./receipt"
import { readTrust } from "./read_trust"

const PAGE = 500

/** One agent's receipts over all accounts, verified in this page. For operators. */
export class WholeChain {
  state = $state<"idle" | "checking" | "whole" | "broken" | "unread">("idle")
  count = $state(0)
  checkedAt = $state(0)
  /** What does not hold. */
  problem = $state("")
  failure = $state.raw<Failure>()

  /** Reads the agent's receipts page by page and checks signatures and links; the page stays alive between. */
  async check(agent: string): Promise<void> {
    if (this.state === "checking") return
    this.state = "checking"
    this.count = 0
    try {
      const agents = await readTrust()
      let head: string | null = null
      let after = 0
      for (;;) {
        const query = { agent, whole: true, after, limit: PAGE }
        const { items, next_cursor } = await ask(api.GET("/api/v1/receipts", { params: { query } }))
        for (const record of items) {
          const { receipt, identity } = await openReceipt(record.receipt, agents)
          const expected = this.count + 1
          if (receipt.agent !== agent) throw new ProofError(`Receipt ${expected} is another agent's.`)
          if (receipt.sequence !== expected) {
            throw new ProofError(`Receipt ${expected} is missing: ${receipt.sequence} stands in its place.`)
          }
          // The first may follow the chain of an agent that this one came after.
          if (expected > 1 && receipt.previous !== head) {
            throw new ProofError(`Receipt ${expected} does not follow from the one before it.`)
          }
          head = identity
          this.count = expected
        }
        if (!next_cursor) break
        after = Number(next_cursor)
      }
      this.state = "whole"
    } catch (cause) {
      if (cause instanceof ProofError) {
        this.problem = cause.message
        this.state = "broken"
      } else {
        this.failure = asFailure(cause)
        this.state = "unread"
      }
    }
    this.checkedAt = micros()
  }
}
