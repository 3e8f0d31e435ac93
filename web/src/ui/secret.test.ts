import { fireEvent, render, screen } from "@testing-library/svelte"
import { expect, it, vi } from "vitest"
import Secret from "./Secret.svelte"

it("shows a secret with its id, and copies the whole of it", async () => {
  const writeText = vi.fn().mockResolvedValue(undefined)
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true })
  render(Secret, { id: "GK31c2f2186be04d7d8a5290bf", secret: "5ec4e7cafe", can: "Read", saved: false })
  await fireEvent.click(screen.getByRole("button", { name: "Copy secret" }))
  expect(writeText).toHaveBeenCalledWith("5ec4e7cafe")
  await fireEvent.click(screen.getByRole("button", { name: "Copy key id" }))
  expect(writeText).toHaveBeenLastCalledWith("GK31c2f2186be04d7d8a5290bf")
})

it("keeps the secret out of the address, the title and what the browser stores", () => {
  render(Secret, { id: "GK31c2f2186be04d7d8a5290bf", secret: "5ec4e7cafe", can: "Read", saved: false })
  const kept = [
    location.href,
    document.title,
    JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }),
  ]
  for (const place of kept) expect(place).not.toContain("5ec4e7cafe")
})
