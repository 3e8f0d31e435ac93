import type { AuditEvent, SecurityEvent } from "../api/types"
import { several } from "../format/count"
import { sentence } from "../format/count"
import type { Mood } from "../marks/mood"

/** "bucket.set_quota" as it reads: "Bucket, set quota". */
export function actWords(act: string): string {
  const said: Record<string, string> = {
    "session.create": "Signed in",
    "session.delete": "Signed out",
    "session.reauthenticate": "Proved who they are",
  }
  const [noun = "", verb = ""] = act.split(".")
  return said[act] ?? sentence(`${noun}, ${verb}`.replaceAll("_", " "))
}

/** Why something was not done. */
export function resultWords({ result, count }: AuditEvent): string {
  const words = result === "done" ? "done" : `refused (${result.replaceAll("_", " ")})`
  return count > 1 ? `${words}, ${several(count, "time")}` : words
}

/** A security event as a sentence, and how bad it is. */
export function securityWords(event: SecurityEvent): { mood: Mood; title: string } {
  const about = event.subject ?? ""
  const short = /^[0-9a-f-]{36}$/.test(about) ? `…${about.slice(-8)}` : about
  switch (event.kind) {
    case "sign_in_failed":
      return { mood: "att", title: `Sign-in failed for ${short}` }
    case "enrol_refused":
      return { mood: "prob", title: `An enrolment was refused, token ${short}` }
    case "agent_refused":
      return { mood: "prob", title: `Agent ${short} was turned away` }
    case "agent_quarantined":
      return { mood: "prob", title: `Agent ${short} is kept out` }
    case "agent_revoked":
      return { mood: "ok", title: `Agent ${short} was removed` }
    case "agent_lost":
      return { mood: "ok", title: `Agent ${short} was declared lost` }
    case "quarantine_ended":
      return { mood: "ok", title: `Agent ${short} was let in again` }
    case "executor_moved":
      return { mood: "ok", title: `The executor's role of ${short} moved` }
    default:
      return { mood: "att", title: sentence(`${event.kind.replaceAll("_", " ")} ${short}`) }
  }
}
