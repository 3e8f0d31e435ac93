import { api, ask } from "../../api/client"
import { asFailure, type Failure } from "../../api/failure"
import type { Passkey, SignInMethods } from "../../api/types"

/** The ways to sign in that somebody has: what one section of the page changes, the other shows. */
class Ways {
  passkeys = $state.raw<Passkey[]>()
  methods = $state.raw<SignInMethods>()
  failure = $state.raw<Failure>()

  /** Whether a password is set. */
  get password(): boolean | undefined {
    return this.methods?.password
  }

  load = async (): Promise<void> => {
    try {
      const [has, passkeys] = await Promise.all([
        ask(api.GET("/api/v1/sign-in-methods")),
        ask(api.GET("/api/v1/passkeys")),
      ])
      this.methods = has
      this.passkeys = passkeys.items
      this.failure = undefined
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }
}

export const ways = new Ways()
