import type { Account, Agent, Bucket, Operation, Region, SecurityEvent, Stray } from "../api/types"
import { bytesText } from "../format/bytes"
import { percent, sentence, several } from "../format/count"
import { duration } from "../format/time"
import { ATTENTION, type Mood, PROBLEM } from "../marks/mood"
import { certificateState, clockState, CLOCK_LIMIT_SECONDS } from "./agent_words"
import type { Heard } from "./health.svelte"

/** Something that needs an operator, and the first act. */
export interface Alert {
  id: string
  /** What it is about: the page lists alerts by it. */
  about: "region" | "node" | "storage" | "account" | "bucket" | "security"
  mood: Mood
  title: string
  text: string
  /** A line to run on the server, when that is what helps. */
  run?: string
  act: { href: string; text: string }
}

/** What alerts are made of. */
export interface Fleet {
  regions: Region[]
  agents: Agent[]
  accounts: Account[]
  strays: Stray[]
  drifting: Bucket[]
  open: Operation[]
  events: SecurityEvent[]
  health: (region: string) => Heard | undefined
  now: number
}

const DAY_MICROS = 86_400_000_000
const MANY_SIGN_INS = 20
const LOOK_AT_STATUS = "systemctl status storm-pulse"

/** All that needs someone, the worst first. */
export function findAlerts(fleet: Fleet): Alert[] {
  const all = [
    ...ofAgents(fleet),
    ...ofRegions(fleet),
    ...ofStorage(fleet),
    ...ofAccounts(fleet),
    ...ofBuckets(fleet),
    ...ofCommands(fleet),
    ...ofEvents(fleet),
  ]
  return all.toSorted((a, b) => Number(b.mood === "prob") - Number(a.mood === "prob"))
}

function ofAgents({ agents, now }: Fleet): Alert[] {
  return agents.flatMap((agent): Alert[] => {
    const { id, host, region } = agent
    const act = { href: `/operator/nodes/${id}`, text: `Open ${host}` }
    const alert = (what: string, mood: Mood, title: string, text: string, run?: string): Alert => ({
      id: `${what}-${id}`,
      about: "node",
      mood,
      title,
      text,
      act,
      ...(run ? { run } : {}),
    })
    const found: Alert[] = []
    if (agent.quarantined) {
      const text = `${sentence(agent.quarantined)}. Nothing is sent to it until you decide. Buckets there keep serving.`
      found.push(alert("kept-out", "prob", `The agent on ${host} is kept out`, text))
    } else if (!agent.connected && agent.seen_at) {
      const since = duration(now - agent.seen_at)
      const waits = agent.executor
        ? `Buckets in ${region} keep serving. Changes there wait up to 10 minutes, then end as expired.`
        : "Customers notice nothing: another agent makes the changes, and storage does not need this one."
      const mood = agent.executor ? "prob" : "att"
      const title = `The agent on ${host} has been silent for ${since}`
      found.push(alert("silent", mood, title, `${waits} On the server, run`, LOOK_AT_STATUS))
    } else if (agent.trouble) {
      const text = `In its words: ${agent.trouble} Buckets keep serving; changes in ${region} wait.`
      found.push(alert("trouble", "att", `The agent on ${host} takes no change`, text))
    }
    const clock = clockState(agent)
    if (agent.connected && (clock.mood === "att" || clock.mood === "prob")) {
      const text = `Commands are refused from ${CLOCK_LIMIT_SECONDS} s. Check the time service on the server.`
      found.push(alert("clock", clock.mood, `The clock of ${host} is ${clock.text}`, text))
    }
    const certificate = certificateState(agent, now)
    if (certificate.mood === "att" || certificate.mood === "prob") {
      const text =
        certificate.text === "ended"
          ? "The agent cannot connect any more. Enrol the node again."
          : "It renews by itself 30 days before its end, and has not. See the agent's log on the server."
      const title =
        certificate.text === "ended"
          ? `The certificate of ${host} has ended`
          : `The certificate of ${host} has ${certificate.text}`
      found.push(alert("certificate", certificate.mood, title, text))
    }
    return found
  })
}

function ofRegions({ regions, agents }: Fleet): Alert[] {
  return regions.flatMap((region): Alert[] => {
    // The executor may have been removed: then nobody has the role, whatever the region says.
    if (agents.some(({ id }) => id === region.executor)) return []
    const { name } = region
    const href = `/operator/regions/${name}`
    const there = agents.filter((agent) => agent.region === name)
    const base = { id: `nobody-${name}`, about: "region" as const, mood: "prob" as const }
    if (!there.length) {
      return [
        {
          ...base,
          mood: "att",
          title: `${name} has no node yet`,
          text: "Nobody can make a bucket there until one is enrolled.",
          act: { href: `${href}?enrol=1`, text: "Enrol a node" },
        },
      ]
    }
    return [
      {
        ...base,
        title: `No agent makes the changes of ${name}`,
        text: "Buckets there keep serving. Every change waits until an agent has the role.",
        act: { href, text: "Give the role" },
      },
    ]
  })
}

