import { api, ask } from "../../api/client"
import { asFailure, type Failure } from "../../api/failure"
import type { Passkey } from "../../api/types"

/** The ways to sign in that somebody has: what one section of the page changes, the other shows. */
class Ways {
  passkeys = $state.raw<Passkey[]>()
  /** Whether a password is set. */
  password = $state<boolean>()
  /** Whether an authenticator app asks for codes beside it. */
  totp = $state(false)
  failure = $state.raw<Failure>()

  load = async (): Promise<void> => {
    try {
      const [has, passkeys] = await Promise.all([
        ask(api.GET("/api/v1/sign-in-methods")),
        ask(api.GET("/api/v1/passkeys")),
      ])
      this.password = has.password
      this.totp = typeof has.totp_since === "number"
      this.passkeys = passkeys.items
      this.failure = undefined
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }
}

export const ways = new Ways()
