import { api, ask, once } from "../../../api/client"
import { asFailure, type Failure } from "../../../api/failure"
import type { BucketSettings } from "../../../api/types"
import { Change } from "../../../state/change.svelte"
import type { components } from "../../../api/schema"
import type { CorsRule, LifecycleRule } from "./words"

type Website = components["schemas"]["Website"]

/** A bucket's rules, and the acts that change them. Each act sets the whole, as the storage does. */
export class Settings {
  value = $state.raw<BucketSettings>()
  failure = $state.raw<Failure>()
  change = new Change()
  #bucket: string

  constructor(bucket: string) {
    this.#bucket = bucket
  }

  async load(): Promise<void> {
    try {
      this.value = await ask(api.GET("/api/v1/buckets/{bucket}/settings", { params: { path: this.#path } }))
      this.failure = undefined
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }

  setCors(rules: CorsRule[]): Promise<boolean> {
    const params = { path: this.#path, ...once() }
    return this.#set(() => ask(api.PUT("/api/v1/buckets/{bucket}/cors", { params, body: { rules } })))
  }

  setLifecycle(rules: LifecycleRule[]): Promise<boolean> {
    const params = { path: this.#path, ...once() }
    return this.#set(() => ask(api.PUT("/api/v1/buckets/{bucket}/lifecycle", { params, body: { rules } })))
  }

  setWebsite(website: Website | null): Promise<boolean> {
    const params = { path: this.#path, ...once() }
    return this.#set(() => ask(api.PUT("/api/v1/buckets/{bucket}/website", { params, body: { website } })))
  }

  get #path() {
    return { bucket: this.#bucket }
  }

  async #set(act: Parameters<Change["run"]>[0]): Promise<boolean> {
    const answer = await this.change.run(act)
    await this.load()
    return answer !== undefined
  }
}
