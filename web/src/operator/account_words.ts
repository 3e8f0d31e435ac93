import type { Account } from "../api/types"
import { percent } from "../format/count"
import { day, type Zone } from "../format/time"
import { type Mood, moodOf } from "../marks/mood"

/** How an account stands, in few words. */
export function accountState(account: Account, now: number, zone: Zone): { mood: Mood; text: string } {
  switch (account.state) {
    case "active":
      return { mood: "ok", text: "active" }
    case "suspended":
      return { mood: "att", text: "suspended" }
    case "closing":
      return {
        mood: "att",
        text: account.clears_at ? `closing, cleared ${day(account.clears_at, now, zone)}` : "closing",
      }
    case "closed":
      return { mood: "unk", text: "closed" }
  }
}

/** How much of its storage limit an account uses, in per cent; nothing without a limit. */
export function usedOf(account: Account): number | undefined {
  const most = account.limits.storage_bytes
  return most ? percent(account.used_bytes, most) : undefined
}

/** How that is. */
export function usedMood(account: Account): Mood {
  const used = usedOf(account)
  return used === undefined ? "ok" : moodOf(used)
}
