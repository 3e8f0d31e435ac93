import { everyPage } from "../api/client"
import { asFailure, type Failure } from "../api/failure"

interface Page<T> {
  items: T[]
  next_cursor?: string | null
}

/** A list of the API, whole and kept up to date by events. A reload blanks nothing. */
export class Collection<T extends { id: string }> {
  items = $state.raw<T[]>([])
  /** Whether all pages of the list were read once. */
  whole = $state(false)
  failure = $state.raw<Failure>()
  #loading: Promise<void> | undefined
  #page: (cursor: string | undefined) => Promise<Page<T>>

  constructor(page: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#page = page
  }

  /** Reads the list, unless it was read or is being read. */
  need(): void {
    if (!this.whole && !this.#loading) void this.load()
  }

  /** Reads the list again. */
  load(): Promise<void> {
    this.#loading ??= this.#read().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  /** Takes what an event told of one. */
  put(item: T): void {
    const at = this.items.findIndex(({ id }) => id === item.id)
    this.items = at < 0 ? [...this.items, item] : this.items.with(at, item)
  }

  /** Takes out what is gone. */
  drop(id: string): void {
    this.items = this.items.filter((item) => item.id !== id)
  }

  find(id: string): T | undefined {
    return this.items.find((item) => item.id === id)
  }

  async #read(): Promise<void> {
    this.failure = undefined
    try {
      const all = await everyPage(this.#page, (items) => {
        // The first page is shown at once; of a reload only the whole.
        if (!this.whole) this.items = [...items]
      })
      this.items = all
      this.whole = true
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }
}
