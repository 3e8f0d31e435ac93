import type { Failure } from "../api/failure"

/** How it stands with the account's receipts, for whoever shows it. */
class ChainState {
  state = $state<"idle" | "checking" | "whole" | "broken" | "unread">("idle")
  /** Receipts that are checked, in this check and those before it. */
  count = $state(0)
  checkedAt = $state(0)
  /** What does not hold. */
  problem = $state("")
  failure = $state.raw<Failure>()
  /** The place up to which each agent's chain is checked. */
  upTo = $state.raw<ReadonlyMap<string, number>>(new Map())
}

export const chainState = new ChainState()
