import { api, ask, everyPage, paged } from "../api/client"
import type { Account, Agent, Bucket, Operation, SecurityEvent, Stray } from "../api/types"
import { Collection } from "../state/collection.svelte"
import { keepFresh } from "../state/lists"
import { live } from "../state/live.svelte"

const PAGE = 1000
const RECENT = 100

/** All agents that were not removed. */
export const agents = new Collection<Agent>((cursor) =>
  ask(api.GET("/api/v1/agents", { params: { query: paged(cursor, PAGE) } })),
)

/** All accounts. */
export const accounts = new Collection<Account>((cursor) =>
  ask(api.GET("/api/v1/accounts", { params: { query: paged(cursor, PAGE) } })),
)

/** Buckets and keys of nobody, those that are left alone too. */
export const strays = new Collection<Stray & { id: string }>(async (cursor) => {
  const page = await ask(api.GET("/api/v1/strays", { params: { query: paged(cursor, PAGE) } }))
  return { ...page, items: page.items.map((stray) => ({ ...stray, id: stray.bucket ?? stray.key ?? "" })) }
})

/** Everyone's buckets that have other settings or rights than were asked for. */
export const drifting = new Collection<Bucket>((cursor) => {
  const query = { ...paged(cursor, PAGE), everyones: true, drift: true }
  return ask(api.GET("/api/v1/buckets", { params: { query } }))
})

/** Everyone's operations that have not ended. */
export const open = new Collection<Operation>((cursor) => {
  const query = { ...paged(cursor, PAGE), everyones: true, open: true }
  return ask(api.GET("/api/v1/operations", { params: { query } }))
})

/** The newest of everyone's operations that failed, were refused or expired. */
export const notDone = new Collection<Operation>(async () => {
  const query = { limit: RECENT, everyones: true, not_done: true }
  const { items } = await ask(api.GET("/api/v1/operations", { params: { query } }))
  return { items }
})

/** The newest security events. */
export const securityEvents = new Collection<SecurityEvent>(async () => {
  const { items } = await ask(api.GET("/api/v1/security-events", { params: { query: { limit: RECENT } } }))
  return { items }
})

/** All enrolment tokens, newest first. */
export function readEnrolTokens() {
  return everyPage((cursor) =>
    ask(api.GET("/api/v1/agents/enrol-tokens", { params: { query: paged(cursor, PAGE) } })),
  )
}

/** What an account is called. */
export function accountName(id: string | null | undefined): string {
  return (id && accounts.find(id)?.name) || "somebody"
}

const NOT_DONE = ["failed", "refused", "expired"]
const ENDED = ["done", "cancelled", ...NOT_DONE]

/** Whether an operation ended without having done its work; a cancelled one was not wanted any more. */
export function isNotDone({ state }: Operation): boolean {
  return NOT_DONE.includes(state)
}

// What moves is heard of; what is only counted now and then is read again (see `alerts`).
live.onAgent((agent) => {
  const known = agents.find(agent.id) !== undefined
  if (known) agents.put(agent)
  // It may be new, or removed: the list knows.
  if (!known || !agent.connected) void agents.load()
})
live.onOperation((operation) => {
  if (notDone.whole && isNotDone(operation)) notDone.put(operation)
  if (!open.whole) return
  if (ENDED.includes(operation.state)) open.drop(operation.id)
  else open.put(operation)
})
keepFresh(agents, accounts, strays, drifting, open, notDone, securityEvents)
