import { expect, it } from "vitest"
import { orderText, parseOrder, sorted } from "./sorting"

const first = { column: "name", down: false }

it("reads what it writes", () => {
  const order = { column: "stored", down: true }
  expect(parseOrder(orderText(order), ["name", "stored"], first)).toEqual(order)
  expect(parseOrder("-colour", ["name"], first)).toBe(first)
  expect(parseOrder(null, ["name"], first)).toBe(first)
})

it("puts the unknown last either way", () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }]
  expect(sorted(rows, (row) => row.n, false).map((row) => row.n)).toEqual([2, 10, null])
  expect(sorted(rows, (row) => row.n, true).map((row) => row.n)).toEqual([10, 2, null])
})

it("sorts names as a person does", () => {
  expect(sorted(["b-10", "b-9", "a"], (name) => name, false)).toEqual(["a", "b-9", "b-10"])
})
