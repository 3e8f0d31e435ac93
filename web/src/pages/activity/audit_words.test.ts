// @vitest-environment node
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { actWords, KINDS, resultWords } from "./audit_words"

const table = readFileSync(new URL("../../../../docs/access.md", import.meta.url), "utf8")
const names = [...table.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \|/gm)].map(([, name]) => name ?? "")

it("has words for everything that anybody may do", () => {
  expect(names.length).toBeGreaterThan(80)
  for (const name of names) expect(actWords(name), name).not.toBe(name)
})

it("filters by what there is", () => {
  for (const { value } of KINDS.slice(1)) {
    expect(
      names.some((name) => name.startsWith(value.slice(0, -1))),
      value,
    ).toBe(true)
  }
})

it("says what came of it", () => {
  expect(actWords("bucket.read")).toBe("Look at buckets")
  expect(resultWords("done")).toBe("Done")
  expect(resultWords("last_owner")).toBe("Not done: last owner")
})
