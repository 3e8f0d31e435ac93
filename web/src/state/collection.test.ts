import { expect, it, vi } from "vitest"
import { Collection } from "./collection.svelte"

interface Thing {
  id: string
  size: number
}

async function three(): Promise<Collection<Thing>> {
  const list = new Collection<Thing>(() =>
    Promise.resolve({ items: ["a", "b", "c"].map((id) => ({ id, size: 0 })) }),
  )
  await list.load()
  return list
}

it("takes what events told together, once", async () => {
  vi.useFakeTimers()
  const list = await three()
  list.hear("b", { id: "b", size: 1 })
  list.hear("b", { id: "b", size: 2 })
  list.hear("d", { id: "d", size: 3 })
  list.hear("a", undefined)
  expect(list.find("b")?.size).toBe(0)
  vi.runAllTimers()
  expect(list.items).toEqual([
    { id: "b", size: 2 },
    { id: "c", size: 0 },
    { id: "d", size: 3 },
  ])
  vi.useRealTimers()
})

it("lets an answer stand against an older event", async () => {
  vi.useFakeTimers()
  const list = await three()
  list.hear("b", { id: "b", size: 1 })
  list.put({ id: "b", size: 2 })
  list.hear("c", { id: "c", size: 1 })
  list.drop("c")
  vi.runAllTimers()
  expect(list.find("b")?.size).toBe(2)
  expect(list.find("c")).toBeUndefined()
  vi.useRealTimers()
})
