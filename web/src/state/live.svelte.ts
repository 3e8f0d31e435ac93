import { api, ask } from "../api/client"
import type { Agent, Bucket, Key, LiveEvent, Operation, Region } from "../api/types"
import { micros } from "../format/time"
import { buckets, keys, operations, refreshAll, regions } from "./lists"
import { session } from "./session.svelte"

const FIRST_WAIT_MILLIS = 1000
/** A stream that opens later than this may have missed what happened since the lists were read. */
const LATE_MICROS = 1_000_000
const LONGEST_WAIT_MILLIS = 30_000

type Hearer = (operation: Operation) => void
type AgentHearer = (agent: Agent) => void

/** The stream of changes: kept open, taken up again after sleep, and honest about being lost. */
class Live {
  state = $state<"connecting" | "live" | "lost">("connecting")
  /** Since when the connection is lost. */
  lostAt = $state(0)
  /** When the next try is made. */
  retryAt = $state(0)
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #wait = FIRST_WAIT_MILLIS
  #hearers = new Set<Hearer>()
  #agentHearers = new Set<AgentHearer>()
  #everyones = false
  #wasLive = false
  #startedAt = 0

  start(): void {
    this.#startedAt = micros()
    this.#connect()
    addEventListener("online", () => this.tryNow())
    addEventListener("offline", () => this.#lost())
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.state === "lost") this.tryNow()
    })
  }

  tryNow(): void {
    if (this.#source?.readyState === EventSource.OPEN) return
    this.#connect()
  }

  /** Hears of each operation that moves; the answer ends it. */
  onOperation(hear: Hearer): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  /** Hears of each agent that comes, goes or changes, as operators do; the answer ends it. */
  onAgent(hear: AgentHearer): () => void {
    this.#agentHearers.add(hear)
    return () => this.#agentHearers.delete(hear)
  }

  /** Whether operations of all accounts are heard of, as an operator's pages want. */
  hearEveryones(everyones: boolean): void {
    if (this.#everyones === everyones) return
    this.#everyones = everyones
    if (this.#source) this.#connect()
  }

  #connect(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    const source = new EventSource(`/api/v1/events${this.#everyones ? "?everyones=true" : ""}`)
    this.#source = source
    source.onopen = () => {
      this.state = "live"
      this.#wait = FIRST_WAIT_MILLIS
      // Whatever happened while nobody listened.
      if (this.#wasLive || micros() - this.#startedAt > LATE_MICROS) refreshAll()
      this.#wasLive = true
    }
    source.onerror = () => this.#lost()
    const hear = (take: (data: never) => void) => (event: MessageEvent<string>) =>
      take(JSON.parse(event.data) as never)
    const takes: { [E in LiveEvent as E["event"]]?: (data: never) => void } = {
      operation: (operation: Operation) => {
        if (operation.actor.account === session.who?.account) operations.put(operation)
        for (const hearer of this.#hearers) hearer(operation)
      },
      bucket: (bucket: Bucket) => buckets.hear(bucket.id, bucket),
      bucket_gone: (id: string) => buckets.hear(id, undefined),
      key: (key: Key) => keys.hear(key.id, key),
      key_gone: (id: string) => keys.hear(id, undefined),
      region: (region: Region) => regions.put({ ...region, id: region.name }),
      // Operators hear of the agent itself; what it is to its region is read.
      agent: (agent: Agent) => {
        for (const hearer of this.#agentHearers) hearer(agent)
        void regions.load()
      },
      missed: () => refreshAll(),
    }
    for (const [name, take] of Object.entries(takes)) source.addEventListener(name, hear(take))
  }

  /** A stream does not say why it was refused. When the session ended, this asks for it, then goes on. */
  async #lookWhy(): Promise<void> {
    try {
      await ask(api.GET("/api/v1/whoami"))
      this.tryNow()
    } catch {
      // The timer tries again.
    }
  }

  #lost(): void {
    this.#source?.close()
    if (session.state === "ended") return
    if (this.state !== "lost") this.lostAt = micros()
    // The server ends each stream after a while; that is no loss when the next one opens at once.
    this.state = this.#wait === FIRST_WAIT_MILLIS && this.state === "live" ? "connecting" : "lost"
    this.retryAt = micros() + this.#wait * 1000
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#connect(), this.#wait)
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MILLIS)
    if (this.state === "lost") void this.#lookWhy()
  }
}

export const live = new Live()
