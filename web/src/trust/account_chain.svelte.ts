import { api, ask } from "../api/client"
import { asFailure } from "../api/failure"
import type { ReceiptPage } from "../api/types"
import { micros } from "../format/time"
import { live } from "../state/live.svelte"
import { session } from "../state/session.svelte"
import { Beside } from "./beside"
import { chainState } from "./chain_state.svelte"
import { ProofError } from "./envelope"
import type { Head } from "./receipt"
import { type Heads, rememberedHeads, rememberHeads } from "./remembered"
import { readTrust } from "./read_trust"

const PAGE = 500
/** Receipts of what ends at once are checked together. */
const FOLLOW_MILLIS = 1500

/** A page of an agent's receipts, from after a place on. */
function page(agent: string, after: number): Promise<ReceiptPage> {
  return ask(api.GET("/api/v1/receipts", { params: { query: { agent, limit: PAGE, cursor: after } } }))
}

/**
 * The account's receipts, verified in this page, not by the server. What this browser checked before is not read
 * again: each receipt names the one before it, so that the last of them, unchanged, vouches for all.
 */
class AccountChain {
  #follows: ReturnType<typeof setTimeout> | undefined
  #isFollowing = false
  #isBusy = false

  need(): void {
    if (chainState.state === "idle") void this.check()
    if (this.#isFollowing) return
    this.#isFollowing = true
    live.onOperation(({ receipt }) => {
      if (!receipt) return
      clearTimeout(this.#follows)
      this.#follows = setTimeout(() => void this.check(), FOLLOW_MILLIS)
    })
  }

  /** Checks what is new; `whole`: every receipt from the first. */
  async check(whole = false): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    const account = session.who?.account ?? ""
    const known = whole ? {} : rememberedHeads(account)
    let count = Object.values(known).reduce((sum, { sequence }) => sum + sequence, 0)
    // A chain that was whole a moment ago stays so on the page while what is new is looked at.
    if (whole || chainState.state !== "whole") {
      chainState.state = "checking"
      chainState.count = count
    }
    const beside = new Beside()
    const heads: Heads = {}
    try {
      const agents = await readTrust()
      for (const key of agents) {
        const { agent } = key
        await beside.begin({ agent: key, known: known[agent] })
        const head = await this.#checkAgent(beside, agent, known[agent], (more) => {
          count += more
          if (chainState.state === "checking") chainState.count = count
        })
        if (head) heads[agent] = head
      }
      rememberHeads(account, heads)
      chainState.upTo = new Map(Object.entries(heads).map(([agent, { sequence }]) => [agent, sequence]))
      chainState.count = count
      chainState.state = "whole"
    } catch (cause) {
      if (cause instanceof ProofError) {
        chainState.problem = cause.message
        chainState.state = "broken"
      } else {
        chainState.failure = asFailure(cause)
        chainState.state = "unread"
      }
    }
    beside.close()
    this.#isBusy = false
    chainState.checkedAt = micros()
  }

  async #checkAgent(
    beside: Beside,
    agent: string,
    known: Head | undefined,
    onchecked: (more: number) => void,
  ): Promise<Head | undefined> {
    let head = known
    let next: Promise<ReceiptPage> | undefined = page(agent, known ? known.sequence - 1 : 0)
    while (next) {
      const { items, next_cursor }: ReceiptPage = await next
      // The next page is on its way while this one is checked.
      next = next_cursor ? page(agent, Number(next_cursor)) : undefined
      // What fails meanwhile is heard of when it is waited for.
      next?.catch(() => undefined)
      const checked = await beside.take(items.map(({ receipt }) => receipt))
      onchecked(checked.count)
      head = checked.head ?? head
    }
    await beside.end()
    return head
  }
}

export const accountChain = new AccountChain()
