import { expect, it } from "vitest"
import type { Bucket, Key } from "../../api/types"
import { findAll, type Sources } from "./finds"

const bucket = (name: string): Bucket => ({
  id: `id-${name}`,
  name,
  region: "fsn",
  aliases: [name],
  bytes: 1_940_000_000_000,
  created_at: 0,
  website: false,
  drift: false,
})
const key = { id: "GK31c2f2186be04d7d8a5290bf", label: "media-writer", grants: [] } as unknown as Key
const region = {
  name: "fsn",
  s3_endpoint: "https://s3.fsn.example",
  s3_region: "fsn",
  epoch: 1,
  connected: true,
}

const sources: Sources = {
  buckets: [bucket("old-media"), bucket("media-originals"), bucket("logs")],
  keys: [key],
  members: [],
  regions: [region],
  mayChange: true,
}

it("finds buckets and keys, those that begin so first, and acts on the best", () => {
  const groups = findAll("Media", sources)
  expect(groups.map(({ title }) => title)).toEqual(["Buckets", "Keys", "Do"])
  expect(groups[0]?.finds.map(({ text }) => text)).toEqual(["media-originals", "old-media"])
  expect(groups[0]?.finds[0]?.note).toBe("1.94 TB, fsn")
  expect(groups[2]?.finds[0]?.text).toBe("New key for media-originals")
})

it("finds a key by its id", () => {
  expect(findAll("gk31c2", sources)[0]?.finds[0]?.text).toBe("media-writer")
})

it("offers pages and acts before anything is typed", () => {
  expect(findAll("", sources).map(({ title }) => title)).toEqual(["Pages", "Do"])
})

it("offers nothing that one may not do", () => {
  const texts = findAll("", { ...sources, mayChange: false }).flatMap(({ finds }) =>
    finds.map(({ text }) => text),
  )
  expect(texts).not.toContain("New bucket")
  expect(texts).toContain("Copy the endpoint of fsn")
})

it("finds nothing in nothing", () => {
  expect(findAll("zzz", sources)).toEqual([])
})
