import { expect, it } from "vitest"
import { nearest, roundTicks } from "./scale"

it.each([
  [0, 1.94e12, [0, 1e12, 2e12]],
  [0, 320_000, [0, 200_000, 400_000]],
  [0, 20, [0, 10, 20]],
  [0, 0, [0, 1]],
])("puts round ticks from %d to %d", (low, high, ticks) => expect(roundTicks(low, high)).toEqual(ticks))

it("zooms on what is far from zero", () => {
  const ticks = roundTicks(4.2e12, 4.9e12)
  expect(ticks[0]).toBeLessThanOrEqual(4.2e12)
  expect(ticks.at(-1)).toBeGreaterThanOrEqual(4.9e12)
  expect(ticks.length).toBeLessThanOrEqual(5)
})

it("finds the point next to the pointer", () => {
  expect(nearest([0, 10, 20], 14)).toBe(1)
  expect(nearest([0, 10, 20], 99)).toBe(2)
})
