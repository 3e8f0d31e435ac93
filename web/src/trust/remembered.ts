import { read, write } from "../state/preferences.svelte"
import type { Head } from "./receipt"

/** The last receipt of each agent that this browser checked, by agent. Nothing in it is secret. */
export type Heads = Record<string, Head>

const name = (account: string) => `storm.chain.${account}`

export function rememberedHeads(account: string): Heads {
  try {
    const kept: unknown = JSON.parse(read(name(account)) ?? "{}")
    return isHeads(kept) ? kept : {}
  } catch {
    return {}
  }
}

export function rememberHeads(account: string, heads: Heads): void {
  write(name(account), JSON.stringify(heads))
}

function isHeads(kept: unknown): kept is Heads {
  const sound = (head: unknown) => {
    const { sequence, identity } = (head ?? {}) as Partial<Head>
    return typeof sequence === "number" && typeof identity === "string"
  }
  return typeof kept === "object" && kept !== null && Object.values(kept).every(sound)
}
