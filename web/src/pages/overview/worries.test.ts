import { expect, it } from "vitest"
import type { Bucket, Key } from "../../api/types"
import { type Sight, worries } from "./worries"

const NOW = Date.parse("2026-11-24T14:32:00Z") * 1000
const DAY = 86_400_000_000

const bucket = (more: Partial<Bucket>): Bucket => ({
  id: "b1",
  name: "media",
  region: "fsn",
  aliases: ["media"],
  created_at: 0,
  website: false,
  drift: false,
  ...more,
})

const key = (more: Partial<Key>): Key => ({
  id: "GK31c2f2186be04d7d8a5290bf",
  label: "ci-deploy",
  region: "fsn",
  created_at: 0,
  acknowledged: true,
  suspended: false,
  temporary: false,
  create_buckets: false,
  grants: [],
  ...more,
})

const sight = (more: Partial<Sight>): Sight => ({
  account: undefined,
  buckets: [],
  keys: [],
  regions: [],
  now: NOW,
  zone: "UTC",
  ...more,
})

it("is quiet when nothing is wrong", () => {
  const quiet = sight({
    buckets: [bucket({ bytes: 5, quota_bytes: 100 })],
    keys: [key({ expires_at: NOW + 90 * DAY })],
  })
  expect(worries(quiet)).toEqual([])
})

it("says which keys end soon, and leaves out those that ended", () => {
  const keys = [key({ expires_at: NOW + 3 * DAY }), key({ id: "GKold", expires_at: NOW - DAY })]
  expect(worries(sight({ keys })).map(({ title }) => title)).toEqual(["Key ci-deploy ends in 3 days"])
})

it("puts problems before what needs attention", () => {
  const full = bucket({ id: "b2", name: "web-static", bytes: 100, quota_bytes: 100 })
  const found = worries(sight({ buckets: [bucket({ drift: true }), full] }))
  expect(found.map(({ title }) => title)).toEqual([
    "web-static is full",
    "media has other settings than were asked for here",
  ])
})
