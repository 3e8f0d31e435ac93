import { everyPage } from "../api/client"
import { asFailure, type Failure } from "../api/failure"

interface Page<T> {
  items: T[]
  next_cursor?: string | null
}

/** Events that come within this are taken together: a sweep tells of thousands. */
const TOGETHER_MILLIS = 50

/** A list of the API, whole and kept up to date by events. A reload blanks nothing. */
export class Collection<T extends { id: string }> {
  items = $state.raw<T[]>([])
  /** Whether all pages of the list were read once. */
  whole = $state(false)
  failure = $state.raw<Failure>()
  /** Whether the list was read, or that failed, once. */
  settled = $state(false)
  #index = $derived(new Map(this.items.map((item) => [item.id, item])))
  #loading: Promise<void> | undefined
  /** What events told and is not in the list yet; nothing for what is gone. */
  #heard = new Map<string, T | undefined>()
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

  /** Takes what an event told of one, soon; nothing says that it is gone. */
  hear(id: string, item: T | undefined): void {
    if (!this.#heard.size) setTimeout(() => this.#takeHeard(), TOGETHER_MILLIS)
    this.#heard.set(id, item)
  }

  /** Takes what an answer told of one. */
  put(item: T): void {
    this.#heard.delete(item.id)
    const at = this.items.findIndex(({ id }) => id === item.id)
    this.items = at < 0 ? [...this.items, item] : this.items.with(at, item)
  }

  /** Takes out what is gone. */
  drop(id: string): void {
    this.#heard.delete(id)
    this.items = this.items.filter((item) => item.id !== id)
  }

  find(id: string): T | undefined {
    return this.#index.get(id)
  }

  #takeHeard(): void {
    const heard = this.#heard
    this.#heard = new Map()
    const items = this.items.flatMap((item) => (heard.has(item.id) ? (heard.get(item.id) ?? []) : item))
    for (const [id, item] of heard) if (item && !this.#index.has(id)) items.push(item)
    this.items = items
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
    this.settled = true
  }
}
