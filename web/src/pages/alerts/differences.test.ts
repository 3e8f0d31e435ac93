import { expect, it } from "vitest"
import type { BucketSettings } from "../../api/types"
import { differences } from "./differences"

const none = { cors: [], lifecycle: [], grants: [] }

it("says what was asked for and what was found", () => {
  const right = { key: "GKaaaaaaaaaaaaaaaaaaaaaaaa", read: true, write: true, owner: false }
  const settings: BucketSettings = {
    wanted: { ...none, quota_bytes: 20_000_000_000, grants: [right] },
    found: { ...none, quota_bytes: 5_000_000_000, quota_objects: 9, grants: [{ ...right, write: false }] },
    drift: ["quota", "grants", "website"],
    other_rules: false,
    foreign_keys: 0,
  }
  expect(differences(settings)).toEqual([
    { what: "Quota", wanted: "20.0 GB", found: "5.00 GB, 9 objects" },
    { what: "Key GKaaaa…aaaa", wanted: "reads, writes", found: "reads" },
    { what: "Website", wanted: "off", found: "off" },
  ])
})

it("names a key that nobody gave a right", () => {
  const right = { key: "GKbbbbbbbbbbbbbbbbbbbbbbbb", read: true, write: false, owner: true }
  const settings: BucketSettings = {
    wanted: none,
    found: { ...none, grants: [right] },
    drift: ["grants"],
    other_rules: false,
    foreign_keys: 1,
  }
  expect(differences(settings)).toEqual([
    { what: "Key GKbbbb…bbbb", wanted: "may nothing", found: "reads, changes the bucket" },
  ])
})
