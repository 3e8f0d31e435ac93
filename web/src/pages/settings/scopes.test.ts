// @vitest-environment node
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { NOUNS, READ_ONLY, scopesOf, scopeWords } from "./scopes"

const table = readFileSync(new URL("../../../../docs/access.md", import.meta.url), "utf8")
const rows = [...table.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \|(.*)\|$/gm)]
const names = rows.map(([, name]) => name ?? "")

it("names what there is, and no more", () => {
  for (const { look, work = [] } of NOUNS) {
    for (const scope of [...look, ...work]) {
      const found = scope.endsWith("*")
        ? names.some((name) => name.startsWith(scope.slice(0, -1)))
        : names.includes(scope)
      expect(found, scope).toBe(true)
    }
  }
})

it("looks with nothing that changes anything", () => {
  for (const scope of READ_ONLY) expect(scope).toMatch(/\.(read|list|\*)$/)
  const usage = names.filter((name) => name.startsWith("usage."))
  expect(usage).toEqual(["usage.read", "usage.export"])
})

it("says what a token may", () => {
  expect(scopeWords(["*"])).toBe("All that you may")
  expect(scopeWords(READ_ONLY)).toBe("Looks at everything, changes nothing")
  const chosen = scopesOf(["work", "look", "none", "none", "none", "none"])
  expect(scopeWords(chosen)).toBe("Buckets; Keys, looking only")
  expect(scopeWords(["bucket.read", "region.read", "cluster.health"])).toBe(
    "Buckets, looking only; cluster.health",
  )
})
