import { api, ask, everyPage } from "../api/client"
import { asFailure, type Failure } from "../api/failure"
import { micros } from "../format/time"
import { ProofError } from "./envelope"
import { Chain, openReceipt } from "./receipt"
import { readTrust } from "./trust"

const PAGE = 500

function receiptsBy(agent: string) {
  return everyPage((cursor) => {
    const query = { agent, limit: PAGE, ...(cursor === undefined ? {} : { cursor: Number(cursor) }) }
    return ask(api.GET("/api/v1/receipts", { params: { query } }))
  })
}

/** The account's receipts, verified in this page, not by the server. */
class AccountChain {
  state = $state<"idle" | "checking" | "whole" | "broken" | "unread">("idle")
  count = $state(0)
  checkedAt = $state(0)
  /** What does not hold. */
  problem = $state("")
  failure = $state.raw<Failure>()
  /** Operations whose receipt was verified. */
  verified = $state.raw<ReadonlySet<string>>(new Set())

  need(): void {
    if (this.state === "idle") void this.check()
  }

  /** Reads every receipt and checks signatures and links. */
  async check(): Promise<void> {
    if (this.state === "checking") return
    this.state = "checking"
    this.count = 0
    const found = new Set<string>()
    try {
      const agents = await readTrust()
      for (const { agent } of agents) {
        const chain = new Chain()
        for (const record of await receiptsBy(agent)) {
          const opened = await openReceipt(record.receipt, agents)
          chain.take(opened)
          found.add(opened.receipt.operation)
          this.count += 1
        }
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
    this.verified = found
    this.checkedAt = micros()
  }
}

export const accountChain = new AccountChain()
