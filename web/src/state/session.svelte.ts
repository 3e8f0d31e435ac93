import { api, ask, onSessionEnded } from "../api/client"
import { asFailure, type Failure } from "../api/failure"
import { enterByPasskey } from "../api/passkey"
import type { Account, OwnAccount, SecondFactor, Whoami } from "../api/types"
import { read, write } from "./preferences.svelte"

/** Says that this browser signed in once, so that a stranger's first look asks the server nothing in vain. */
const WAS_HERE = "storm.was-here"

/** What the server adds to the address of who has just signed in at their company's provider. */
const ARRIVED = "#arrived"

type State = "asking" | "out" | "in" | "ended" | "unreachable"

/** Who looks at the page. */
class CurrentSession {
  state = $state<State>("asking")
  who = $state.raw<Whoami>()
  accounts = $state.raw<OwnAccount[]>([])
  failure = $state.raw<Failure>()
  /** What became of the account in use. */
  accountState = $state<Account["state"]>("active")
  #waiting: (() => void)[] = []

  constructor() {
    onSessionEnded(() => {
      if (this.state === "in" || this.state === "ended") {
        this.state = "ended"
        return new Promise((again) => this.#waiting.push(() => again()))
      }
      return Promise.resolve()
    })
  }

  /** Asks the server who we are. */
  async begin(): Promise<void> {
    const arrives = location.hash === ARRIVED
    if (arrives) history.replaceState(null, "", location.pathname + location.search)
    if (!arrives && !read(WAS_HERE)) {
      this.state = "out"
      return
    }
    try {
      this.#enter(await ask(api.GET("/api/v1/whoami")))
    } catch (cause) {
      const failure = asFailure(cause)
      this.failure = failure
      this.state = failure.status === 401 ? "out" : "unreachable"
    }
  }

  /** Signs in, or gives the second factor that is asked for. After an ended session, what waited for it goes on. */
  async signIn(email: string, password: string): Promise<SecondFactor | undefined> {
    const answer = await ask(api.POST("/api/v1/session", { body: { email, password } }))
    if ("second_factor" in answer) return answer.second_factor
    await this.#arrive(answer)
    return undefined
  }

  /** Finishes a sign-in with a code of the authenticator app, or a recovery code. */
  async finishSignIn(challenge: string, code: string): Promise<void> {
    await this.#arrive(await ask(api.POST("/api/v1/session/second-factor", { body: { challenge, code } })))
  }

  /** Signs in with a passkey, which is both steps in one. */
  async enterByPasskey(): Promise<void> {
    await this.#arrive(await enterByPasskey())
  }

  async #arrive(who: Whoami): Promise<void> {
    const before = this.who
    if (before && before.user !== who.user) {
      // Another person: nothing of the one before may stay on the page.
      location.assign("/")
      return
    }
    if (before && before.account !== who.account) {
      await ask(api.POST("/api/v1/session/account", { body: { account: before.account } }))
      this.#enter(before)
    } else {
      this.#enter(who)
    }
  }

  /** Signs out and leaves nothing behind. */
  async signOut(): Promise<void> {
    await ask(api.DELETE("/api/v1/session"))
    write(WAS_HERE, "")
    location.assign("/")
  }

  /** Goes on in another account, with a fresh page. */
  async switchTo(account: string): Promise<void> {
    await ask(api.POST("/api/v1/session/account", { body: { account } }))
    location.assign("/")
  }

  async readAccounts(): Promise<void> {
    try {
      this.accounts = (await ask(api.GET("/api/v1/accounts/own"))).items
    } catch {
      // The switcher then shows the current account alone.
    }
  }

  /** Whether this person may change what the account has. */
  get mayChange(): boolean {
    return this.who !== undefined && this.who.role !== "viewer" && this.isFree
  }

  get mayManage(): boolean {
    return this.isAdmin && this.isFree
  }

  /** Whether this person may see what everybody did, whatever became of the account. */
  get isAdmin(): boolean {
    return this.who?.role === "owner" || this.who?.role === "admin" || Boolean(this.who?.operator)
  }

  /** Nothing changes in an account that is suspended or being closed, but for those who run the platform. */
  get isFree(): boolean {
    return this.accountState === "active" || Boolean(this.who?.operator)
  }

  #enter(who: Whoami): void {
    this.who = who
    this.state = "in"
    write(WAS_HERE, "yes")
    for (const goOn of this.#waiting.splice(0)) goOn()
  }
}

export const session = new CurrentSession()
