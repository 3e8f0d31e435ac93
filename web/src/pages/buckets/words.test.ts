import { describe, expect, it } from "vitest"
import type { Bucket } from "../../api/types"
import { nameOf, nameTrouble, summary, usedPercent } from "./words"

const bucket = (more: Partial<Bucket>): Bucket => ({
  id: "8f2c41d0aaaaaaaa",
  region: "fsn",
  aliases: [],
  created_at: 0,
  website: false,
  drift: false,
  ...more,
})

describe("a list of buckets in a sentence", () => {
  it("agrees in number", () => {
    expect(summary([])).toBe("0 buckets hold 0 B.")
    expect(summary([bucket({ bytes: 5 })])).toBe("1 bucket holds 5 B.")
  })

  it("says which are near their quota", () => {
    const near = bucket({ bytes: 93, quota_bytes: 100 })
    expect(summary([near, bucket({ bytes: 7 })])).toBe("2 buckets hold 100 B. One is near its quota.")
    expect(summary([near, near])).toContain("Two are near their quota.")
  })
})

it("fills to the nearer of both quotas, unfinished uploads included", () => {
  expect(usedPercent(bucket({ bytes: 10 }))).toBeUndefined()
  expect(usedPercent(bucket({ bytes: 50, unfinished_bytes: 30, quota_bytes: 100 }))).toBe(80)
  expect(usedPercent(bucket({ bytes: 10, quota_bytes: 100, objects: 95, quota_objects: 100 }))).toBe(95)
})

it("calls a bucket something", () => {
  expect(nameOf(bucket({ name: "media" }))).toBe("media")
  expect(nameOf(bucket({ aliases: ["other"] }))).toBe("other")
  expect(nameOf(bucket({}))).toBe("unnamed 8f2c41d0…")
})

it.each([
  ["media-originals", undefined],
  ["ab", "Too short: 3 to 63 characters."],
  ["Media_Originals", "Only small letters, digits, dots and hyphens. Try media-originals."],
  ["x".repeat(64), "Too long: 64 characters, 63 at most."],
  [
    "xn--photos",
    "Only small letters, digits, dots and hyphens, beginning and ending with a letter or digit.",
  ],
])("judges the name %s", (name, words) => expect(nameTrouble(name)).toBe(words))
