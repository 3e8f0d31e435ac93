import { expect, it } from "vitest"
import type { Account, Agent } from "../../api/types"
import { findForOperator } from "./operator_finds"

const sources = {
  accounts: [
    { id: "01a2", name: "Nordlicht Labs", used_bytes: 9_900_000_000_000 },
    { id: "01a3", name: "Alt-Nordlicht", used_bytes: 0 },
  ] as Account[],
  agents: [{ id: "0190", host: "nord-01", region: "fsn" }] as Agent[],
  regions: [],
}

it("finds accounts and nodes, those that begin so first", () => {
  const groups = findForOperator("nord", sources)
  expect(groups.map(({ title }) => title)).toEqual(["Accounts", "Nodes"])
  expect(groups[0]?.finds.map(({ text }) => text)).toEqual(["Nordlicht Labs", "Alt-Nordlicht"])
  expect(groups[0]?.finds[0]).toMatchObject({ note: "9.90 TB", href: "/operator/accounts/01a2" })
})

it("offers pages and acts before anything is typed", () => {
  const groups = findForOperator("", sources)
  expect(groups.map(({ title }) => title)).toEqual(["Pages", "Do"])
  expect(groups[0]?.finds.map(({ text }) => text)).toContain("Fleet")
})
