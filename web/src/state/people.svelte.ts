import { api, ask, everyPage, paged } from "../api/client"
import { asFailure, type Failure } from "../api/failure"
import type { Member } from "../api/types"
import { session } from "./session.svelte"

const PAGE = 1000

/** Who asks for what the platform needs by itself. */
const SYSTEM = "00000000-0000-7000-8000-000000000000"

/** Who is in the account. */
class People {
  members = $state.raw<Member[]>([])
  read = $state(false)
  failure = $state.raw<Failure>()

  need(): void {
    if (!this.read) void this.load()
  }

  async load(): Promise<void> {
    this.failure = undefined
    try {
      this.members = await everyPage((cursor) =>
        ask(api.GET("/api/v1/members", { params: { query: paged(cursor, PAGE) } })),
      )
      this.read = true
    } catch (cause) {
      this.failure = asFailure(cause)
    }
  }

  /** What a person is called here. */
  nameOf(user: string): string {
    if (user === session.who?.user) return "you"
    if (user === SYSTEM) return "the platform"
    return this.members.find((member) => member.user === user)?.email ?? "somebody else"
  }
}

export const people = new People()
