import { api, ask } from "../../api/client"
import { asFailure, type Failure } from "../../api/failure"
import type { SignInMethods } from "../../api/types"

/** What somebody signs in with. */
export class Methods {
  found = $state.raw<SignInMethods>()
  failure = $state.raw<Failure>()

  async load(): Promise<void> {
    try {
      this.found = await ask(api.GET("/api/v1/sign-in-methods"))
      this.failure = undefined
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }
}
