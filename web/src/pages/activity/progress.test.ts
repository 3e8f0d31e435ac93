import { expect, it } from "vitest"
import { progressWords } from "./progress"

it("says how far a job is, how fast, and how long still", () => {
  const progress = { at: 101_000_000, objects: 1000, bytes: 2_500_000, total_objects: 4000 }
  expect(progressWords(progress, 1_000_000)).toBe(
    "1,000 of 4,000 objects, 2.50 MB. 10 objects a second, about 5 min left. It continues if you leave.",
  )
})

it("guesses nothing that is not known", () => {
  const words = progressWords({ at: 11_000_000, objects: 50, bytes: 0 }, 1_000_000)
  expect(words).toBe("50 objects, 0 B. 5 objects a second. It continues if you leave.")
})
