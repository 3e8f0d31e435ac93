import type { Bucket, Key, Member, Region } from "../../api/types"
import { bytesText } from "../../format/bytes"
import { several } from "../../format/count"
import { shortKey } from "../../format/ids"
import { nameOf } from "../../pages/buckets/words"
import type { IconName } from "../../ui/icons"
import { SECTIONS } from "../sections"

/** Something to go to or to do. */
export interface Find {
  id: string
  icon: IconName
  text: string
  /** What tells it apart, at the right. */
  note?: string
  href?: string
  copy?: string
}

export interface Group {
  title: string
  finds: Find[]
}

export interface Sources {
  buckets: Bucket[]
  keys: Key[]
  members: Member[]
  regions: Region[]
  mayChange: boolean
}

const EACH = 5

/** What fits the words, in groups; below it, what can be done with the best. */
export function findAll(words: string, sources: Sources): Group[] {
  const wanted = words.trim().toLowerCase()
  const buckets = best(sources.buckets, nameOf, wanted)
  const keys = best(sources.keys, ({ label, id }) => `${label} ${id}`, wanted)
  const members = wanted ? best(sources.members, ({ email }) => email, wanted) : []
  const pages = best(SECTIONS, ({ text }) => text, wanted)
  const groups: Group[] = [
    { title: "Buckets", finds: wanted ? buckets.map(bucketFind) : [] },
    { title: "Keys", finds: wanted ? keys.map(keyFind) : [] },
    {
      title: "People",
      finds: members.map(({ user, email }) => ({ id: user, icon: "menu", text: email, href: "/people" })),
    },
    { title: "Pages", finds: pages.map(({ id, text, icon, href }) => ({ id, icon, text, href })) },
    { title: "Do", finds: acts(wanted, wanted ? buckets[0] : undefined, sources) },
  ]
  return groups.filter(({ finds }) => finds.length)
}

/** The first few that have the words, those that begin with them first. */
export function best<T>(items: T[], text: (item: T) => string, words: string): T[] {
  const fitting = items.filter((item) => text(item).toLowerCase().includes(words))
  const begins = (item: T) => Number(!text(item).toLowerCase().startsWith(words))
  return fitting.toSorted((a, b) => begins(a) - begins(b)).slice(0, words ? EACH : fitting.length)
}

function bucketFind(bucket: Bucket): Find {
  const size = typeof bucket.bytes === "number" ? `${bytesText(bucket.bytes)}, ` : ""
  const note = `${size}${bucket.region}`
  return { id: bucket.id, icon: "bucket", text: nameOf(bucket), note, href: `/buckets/${bucket.id}` }
}

function keyFind(key: Key): Find {
  const note = `${shortKey(key.id)}, ${several(key.grants.length, "bucket")}`
  return { id: key.id, icon: "key", text: key.label, note, href: `/keys?q=${key.id}` }
}

function acts(words: string, bucket: Bucket | undefined, { mayChange, regions }: Sources): Find[] {
  const all: Find[] = []
  if (mayChange && bucket) {
    const name = nameOf(bucket)
    all.push({ id: "key-for", icon: "key", text: `New key for ${name}`, href: `/keys?new=${bucket.id}` })
    all.push({
      id: "rules-of",
      icon: "bucket",
      text: `Rules of ${name}`,
      href: `/buckets/${bucket.id}/rules`,
    })
  }
  if (mayChange) {
    all.push({ id: "new-bucket", icon: "plus", text: "New bucket", href: "/buckets?new=1" })
    all.push({ id: "new-key", icon: "plus", text: "New key", href: "/keys?new=1" })
  }
  const region = bucket ? regions.filter(({ name }) => name === bucket.region) : regions
  for (const { name, s3_endpoint } of region) {
    all.push({
      id: `endpoint-${name}`,
      icon: "copy",
      text: `Copy the endpoint of ${name}`,
      copy: s3_endpoint,
    })
  }
  // What is done with the best match stays, whatever its name is.
  return all
    .filter(({ text }) => !words || bucket !== undefined || text.toLowerCase().includes(words))
    .slice(0, EACH)
}
