import { SvelteMap } from "svelte/reactivity"
import { api, ask } from "../api/client"
import { asFailure, type Failure } from "../api/failure"
import type { ClusterHealth } from "../api/types"
import { micros } from "../format/time"
import type { Mood } from "../marks/mood"

/** What a region's storage said of itself, and when. */
export interface Heard {
  asking: boolean
  at?: number
  health?: ClusterHealth
  failure?: Failure
}

/** A health that is older is asked for again when somebody looks. Each asking is a signed command. */
const FRESH_MICROS = 5 * 60_000_000

/** The health of each region's storage, as it said when it was last asked from this page. */
class Healths {
  #heard = new SvelteMap<string, Heard>()

  of(region: string): Heard | undefined {
    return this.#heard.get(region)
  }

  /** Asks, unless it was asked a short while ago. */
  need(region: string): void {
    const { at = 0, asking = false } = this.#heard.get(region) ?? {}
    if (!asking && micros() - at > FRESH_MICROS) void this.ask(region)
  }

  /** Asks a region's agent, which asks its Garage. An answer from before stays until a new one is here. */
  async ask(region: string): Promise<void> {
    const before = this.#heard.get(region)
    this.#heard.set(region, { ...before, asking: true })
    const at = micros()
    try {
      const params = { path: { region } }
      const { health } = await ask(api.POST("/api/v1/regions/{region}/health", { params }))
      if (health) this.#heard.set(region, { asking: false, at, health })
      else this.#heard.set(region, { ...before, asking: false })
    } catch (cause) {
      this.#heard.set(region, { ...before, asking: false, at, failure: asFailure(cause) })
    }
  }
}

export const healths = new Healths()

/** How a storage is, in few words. */
export function storageState(heard: Heard | undefined): { mood: Mood; text: string } {
  const { health, failure } = heard ?? {}
  if (!health) {
    if (heard?.asking) return { mood: "run", text: "asking its storage" }
    return { mood: "unk", text: failure ? "storage did not answer" : "storage not asked yet" }
  }
  const { storage_nodes_up: up, storage_nodes: all, status } = health
  const nodes = `${up} of ${all} ${all === 1 ? "node" : "nodes"}`
  if (status === "healthy") return { mood: "ok", text: `serving, ${nodes}` }
  if (status === "degraded") return { mood: "att", text: `serving, ${nodes} answer` }
  return { mood: "prob", text: `not all data in reach, ${nodes} answer` }
}
