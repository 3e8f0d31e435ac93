// @vitest-environment node
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { ChainCheck } from "./chain_check"
import type { Envelope } from "./envelope"
import { Chain, openReceipt } from "./receipt"
import { openTrust } from "./trust"

interface Vector {
  root_key: string
  root_key_digest: string
  trust: Envelope
  statement: Envelope
  receipts: Envelope[]
  head: string
}

// The same file that the Rust side is tested with.
const file = new URL("../../../crates/protocol/vectors/receipts.json", import.meta.url)
const vector = JSON.parse(readFileSync(file, "utf8")) as Vector
const bundle = { root_key: vector.root_key, trust: vector.trust, agents: [vector.statement] }
const agents = () => openTrust(bundle, vector.root_key_digest)

async function opened() {
  const keys = await agents()
  return Promise.all(vector.receipts.map((envelope) => openReceipt(envelope, keys)))
}

describe("trust", () => {
  it("goes from the root key to the agents", async () => {
    expect(await agents()).toHaveLength(1)
  })

  it("does not begin at another root key", async () => {
    await expect(openTrust(bundle, "0".repeat(64))).rejects.toThrow("another root key")
  })

  it("does not hold when a document is another one's", async () => {
    const swapped = { ...bundle, trust: { ...vector.trust, payload: vector.statement.payload } }
    await expect(openTrust(swapped, vector.root_key_digest)).rejects.toThrow("No key that is trusted")
    const kind = { ...bundle, trust: vector.statement }
    await expect(openTrust(kind, vector.root_key_digest)).rejects.toThrow("It is no trust")
  })
})

describe("a chain of receipts", () => {
  it("is whole, and ends where the Rust side says", async () => {
    const chain = new Chain()
    for (const receipt of await opened()) chain.take(receipt)
    expect(chain.sequence).toBe(vector.receipts.length)
    expect(chain.head).toBe(vector.head)
  })

  it("shows a gap and a changed order", async () => {
    const [first, second, third] = await opened()
    if (!first || !second || !third) throw new Error("the vector has three receipts")
    const gap = new Chain()
    gap.take(first)
    expect(() => gap.take(third)).toThrow("Receipt 2 is missing")
    const broken = new Chain()
    broken.take(first)
    const other = { ...second, receipt: { ...second.receipt, account_previous: "0".repeat(64) } }
    expect(() => broken.take(other)).toThrow("does not follow")
  })

  it("shows a changed byte", async () => {
    const [first] = vector.receipts
    if (!first) throw new Error("the vector has receipts")
    const payload = btoa(atob(first.payload).replace(/\d/, "9"))
    await expect(openReceipt({ ...first, payload }, await agents())).rejects.toThrow("No key that is trusted")
  })
})

describe("a receipt is the word of the agent that it names", () => {
  it("is refused when another agent signed it", async () => {
    const [key] = await agents()
    const [first] = vector.receipts
    if (!key || !first) throw new Error("the vector has an agent and receipts")
    const theirs = btoa("k".repeat(32))
    const swapped = [
      { ...key, receiptKey: theirs },
      { ...key, agent: "another" },
    ]
    await expect(openReceipt(first, swapped)).rejects.toThrow("Another agent signed it")
  })

  it("is refused in another agent's chain, which it would hide", async () => {
    const [key] = await agents()
    if (!key) throw new Error("the vector has an agent")
    const check = new ChainCheck({ ...key, agent: "another" })
    await expect(check.take(vector.receipts)).rejects.toThrow("nothing is known of")
  })
})

describe("a check that goes on where another one ended", () => {
  it("takes what is new, if the last known receipt is unchanged", async () => {
    const [key] = await agents()
    const first = new ChainCheck(key)
    const before = await first.take(vector.receipts.slice(0, 2))
    first.end()
    expect(before.count).toBe(2)
    const next = new ChainCheck(key, before.head)
    const after = await next.take(vector.receipts.slice(1))
    next.end()
    expect(after.count).toBe(vector.receipts.length - 2)
    expect(after.head).toEqual({ sequence: vector.receipts.length, identity: vector.head })
  })

  it("sees that what it knew was changed, or is gone", async () => {
    const [key] = await agents()
    const known = { sequence: 2, identity: "0".repeat(64) }
    await expect(new ChainCheck(key, known).take(vector.receipts.slice(1))).rejects.toThrow("another one")
    const empty = new ChainCheck(key, known)
    await empty.take([])
    expect(() => empty.end()).toThrow("is gone")
  })
})
