import { cleanup, fireEvent, render, screen } from "@testing-library/svelte"
import { createRawSnippet } from "svelte"
import { describe, expect, it, vi } from "vitest"
import { Change } from "../state/change.svelte"
import Confirm from "./Confirm.svelte"

const children = createRawSnippet(() => ({ render: () => "<p>11 objects are deleted for good.</p>" }))

function shown(word?: string) {
  const onconfirm = vi.fn()
  const onclose = vi.fn()
  const props = { title: "Delete media?", act: "Delete bucket", keep: "Keep it", change: new Change() }
  render(Confirm, { ...props, ...(word ? { word } : {}), onconfirm, onclose, children })
  const act = screen.getByRole<HTMLButtonElement>("button", { name: "Delete bucket" })
  return { onconfirm, onclose, act }
}

describe("what loses data", () => {
  it("is not done before the name was typed", async () => {
    const { act, onconfirm } = shown("media")
    expect(act.disabled).toBe(true)
    await fireEvent.input(screen.getByLabelText("Type media to go on"), { target: { value: "medi" } })
    expect(act.disabled).toBe(true)
    await fireEvent.input(screen.getByLabelText("Type media to go on"), { target: { value: "media" } })
    expect(act.disabled).toBe(false)
    await fireEvent.click(act)
    expect(onconfirm).toHaveBeenCalledOnce()
  })

  it("gives the focus back", async () => {
    const opener = document.body.appendChild(document.createElement("button"))
    opener.focus()
    shown("media")
    cleanup()
    await Promise.resolve()
    expect(document.activeElement).toBe(opener)
    opener.remove()
  })

  it("begins at the safe button", async () => {
    const { onclose, onconfirm } = shown("media")
    const keep = screen.getByRole("button", { name: "Keep it" })
    expect(document.activeElement).toBe(keep)
    await fireEvent.click(keep)
    expect(onclose).toHaveBeenCalledOnce()
    expect(onconfirm).not.toHaveBeenCalled()
  })
})
