import { api, ask } from "../api/client"
import { asFailure, type Failure } from "../api/failure"
import type { Operation, OperationAnswer } from "../api/types"
import { live } from "./live.svelte"

const LOOK_AGAIN_MILLIS = 5000
const ENDS = ["done", "failed", "refused", "expired", "cancelled"]

/** Whether an operation has come to its end. */
export function hasEnded(operation: Operation): boolean {
  return ENDS.includes(operation.state)
}

/** Why an operation came to nothing, in words; nothing when it is done. */
export function whyNot(operation: Operation): string | undefined {
  const { outcome, state, region } = operation
  if (outcome && "failed" in outcome) return outcome.failed.message
  if (outcome && "refused" in outcome) return outcome.refused.message
  if (state === "expired")
    return `Expired: the agent of ${region} was away too long. Nothing was changed. Ask again.`
  if (state === "cancelled") return "Cancelled. Nothing was changed."
  return undefined
}

/** One act of a person on the storage: taken at once, then waiting, then its real outcome. */
export class Change {
  state = $state<"idle" | "asking" | "waiting" | "done" | "failed">("idle")
  operation = $state.raw<Operation>()
  failure = $state.raw<Failure>()
  /** Why the storage did not do it. */
  reason = $state<string>()

  get busy(): boolean {
    return this.state === "asking" || this.state === "waiting"
  }

  /** Asks, and waits for the outcome; nothing is answered when it came to nothing. */
  async run(act: () => Promise<OperationAnswer>): Promise<OperationAnswer | undefined> {
    this.state = "asking"
    this.failure = undefined
    this.reason = undefined
    try {
      const answer = await this.#outcome(await act())
      this.reason = whyNot(answer.operation)
      this.state = this.reason === undefined ? "done" : "failed"
      return this.state === "done" ? answer : undefined
    } catch (cause) {
      this.failure = asFailure(cause)
      this.state = "failed"
      return undefined
    }
  }

  /** Asks for what ends at once, without an operation; nothing is answered when it came to nothing. */
  async now<T>(act: () => Promise<T>): Promise<T | undefined> {
    this.state = "asking"
    this.failure = undefined
    this.reason = undefined
    try {
      const answer = await act()
      this.state = "done"
      return answer
    } catch (cause) {
      this.failure = asFailure(cause)
      this.state = "failed"
      return undefined
    }
  }

  /** Asks to give it up; the outcome says whether it was in time. */
  async cancel(): Promise<void> {
    if (!this.operation) return
    const path = { operation: this.operation.id }
    try {
      await ask(api.POST("/api/v1/operations/{operation}/cancel", { params: { path } }))
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }

  async #outcome(answer: OperationAnswer): Promise<OperationAnswer> {
    let latest = answer
    this.operation = latest.operation
    while (!hasEnded(latest.operation)) {
      this.state = "waiting"
      await this.#moves(latest.operation.id)
      const path = { operation: latest.operation.id }
      latest = await ask(api.GET("/api/v1/operations/{operation}", { params: { path } }))
      this.operation = latest.operation
    }
    return latest
  }

  /** Until an event tells of the operation's end, or a while later: events may be lost. */
  #moves(id: string): Promise<void> {
    return new Promise((moved) => {
      const timer = setTimeout(() => end(), LOOK_AGAIN_MILLIS)
      const stop = live.onOperation((operation) => {
        if (operation.id !== id) return
        this.operation = operation
        if (hasEnded(operation)) end()
      })
      const end = () => {
        clearTimeout(timer)
        stop()
        moved()
      }
    })
  }
}
