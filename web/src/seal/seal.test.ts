// @vitest-environment node
import { readFileSync } from "node:fs"
import { vectorPair } from "./vector_key"
import { describe, expect, it } from "vitest"
import { fromBase64, toHex } from "./encoding"
import { oneTimeKey, open, sealedDigest, sealInfo } from "./seal"

// The same file that the Rust side is tested with.
const file = new URL("../../../crates/protocol/vectors/sealed.json", import.meta.url)
const vector = JSON.parse(readFileSync(file, "utf8"))
const context = { ...vector, key: vector.sealed.key }

describe("a sealed secret", () => {
  it("is bound to its place as the Rust side writes it", () => {
    expect(toHex(sealInfo(context))).toBe(vector.info)
  })

  it("opens", async () => {
    expect(await open(vector.sealed, await vectorPair(vector), context)).toBe(vector.secret)
  })

  it("has the digest that the receipt carries", async () => {
    expect(await sealedDigest(vector.sealed)).toBe(vector.digest)
  })

  it.each(["operation", "account", "region", "agent"])("does not open with another %s", async (part) => {
    const elsewhere = { ...context, [part]: "019aa000-0000-7000-8000-0000000000ff" }
    await expect(open(vector.sealed, await vectorPair(vector), elsewhere)).rejects.toThrow()
  })

  it("does not open for another key id, another pair, or with changed bytes", async () => {
    const pair = await vectorPair(vector)
    const other = { ...context, key: "GK000000000000000000000000" }
    await expect(open(vector.sealed, pair, other)).rejects.toThrow("another key's")
    const { pair: stranger } = await oneTimeKey()
    await expect(open(vector.sealed, stranger, context)).rejects.toThrow()
    const bytes = fromBase64(vector.sealed.ciphertext)
    bytes[0] = (bytes[0] ?? 0) ^ 1
    const changed = { ...vector.sealed, ciphertext: btoa(String.fromCharCode(...bytes)) }
    await expect(open(changed, pair, context)).rejects.toThrow()
  })
})

describe("a one-time key", () => {
  it("has 32 public bytes and a private half that cannot be taken out", async () => {
    const { sealTo, pair } = await oneTimeKey()
    expect(fromBase64(sealTo)).toHaveLength(32)
    expect(pair.privateKey.extractable).toBe(false)
  })
})
