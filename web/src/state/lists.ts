import { api, ask, paged } from "../api/client"
import type { Bucket, Key, Operation, Region } from "../api/types"
import { Collection } from "./collection.svelte"

const FIRST_PAGE = 100
const NEXT_PAGES = 1000

// A small first page is soon there; the rest comes in few requests.
const sized = (cursor: string | undefined) => paged(cursor, cursor === undefined ? FIRST_PAGE : NEXT_PAGES)

/** The account's buckets. */
export const buckets = new Collection<Bucket>((cursor) =>
  ask(api.GET("/api/v1/buckets", { params: { query: sized(cursor) } })),
)

/** The account's keys. */
export const keys = new Collection<Key>((cursor) =>
  ask(api.GET("/api/v1/keys", { params: { query: sized(cursor) } })),
)

/** The regions, by name. */
export const regions = new Collection<Region & { id: string }>(async (cursor) => {
  const page = await ask(api.GET("/api/v1/regions", { params: { query: sized(cursor) } }))
  return { ...page, items: page.items.map((region) => ({ ...region, id: region.name })) }
})

const RECENT = 50

/** The newest operations. */
export const operations = new Collection<Operation>(async () => {
  const { items } = await ask(api.GET("/api/v1/operations", { params: { query: { limit: RECENT } } }))
  return { items }
})

interface Kept {
  readonly whole: boolean
  load(): Promise<void>
}

const kept: Kept[] = [buckets, keys, regions, operations]

/** Has a list read again whenever something may have been missed. */
export function keepFresh(...lists: Kept[]): void {
  kept.push(...lists)
}

/** Reads again whatever was read once. */
export function refreshAll(): void {
  for (const list of kept) if (list.whole) void list.load()
}
