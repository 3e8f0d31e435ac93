import { SvelteMap } from "svelte/reactivity"
import { api, ask, once } from "../../../api/client"
import type { Bucket, Key } from "../../../api/types"
import { Change } from "../../../state/change.svelte"
import { buckets, keys } from "../../../state/lists"
import type { Rights } from "../words"
import { NO_RIGHTS, same } from "./words"

/** Changes that are on their way at once: the storage takes those of one region one after another. */
const AT_ONCE = 3
/** How often one is asked again that came too soon after others. */
const TRIES = 5

/** A cell that is to become something else. */
export interface Pending {
  id: string
  key: Key
  bucket: Bucket
  before: Rights
  after: Rights
}

interface Wish {
  key: string
  bucket: string
  rights: Rights
}

const cell = (key: string, bucket: string) => `${key}/${bucket}`

/** A key's rights on a bucket, as they are. */
export function rightsOn(key: Key, bucket: string): Rights {
  return key.grants.find((grant) => grant.bucket === bucket) ?? NO_RIGHTS
}

/**
 * Rights that were changed on the page and not yet asked for. They stay while somebody looks at other pages, and
 * one that comes true by another way is no change any more.
 */
class AccessDraft {
  #wishes = new SvelteMap<string, Wish>()

  pending = $derived.by(() => [...this.#wishes].flatMap(([id, wish]) => this.#pending(id, wish) ?? []))

  /** What a cell is to become, or is. */
  rights(key: Key, bucket: string): Rights {
    return this.#wishes.get(cell(key.id, bucket))?.rights ?? rightsOn(key, bucket)
  }

  changes(key: Key, bucket: string): boolean {
    const wish = this.#wishes.get(cell(key.id, bucket))
    return wish !== undefined && !same(wish.rights, rightsOn(key, bucket))
  }

  set(key: Key, bucket: string, { read, write, owner }: Rights): void {
    const rights = { read, write, owner }
    if (same(rights, rightsOn(key, bucket))) this.#wishes.delete(cell(key.id, bucket))
    else this.#wishes.set(cell(key.id, bucket), { key: key.id, bucket, rights })
  }

  forget(id: string): void {
    this.#wishes.delete(id)
  }

  discard(): void {
    this.#wishes.clear()
  }

  /** Asks for each of these; what came of it stands in the `Change` of each. What fails stays a wish. */
  async apply(wanted: Pending[], outcomes: Map<string, Change>): Promise<void> {
    const queue = [...wanted]
    const work = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const change = outcomes.get(next.id) ?? new Change()
        if (await this.#ask(next, change)) this.forget(next.id)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  async #ask({ key, bucket, after: body }: Pending, change: Change): Promise<boolean> {
    const params = { path: { bucket: bucket.id, key: key.id }, ...once() }
    for (let tries = 1; ; tries += 1) {
      const answer = await change.run(() =>
        ask(api.PUT("/api/v1/buckets/{bucket}/grants/{key}", { params, body })),
      )
      if (answer?.key) keys.put(answer.key)
      const wait = change.failure?.status === 429 ? change.failure.retryAfterSeconds : undefined
      if (answer || !wait || tries === TRIES) return answer !== undefined
      await new Promise((later) => setTimeout(later, wait * 1000))
    }
  }

  #pending(id: string, wish: Wish): Pending | undefined {
    const [key, bucket] = [keys.find(wish.key), buckets.find(wish.bucket)]
    if (!key || !bucket) return undefined
    const before = rightsOn(key, bucket.id)
    return same(before, wish.rights) ? undefined : { id, key, bucket, before, after: wish.rights }
  }
}

export const draft = new AccessDraft()
