import { describe as group, expect, it } from "vitest"
import type { Operation } from "../api/types"
import { describe, resultOf, type Words } from "./words"

const names = {
  bucket: (id: string) => (id === "b1" ? "media" : undefined),
  key: (id: string) => (id.startsWith("GK31") ? "render-farm" : undefined),
}

const operation = (more: Partial<Operation>): Operation => ({
  id: "019aa000-0000-7000-8000-000000000004",
  state: "done",
  command: "agent.ping",
  actor: { account: "a", user: "u", operator: false, via: "web" },
  region: "helsinki",
  attempt: 1,
  requested_at: 1_000_000,
  ...more,
})

const said = (words: Words) => words.map((word) => (typeof word === "string" ? word : word.name)).join("")

group("an operation in words", () => {
  it.each([
    ["bucket.create", { bucket: "media" }, "Bucket media created"],
    ["bucket.set_quota", { bucket: "b1", quota_bytes: 20e9 }, "Quota of media set to 20.0 GB"],
    ["bucket.set_quota", { bucket: "b1", quota_bytes: null }, "Quota of media lifted"],
    [
      "key.set_grant",
      { key: "GK31c2", grant: { bucket: "b1", read: true, write: true } },
      "Key render-farm may now write to media",
    ],
    ["key.set_grant", { key: "GK31c2", grant: { bucket: "b1" } }, "Key render-farm no longer opens media"],
    ["key.create", { label: "ci", grants: [{}, {}] }, "Key ci created for 2 buckets"],
    ["bucket.delete", { bucket: "8f2c41d0ffff" }, "Bucket 8f2c41d0… deleted"],
    ["something.new", { bucket: "b1" }, "something.new"],
    ["agent.ping", {}, "Sign of life asked for"],
  ])("%s", (command, parameters, words) => {
    expect(said(describe(operation({ command, parameters: parameters as never }), names))).toBe(words)
  })
})

group("what came of it", () => {
  it("is told with how long it took", () => {
    expect(resultOf(operation({ finished_at: 1_200_000 }))).toEqual({ mood: "ok", text: "Done in 0.2 s" })
  })

  it("says why not", () => {
    const outcome = { failed: { code: "bucket_not_empty", message: "The bucket is not empty." } }
    expect(resultOf(operation({ state: "failed", outcome: outcome as never })).mood).toBe("prob")
    expect(resultOf(operation({ state: "expired" })).text).toContain("helsinki was away")
    expect(resultOf(operation({ state: "sent" })).mood).toBe("run")
  })
})
