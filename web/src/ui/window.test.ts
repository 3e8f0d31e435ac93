import { expect, it } from "vitest"
import { windowOf } from "./window"

it("draws what is on the screen and a little more", () => {
  expect(windowOf(10_000, 44, 200, 900)).toEqual({ from: 0, to: 28 })
  expect(windowOf(10_000, 44, -44_000, 880)).toEqual({ from: 988, to: 1032 })
  expect(windowOf(5, 44, 200, 900)).toEqual({ from: 0, to: 5 })
  expect(windowOf(100, 44, -100_000, 900)).toEqual({ from: 100, to: 100 })
  expect(windowOf(0, 44, 0, 900)).toEqual({ from: 0, to: 0 })
})
