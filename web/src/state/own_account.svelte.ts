import { api, ask } from "../api/client"
import type { Account } from "../api/types"
import { live } from "./live.svelte"
import { session } from "./session.svelte"

/** How often it is looked whether an operator suspended or resumed the account: that comes by no event. */
const AGAIN_MILLIS = 60_000

/** The account in use: what became of it, what it may have and has. */
class OwnAccount {
  account = $state.raw<Account>()

  start(): void {
    void this.load()
    setInterval(() => {
      if (!document.hidden && live.state === "live") void this.load()
    }, AGAIN_MILLIS)
  }

  async load(): Promise<void> {
    try {
      this.take(await ask(api.GET("/api/v1/account")))
    } catch {
      // What was known of it stays; who needs more reads it and says what is wrong.
    }
  }

  take(account: Account): void {
    this.account = account
    session.accountState = account.state
  }
}

export const ownAccount = new OwnAccount()
