import { api, ask } from "../api/client"
import type { Bucket, Key, LiveEvent, Operation } from "../api/types"
import { micros } from "../format/time"
import { buckets, keys, operations, refreshAll, regions } from "./lists"
import { session } from "./session.svelte"

const FIRST_WAIT_MILLIS = 1000
/** A stream that opens later than this may have missed what happened since the lists were read. */
const LATE_MICROS = 1_000_000
/** How often the regions are read again: whether their agents are there comes by no event. */
const REGIONS_MILLIS = 30_000
const LONGEST_WAIT_MILLIS = 30_000

type Hearer = (operation: Operation) => void

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
  #wasLive = false
  #startedAt = 0

  start(): void {
    this.#startedAt = micros()
    this.#connect()
    setInterval(() => {
      if (!document.hidden && this.state === "live") void regions.load()
    }, REGIONS_MILLIS)
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

  #connect(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    const source = new EventSource("/api/v1/events")
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
        operations.put(operation)
        for (const hearer of this.#hearers) hearer(operation)
      },
      bucket: (bucket: Bucket) => buckets.hear(bucket.id, bucket),
      bucket_gone: (id: string) => buckets.hear(id, undefined),
      key: (key: Key) => keys.hear(key.id, key),
      key_gone: (id: string) => keys.hear(id, undefined),
      // Operators hear of agents; others look now and then.
      agent: () => void regions.load(),
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
