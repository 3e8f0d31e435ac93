// @vitest-environment node
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build, type Rollup } from "vite"
import { beforeAll, describe, expect, it } from "vitest"

const ENTRY_LIMIT_BYTES = 60_000
const root = fileURLToPath(new URL("..", import.meta.url))

/** What a script brings with it, before a page is chosen. */
function statically(
  chunks: Map<string, Rollup.OutputChunk>,
  name: string,
  seen = new Set<string>(),
): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const imported of chunks.get(name)?.imports ?? []) statically(chunks, imported, seen)
  return seen
}

describe("the build", () => {
  let files: Rollup.RollupOutput["output"]

  beforeAll(async () => {
    const made = await build({ root, logLevel: "error", build: { write: false } })
    if (!("output" in made)) throw new Error("the build made no files")
    files = made.output
  }, 60_000)

  it("has a small entry", () => {
    const chunks = new Map(files.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file]] : [])))
    const entry = [...chunks.values()].find((chunk) => chunk.isEntry)
    const names = [...statically(chunks, entry?.fileName ?? "")]
    const size = names.reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? "").length, 0)
    expect(size).toBeGreaterThan(1000)
    expect(size).toBeLessThan(ENTRY_LIMIT_BYTES)
  })

  it("has nothing that the page's policy forbids", () => {
    const page = files.find((file) => file.fileName === "index.html")
    const html = page?.type === "asset" ? String(page.source) : ""
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=|data:/)
    for (const file of files) {
      const text = file.type === "chunk" ? file.code : String(file.source)
      expect(text, file.fileName).not.toMatch(/\bnew Function\b|\beval\(/)
      if (file.fileName.endsWith(".css")) expect(text, file.fileName).not.toMatch(/url\(|@import/)
    }
  })
})

it("keeps the lock file free of addresses", () => {
  const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")
  expect(lock).not.toContain('"resolved": "http')
})
