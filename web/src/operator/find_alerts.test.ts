import { describe, expect, it } from "vitest"
import type { Account, Agent, Operation, Region, SecurityEvent, Stray } from "../api/types"
import { type Fleet, findAlerts } from "./find_alerts"

const MINUTE = 60_000_000
const DAY = 86_400_000_000
const NOW = 100 * DAY

const region: Region = {
  name: "falkenstein",
  s3_endpoint: "https://s3.example.org",
  s3_region: "garage",
  executor: "a",
  epoch: 1,
  connected: true,
}
const agent: Agent = {
  id: "a",
  region: "falkenstein",
  host: "fsn-01",
  connected: true,
  executor: true,
  seen_at: NOW,
  certificate_expires_at: NOW + 80 * DAY,
  clock_offset_micros: 2000,
  receipts: 5,
  not_offered: [],
}

function found(change: Partial<Fleet>) {
  const fleet: Fleet = {
    regions: [region],
    agents: [agent],
    accounts: [],
    strays: [],
    drifting: [],
    open: [],
    events: [],
    health: () => undefined,
    now: NOW,
    ...change,
  }
  return findAlerts(fleet)
}

describe("alerts", () => {
  it("are none when all is well", () => {
    expect(found({})).toEqual([])
  })

  it("tell an executor that is silent from an agent that stands by", () => {
    const silent = { ...agent, connected: false, seen_at: NOW - 6 * MINUTE }
    const [alert] = found({ agents: [silent] })
    expect(alert).toMatchObject({
      mood: "prob",
      title: "The agent on fsn-01 has been silent for 6 min",
      run: "systemctl status storm-pulse",
    })
    const other = { ...silent, id: "b", host: "fsn-02", executor: false }
    expect(found({ agents: [agent, other] })).toMatchObject([{ mood: "att" }])
  })

  it("say why an agent is kept out, and nothing else of it", () => {
    const kept = { ...agent, connected: false, quarantined: "its chain is shorter than ours" }
    const all = found({ agents: [kept] })
    expect(all.map(({ title }) => title)).toEqual(["The agent on fsn-01 is kept out"])
    expect(all[0]?.text).toContain("Its chain is shorter than ours")
  })

  it("ask for a node where there is none, and for an executor where it was removed", () => {
    const empty = { ...region, executor: null }
    expect(found({ regions: [empty], agents: [] })[0]?.title).toBe("falkenstein has no node yet")
    const other = { ...agent, id: "b", executor: false }
    expect(found({ agents: [other] })[0]?.title).toBe("No agent makes the changes of falkenstein")
  })

  it("begin with what is worst", () => {
    const account = { state: "active", keys: 1, buckets: 1, objects: 1, created_at: 1 } as Account
    const accounts = [
      { ...account, id: "1", name: "Nearly", used_bytes: 85, limits: { storage_bytes: 100 } },
      { ...account, id: "2", name: "Full", used_bytes: 100, limits: { storage_bytes: 100 } },
      {
        ...account,
        id: "3",
        name: "Gone",
        used_bytes: 100,
        limits: { storage_bytes: 100 },
        state: "closed" as const,
      },
    ]
    expect(found({ accounts }).map(({ title }) => title)).toEqual(["Full is full", "Nearly is 85 % full"])
  })

  it("count what belongs to nobody by region, and leave out what is left alone", () => {
    const stray: Stray = {
      region: "falkenstein",
      bucket: "b1",
      name: "tmp",
      created_at: 1,
      ignored: false,
      claimed_by: [],
    }
    const key = { ...stray, bucket: null, key: "GK1", name: "old" }
    const strays = [stray, key, { ...stray, bucket: "b2", ignored: true }]
    expect(found({ strays }).map(({ title }) => title)).toEqual([
      "1 bucket and 1 key in falkenstein belong to nobody",
    ])
  })

  it("tell degraded storage from storage that is out of reach", () => {
    const health = {
      garage_version: "2.5.0",
      known_nodes: 3,
      connected_nodes: 2,
      storage_nodes: 3,
      storage_nodes_up: 2,
      partitions: 256,
      partitions_quorum: 256,
      partitions_all_ok: 100,
      status: "degraded",
    }
    expect(found({ health: () => ({ asking: false, health }) })).toMatchObject([{ mood: "att" }])
    const lost = { ...health, status: "unavailable", partitions_quorum: 200 }
    const [alert] = found({ health: () => ({ asking: false, health: lost }) })
    expect(alert?.mood).toBe("prob")
    expect(alert?.text).toContain("56 of 256 partitions take no write")
  })

  it("see clocks and certificates before they fail", () => {
    const off = { ...agent, clock_offset_micros: -1_800_000, certificate_expires_at: NOW + 20 * DAY }
    expect(found({ agents: [off] }).map(({ title }) => title)).toEqual([
      "The clock of fsn-01 is 1.8 s behind",
      "The certificate of fsn-01 has 20 days left",
    ])
  })

  it("look at security events of the last day alone", () => {
    const event = {
      id: "1",
      kind: "agent_refused",
      detail: "a certificate with a key that was replaced",
    } as SecurityEvent
    const events = [
      { ...event, at: NOW - MINUTE },
      { ...event, at: NOW - 2 * DAY },
    ]
    expect(found({ events })[0]?.title).toBe("1 agent was turned away in the last 24 h")
  })

  it("say what is not known", () => {
    const open = [{ id: "1", state: "unknown", agent: "a" } as Operation]
    expect(found({ open })[0]?.title).toBe("It is not known what came of 1 command")
  })
})