function ofStorage({ regions, health }: Fleet): Alert[] {
  return regions.flatMap(({ name }): Alert[] => {
    const heard = health(name)?.health
    if (!heard || heard.status === "healthy") return []
    const { storage_nodes_up: up, storage_nodes: all, partitions, partitions_quorum: quorum } = heard
    const act = { href: `/operator/regions/${name}`, text: `Open ${name}` }
    const base = { id: `storage-${name}`, about: "storage" as const, act }
    if (heard.status === "degraded") {
      return [
        {
          ...base,
          mood: "att",
          title: `${up} of ${all} storage nodes of ${name} answer`,
          text: "Every bucket serves and takes writes. Bring the missing ones back before another one fails.",
        },
      ]
    }
    const lost = partitions - quorum
    return [
      {
        ...base,
        mood: "prob",
        title: `Part of the data of ${name} is out of reach`,
        text: `${lost} of ${partitions} partitions take no write: ${up} of ${all} storage nodes answer. Programs see errors there. Bring the missing nodes back first.`,
      },
    ]
  })
}

function ofAccounts({ accounts }: Fleet): Alert[] {
  return accounts.flatMap((account): Alert[] => {
    const most = account.limits.storage_bytes
    if (!most || account.state === "closed") return []
    const used = percent(account.used_bytes, most)
    if (used < ATTENTION) return []
    const left = Math.max(0, most - account.used_bytes)
    return [
      {
        id: `limit-${account.id}`,
        about: "account",
        mood: used >= PROBLEM ? "prob" : "att",
        title: used >= 100 ? `${account.name} is full` : `${account.name} is ${used} % full`,
        text: `${bytesText(left)} left of ${bytesText(most)}. Its programs are refused when it is full.`,
        act: { href: `/operator/accounts/${account.id}`, text: "Set its limits" },
      },
    ]
  })
}

function ofBuckets({ strays, drifting }: Fleet): Alert[] {
  const found: Alert[] = []
  const regions = new Map<string, Stray[]>()
  for (const stray of strays) {
    if (!stray.ignored) regions.set(stray.region, [...(regions.get(stray.region) ?? []), stray])
  }
  for (const [region, all] of regions) {
    const buckets = all.filter(({ bucket }) => bucket)
    const what = [
      ...(buckets.length ? [several(buckets.length, "bucket")] : []),
      ...(all.length > buckets.length ? [several(all.length - buckets.length, "key")] : []),
    ].join(" and ")
    const named = all.slice(0, 3).flatMap(({ name }) => name ?? [])
    found.push({
      id: `strays-${region}`,
      about: "bucket",
      mood: "att",
      title: `${what} in ${region} ${all.length === 1 ? "belongs" : "belong"} to nobody`,
      text: `${named.length ? `${named.join(", ")}${all.length > named.length ? " and more" : ""}. ` : ""}Made past Storm Buckets. Give each to an account, or leave it alone.`,
      act: { href: "/operator/alerts?show=strays", text: "Adopt or ignore" },
    })
  }
  if (drifting.length) {
    const names = drifting.slice(0, 3).map(({ id, name }) => name ?? `${id.slice(0, 8)}…`)
    found.push({
      id: "drift",
      about: "bucket",
      mood: "att",
      title: `${several(drifting.length, "bucket has", "buckets have")} other settings than were asked for`,
      text: `${names.join(", ")}${drifting.length > names.length ? " and more" : ""}. Somebody changed them past Storm Buckets. Nothing was set back by itself.`,
      act: {
        href: "/operator/alerts?show=drift",
        text: drifting.length === 1 ? "Look at it" : "Look at them",
      },
    })
  }
  return found
}

function ofCommands({ open, agents }: Fleet): Alert[] {
  const unknown = open.filter(({ state }) => state === "unknown")
  const [first] = unknown
  if (!first) return []
  const host = agents.find(({ id }) => id === first.agent)?.host ?? "an agent that was removed"
  return [
    {
      id: "unknown",
      about: "node",
      mood: "att",
      title: `It is not known what came of ${several(unknown.length, "command")}`,
      text: `${host} had taken ${unknown.length === 1 ? "it" : "them"} and has not answered. This ends when it is back, or when you say that it is lost.`,
      act: { href: "/operator/jobs", text: "Show them" },
    },
  ]
}

function ofEvents({ events, now }: Fleet): Alert[] {
  const lately = events.filter(({ at }) => now - at < DAY_MICROS)
  const act = { href: "/operator/commands?show=security", text: "Show the events" }
  const found: Alert[] = []
  const refused = lately.filter(({ kind }) => kind === "enrol_refused" || kind === "agent_refused")
  if (refused.length) {
    found.push({
      id: "refused",
      about: "security",
      mood: "prob",
      title: `${several(refused.length, "agent was", "agents were")} turned away in the last 24 h`,
      text: `${sentence(refused[0]?.detail ?? "")}. If this was nobody of yours, a token or a node's keys are in other hands.`,
      act,
    })
  }
  const failed = lately.filter(({ kind }) => kind === "sign_in_failed")
  if (failed.length >= MANY_SIGN_INS) {
    found.push({
      id: "sign-ins",
      about: "security",
      mood: "att",
      title: `${several(failed.length, "sign-in")} failed in the last 24 h`,
      text: "Each address is slowed down by itself. Look whether one person or address stands out.",
      act,
    })
  }
  return found
}
