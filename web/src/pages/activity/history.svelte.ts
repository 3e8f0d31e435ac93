import { api, ask } from "../../api/client"
import { asFailure, type Failure } from "../../api/failure"
import type { Operation } from "../../api/types"
import { operations } from "../../state/lists"

const FIRST_PAGE = 100
const NEXT_PAGES = 1000
/** Matches that are looked for without being asked to look further. */
const ENOUGH = 50
/** Pages that are read for one question without being asked. */
const MOST_PAGES = 5

/** The account's operations, newest first: those that events tell of, and older ones as they are read. */
export class History {
  #older = $state.raw<Operation[]>([])
  // Where the pages that were read end.
  #cursor: string | undefined
  exhausted = $state(false)
  loading = $state(false)
  failure = $state.raw<Failure>()
  #asked = ""
  #pages = 0

  // The front of an operation's id is its time.
  all = $derived(
    [...new Map([...this.#older, ...operations.items].map((one) => [one.id, one])).values()].toSorted(
      (a, b) => (a.id < b.id ? 1 : -1),
    ),
  )

  /** Reads on while too little fits what is asked for; `enough` tells that all that could fit was read. */
  seek(question: string, fitting: number, enough: boolean): void {
    if (question !== this.#asked) {
      this.#asked = question
      this.#pages = 0
    }
    if (!question || enough || fitting >= ENOUGH || this.#pages >= MOST_PAGES || this.exhausted) return
    if (this.loading || this.failure) return
    this.#pages += 1
    void this.loadOlder()
  }

  async loadOlder(): Promise<void> {
    this.loading = true
    try {
      const limit = this.#cursor ? NEXT_PAGES : FIRST_PAGE
      const query = { limit, ...(this.#cursor ? { cursor: this.#cursor } : {}) }
      const page = await ask(api.GET("/api/v1/operations", { params: { query } }))
      this.#older = [...this.#older, ...page.items]
      this.#cursor = page.next_cursor ?? undefined
      this.exhausted = !this.#cursor
      this.failure = undefined
    } catch (cause) {
      this.failure = asFailure(cause)
    }
    this.loading = false
  }
}
