import { api, ask } from "../../api/client"
import type { Bucket } from "../../api/types"
import { buckets } from "../../state/lists"

const FIRST = 60

/**
 * The account's buckets, of which the largest are there first: the whole list of thousands comes by name, takes
 * longer, and would shove aside the rows that somebody looks at.
 */
export class LargestFirst {
  #largest = $state.raw<Bucket[]>()

  constructor() {
    buckets.need()
    if (!buckets.whole) void this.#read()
  }

  known = $derived.by(() => {
    if (buckets.whole || !this.#largest?.length) return buckets.items
    const first = new Set(this.#largest.map(({ id }) => id))
    return [
      ...this.#largest.map((bucket) => buckets.find(bucket.id) ?? bucket),
      ...buckets.items.filter(({ id }) => !first.has(id)),
    ]
  })

  /** Whether all of the account's buckets are known. */
  get complete(): boolean {
    return (
      buckets.whole ||
      (this.#largest !== undefined && this.#largest.length > 0 && this.#largest.length < FIRST)
    )
  }

  /** Whether what is known can be shown. */
  get ready(): boolean {
    return buckets.whole || (this.#largest !== undefined && this.known.length > 0)
  }

  async #read(): Promise<void> {
    const query = { largest: true, limit: FIRST }
    try {
      this.#largest = (await ask(api.GET("/api/v1/buckets", { params: { query } }))).items
    } catch {
      // The list itself says what is wrong.
      this.#largest = []
    }
  }
}
