import type { Agent } from "../api/types"
import { several } from "../format/count"
import { duration, moment, type Zone } from "../format/time"
import type { Mood } from "../marks/mood"

export interface Condition {
  mood: Mood
  text: string
}

const SECOND_MICROS = 1_000_000
const DAY_MICROS = 86_400 * SECOND_MICROS
/** Commands from further ahead are refused. */
export const CLOCK_LIMIT_SECONDS = 5
const CLOCK_ATTENTION_SECONDS = 1
/** A certificate renews 30 days before its end; later than this, that has failed. */
const RENEWAL_MISSED_DAYS = 25
const CERTIFICATE_PROBLEM_DAYS = 7

/** Whether an agent is there. */
export function presence(agent: Agent, now: number): Condition {
  if (agent.connected) return { mood: "ok", text: "connected" }
  if (!agent.seen_at) return { mood: "unk", text: "never connected" }
  return { mood: "prob", text: `silent for ${duration(now - agent.seen_at)}` }
}

/** Garage's version on its node; a build of the distribution says how it was made before it. */
export function garageOf({ garage_version: version }: Agent): string | undefined {
  return version?.replace(/^[a-z]+:/, "")
}

/** Whether it makes the changes of its region, and if not, why. */
export function duty(agent: Agent): Condition {
  if (agent.quarantined) return { mood: "prob", text: "kept out" }
  if (agent.trouble) return { mood: "att", text: "takes none" }
  if (!agent.executor) return { mood: "ok", text: "stands by" }
  return agent.connected ? { mood: "ok", text: "makes them" } : { mood: "att", text: "wait for it" }
}

/** How far its clock is off. */
export function clockState(agent: Agent): Condition {
  const offset = agent.clock_offset_micros
  if (offset === null || offset === undefined) return { mood: "unk", text: "not measured yet" }
  const seconds = Math.abs(offset) / SECOND_MICROS
  const text = seconds < 0.05 ? "right" : `${seconds.toFixed(1)} s ${offset > 0 ? "ahead" : "behind"}`
  if (seconds >= CLOCK_LIMIT_SECONDS) return { mood: "prob", text }
  return { mood: seconds >= CLOCK_ATTENTION_SECONDS ? "att" : "ok", text }
}

/** Until when its certificate holds. */
export function certificateState(agent: Agent, now: number): Condition {
  const end = agent.certificate_expires_at
  if (!end) return { mood: "unk", text: "none yet" }
  if (end <= now) return { mood: "prob", text: "ended" }
  const days = (end - now) / DAY_MICROS
  const text = `${duration(end - now)} left`
  if (days < CERTIFICATE_PROBLEM_DAYS) return { mood: "prob", text }
  return { mood: days < RENEWAL_MISSED_DAYS ? "att" : "ok", text }
}

export interface Check extends Condition {
  name: string
}

/** Everything that is known of a node, one sentence each, with what to do. */
export function checks(agent: Agent, now: number, zone: Zone): Check[] {
  const clock = clockState(agent)
  const certificate = certificateState(agent, now)
  const end = agent.certificate_expires_at
  return [
    { name: "Agent", mood: presence(agent, now).mood, text: agentSentence(agent, now) },
    { name: "Changes", mood: duty(agent).mood, text: dutySentence(agent) },
    { name: "Clock", mood: clock.mood, text: clockSentence(clock) },
    {
      name: "Certificate",
      mood: certificate.mood,
      text: end
        ? `Ends on ${moment(end, zone)}, ${certificate.text}. ${certificate.mood === "ok" ? "It renews by itself 30 days before." : "It should have renewed by itself: see the agent's log on the server."}`
        : "None yet. The node has asked for none.",
    },
    {
      name: "Whitelist",
      mood: "ok",
      text: agent.not_offered.length
        ? `${several(agent.not_offered.length, "command is", "commands are")} not offered here: ${agent.not_offered.join(", ")}. They are switched off on the node, or of another version.`
        : "Every command is offered.",
    },
  ]
}

function agentSentence(agent: Agent, now: number): string {
  if (agent.connected) return "Connected. It dials out and holds one connection; the node opens no port."
  if (!agent.seen_at)
    return "It has enrolled and never connected. On the server, run systemctl status storm-pulse."
  return `No word for ${duration(now - agent.seen_at)}. Storage does not need it to serve. On the server, run systemctl status storm-pulse.`
}

function dutySentence(agent: Agent): string {
  if (agent.quarantined)
    return `It is kept out: ${agent.quarantined}. Nothing is sent to it until you decide.`
  if (agent.trouble) return `It takes no change at the moment: ${agent.trouble}`
  if (!agent.executor) return "Stands by. Another agent of its region makes the changes."
  return agent.connected
    ? `Makes all changes of ${agent.region}.`
    : `Makes all changes of ${agent.region}. Until it is back they wait up to 10 minutes, then end as expired.`
}

function clockSentence({ mood, text }: Condition): string {
  if (mood === "unk") return "Not measured yet."
  if (text === "right") return "Agrees with ours."
  const limit = `Commands are refused from ${CLOCK_LIMIT_SECONDS} s.`
  return mood === "ok" ? `${text}. ${limit}` : `${text}. ${limit} Check the time service on this server.`
}
