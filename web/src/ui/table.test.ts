import { fireEvent, render, screen, within } from "@testing-library/svelte"
import { createRawSnippet } from "svelte"
import { describe, expect, it, vi } from "vitest"
import Table from "./Table.svelte"

interface Row {
  id: string
}

const columns = [
  { id: "name", title: "Name", sortable: true },
  { id: "acts", title: "" },
]
const cells = createRawSnippet<[Row]>((row) => ({
  render: () => `<td><a class="key" href="/buckets/${row().id}">${row().id}</a></td>`,
}))
const rows = (many: number): Row[] => Array.from({ length: many }, (_, at) => ({ id: `bucket-${at}` }))

function shown(many: number) {
  const onsort = vi.fn()
  const order = { column: "name", down: false }
  render(Table, { caption: "Buckets", columns, rows: rows(many), order, onsort, cells } as never)
  return { onsort, table: screen.getByRole("table", { name: "Buckets" }) }
}

describe("a table", () => {
  it("says by what it is sorted, and asks for another order", async () => {
    const { onsort, table } = shown(3)
    expect(within(table).getByRole("columnheader", { name: /Name/ }).getAttribute("aria-sort")).toBe(
      "ascending",
    )
    await fireEvent.click(within(table).getByRole("button", { name: /Name/ }))
    expect(onsort).toHaveBeenCalledWith("name")
  })

  it("moves from name to name with the arrows", async () => {
    shown(3)
    const [first, second] = screen.getAllByRole("link")
    first?.focus()
    await fireEvent.keyDown(first as HTMLElement, { key: "ArrowDown" })
    expect(document.activeElement).toBe(second)
    await fireEvent.keyDown(second as HTMLElement, { key: "ArrowUp" })
    expect(document.activeElement).toBe(first)
  })

  it("draws few of many rows, and says how many there are", () => {
    const { table } = shown(10_000)
    expect(screen.getAllByRole("link").length).toBeLessThan(100)
    expect(table.getAttribute("aria-rowcount")).toBe("10001")
  })
})
