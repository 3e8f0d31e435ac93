import { api, ask } from "../api/client"

const read = () => ask(api.GET("/api/v1/about"))

/** What the server says of itself to everybody. */
class About {
  server = $state.raw<Awaited<ReturnType<typeof read>>>()
  /** Whether it does not answer. */
  silent = $state(false)

  async load(): Promise<void> {
    try {
      this.server ??= await read()
      this.silent = false
    } catch {
      this.silent = true
    }
  }
}

export const about = new About()
