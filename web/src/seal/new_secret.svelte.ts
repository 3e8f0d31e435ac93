import { api, ask } from "../api/client"
import { asFailure, Failure } from "../api/failure"
import type { OperationAnswer } from "../api/types"
import { checkReceipt } from "../trust/check_receipt"
import { type OneTimeKey, oneTimeKey, open, placeOf } from "./seal"

/** A key with its secret, in this page alone. */
export interface OpenedKey {
  id: string
  secret: string
  operation: string
}

/** The secret of a new key: sealed to this page, checked, opened, and forgotten with the page. */
export class NewSecret {
  opened = $state.raw<OpenedKey>()
  failure = $state.raw<Failure>()
  #pair: OneTimeKey | undefined

  /** What the storage is to seal to. */
  async sealTo(): Promise<string> {
    this.#pair = await oneTimeKey()
    return this.#pair.sealTo
  }

  /** Opens what an answer carries; whether it could. */
  async take(answer: OperationAnswer): Promise<boolean> {
    const { operation, sealed } = answer
    try {
      if (!sealed || !this.#pair) throw new Error("the answer holds no secret for this page")
      await checkReceipt(operation, sealed)
      const secret = await open(sealed, this.#pair.pair, placeOf(operation, sealed.key))
      this.opened = { id: sealed.key, secret, operation: operation.id }
      return true
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      this.failure = new Failure(
        "unseal",
        `The key was made, but its secret could not be taken: ${why}. The key is of no use; replace it under Keys.`,
        0,
      )
      return false
    }
  }

  /** Says that somebody has the secret; the server then forgets the sealed form. */
  async acknowledge(): Promise<void> {
    if (!this.opened) return
    const path = { operation: this.opened.operation }
    try {
      await ask(api.POST("/api/v1/operations/{operation}/acknowledge", { params: { path } }))
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }

  forget(): void {
    this.opened = undefined
    this.#pair = undefined
  }
}
