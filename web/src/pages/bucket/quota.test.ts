import { render } from "@testing-library/svelte"
import { expect, test } from "vitest"
import type { Bucket } from "../../api/types"
import Quota from "./Quota.svelte"

const bucket = (bytes: number, quota_bytes: number) =>
  ({ id: "a".repeat(64), region: "local", aliases: ["photos"], name: "photos", bytes, quota_bytes }) as Bucket

test("what is typed outlasts a bucket that is read again, not a quota that somebody else set", async () => {
  const { getByLabelText, rerender } = render(Quota, { bucket: bucket(1, 20_000_000_000) })
  const field = getByLabelText("Most it may hold") as HTMLInputElement
  field.value = "30 GB"
  field.dispatchEvent(new Event("input", { bubbles: true }))
  await rerender({ bucket: bucket(2, 20_000_000_000) })
  expect(field.value).toBe("30 GB")
  await rerender({ bucket: bucket(2, 40_000_000_000) })
  expect(field.value).toBe("40.0 GB")
})
