import type { Account, Bucket, Key, Region } from "../../api/types"
import { bytesText } from "../../format/bytes"
import { percent, several } from "../../format/count"
import { day, duration, type Zone } from "../../format/time"
import { ATTENTION, type Mood, PROBLEM } from "../../marks/mood"
import { nameOf, usedPercent } from "../buckets/words"
import { isOver } from "../keys/words"

/** Something that needs someone, and the first act. */
export interface Worry {
  id: string
  mood: Mood
  title: string
  text: string
  act: { href: string; text: string }
}

export interface Sight {
  account: Account | undefined
  buckets: Bucket[]
  keys: Key[]
  regions: Region[]
  now: number
  zone: Zone
}

const SOON_MICROS = 7 * 86_400_000_000
const MUCH_BYTES = 1_000_000_000

/** All that is worth a look, the worst first. */
export function worries(sight: Sight): Worry[] {
  const all = [...ofRegions(sight), ...ofLimits(sight), ...ofBuckets(sight), ...ofKeys(sight)]
  return all.toSorted((a, b) => Number(b.mood === "prob") - Number(a.mood === "prob"))
}

function ofRegions({ regions }: Sight): Worry[] {
  const away = regions.filter(({ connected }) => !connected)
  return away.map(({ name }) => ({
    id: `region-${name}`,
    mood: "att",
    title: `${name}'s agent is away. Buckets there keep serving.`,
    text: "What you change there waits up to 10 minutes, and you can cancel it until then.",
    act: { href: "/activity", text: "Show what waits" },
  }))
}

function ofLimits({ account }: Sight): Worry[] {
  const most = account?.limits.storage_bytes
  if (!account || !most) return []
  const used = percent(account.used_bytes, most)
  if (used < ATTENTION) return []
  return [
    {
      id: "storage",
      mood: used >= PROBLEM ? "prob" : "att",
      title: `The account has ${bytesText(Math.max(0, most - account.used_bytes))} left`,
      text: `${used} % of ${bytesText(most)} is used. Programs are refused when it is full. Ask the operator for more, or make room.`,
      act: { href: "/buckets?sort=-stored", text: "Show the largest" },
    },
  ]
}

function ofBuckets({ buckets }: Sight): Worry[] {
  return buckets.flatMap((bucket): Worry[] => {
    const name = nameOf(bucket)
    const used = usedPercent(bucket) ?? 0
    const href = `/buckets/${bucket.id}`
    const found: Worry[] = []
    if (used >= ATTENTION) {
      found.push({
        id: `quota-${bucket.id}`,
        mood: used >= PROBLEM ? "prob" : "att",
        title: used >= 100 ? `${name} is full` : `${name} is ${used} % full`,
        text: "Programs are refused beyond its quota. Give it more, or make room.",
        act: { href: `${href}/settings`, text: "Change the quota" },
      })
    }
    if (bucket.drift) {
      found.push({
        id: `drift-${bucket.id}`,
        mood: "att",
        title: `${name} has other settings than were asked for here`,
        text: "Somebody changed them past this page. Nothing was set back by itself.",
        act: { href, text: "Look at it" },
      })
    }
    if ((bucket.unfinished_bytes ?? 0) >= MUCH_BYTES) {
      found.push({
        id: `unfinished-${bucket.id}`,
        mood: "att",
        title: `Unfinished uploads hold ${bytesText(bucket.unfinished_bytes ?? 0)} in ${name}`,
        text: "They count towards its quota.",
        act: { href: `${href}/uploads`, text: "Review uploads" },
      })
    }
    return found
  })
}

function ofKeys({ keys, now, zone }: Sight): Worry[] {
  return keys.flatMap((key): Worry[] => {
    if (isOver(key, now) || key.temporary) return []
    const href = `/keys?q=${key.id}`
    if (key.expires_at && !key.suspended && key.expires_at - now < SOON_MICROS) {
      return [
        {
          id: `ends-${key.id}`,
          mood: "att",
          title: `Key ${key.label} ends in ${duration(key.expires_at - now)}`,
          text: `After ${day(key.expires_at, now, zone)}, programs with it are refused. It opens ${several(key.grants.length, "bucket")}.`,
          act: { href, text: "Show the key" },
        },
      ]
    }
    if (!key.acknowledged) {
      return [
        {
          id: `taken-${key.id}`,
          mood: "att",
          title: `Nobody took the secret of key ${key.label}`,
          text: "It is of no use to anyone. Replace it, or delete it.",
          act: { href, text: "Show the key" },
        },
      ]
    }
    return []
  })
}
