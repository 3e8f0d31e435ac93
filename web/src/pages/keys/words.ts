import type { Key, KeyGrant } from "../../api/types"
import { day, micros, type Zone } from "../../format/time"
import type { Mood } from "../../marks/mood"

export type Tier = "read" | "write" | "owner"

/** What each tier may do. */
export const TIERS: { value: Tier; title: string; text: string; mark: string }[] = [
  { value: "read", title: "Read only", text: "List and download.", mark: "r··" },
  { value: "write", title: "Read and write", text: "Also upload, replace and delete objects.", mark: "rw·" },
  {
    value: "owner",
    title: "Owner",
    text: "Also change CORS, website and rules, and delete the bucket.",
    mark: "rwo",
  },
]

export type Rights = Pick<KeyGrant, "read" | "write" | "owner">

/** What a key may be called. */
export const LABEL = /^(?! )[ -.0-~]{1,64}(?<! )$/
export const LABEL_RULE = "1 to 64 plain characters, without a slash."

export function rightsOf(tier: Tier): Rights {
  return { read: true, write: tier !== "read", owner: tier === "owner" }
}

/** Rights as letters: `rw·`. */
export function letters({ read, write, owner }: Rights): string {
  return `${read ? "r" : "·"}${write ? "w" : "·"}${owner ? "o" : "·"}`
}

/** Rights in words. */
export function inWords({ read, write, owner }: Rights): string {
  if (owner && read && write) return "everything, also its rules and deletion"
  const words = [read && "read", write && "write and delete", owner && "change its rules"].filter(Boolean)
  return words.length ? words.join(", ") : "nothing"
}

const SOON_MICROS = 7 * 86_400_000_000

/** How a key is, and what is to be said about it. */
export function stateOf(key: Key, zone: Zone, now = micros()): { mood: Mood; text: string } {
  if (key.vanished_at) return { mood: "prob", text: "gone from the storage" }
  if (key.expires_at && key.expires_at <= now) return { mood: "unk", text: "ended" }
  if (key.suspended) return { mood: "att", text: "suspended" }
  if (!key.acknowledged) return { mood: "att", text: "secret never taken" }
  if (key.expires_at && key.expires_at - now < SOON_MICROS) {
    return { mood: "att", text: `ends ${day(key.expires_at, now, zone)}` }
  }
  return { mood: "ok", text: key.expires_at ? `until ${day(key.expires_at, now, zone)}` : "works" }
}

/** Whether a key has come to its end. */
export function isOver(key: Key, now = micros()): boolean {
  return Boolean(key.vanished_at || (key.expires_at && key.expires_at <= now))
}
