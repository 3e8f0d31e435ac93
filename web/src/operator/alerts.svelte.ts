import { clock } from "../state/clock.svelte"
import { regions } from "../state/lists"
import { type Alert, findAlerts } from "./find_alerts"
import { healths } from "./health.svelte"
import { accounts, agents, drifting, open, securityEvents, strays } from "./lists"

/** How often what no event tells of is read again. */
const AGAIN_MILLIS = 30_000

/** What needs an operator, from all that the pages know. */
class Alerts {
  #found = $derived(
    findAlerts({
      regions: regions.items,
      agents: agents.items,
      accounts: accounts.items,
      strays: strays.items,
      drifting: drifting.items,
      open: open.items,
      events: securityEvents.items,
      health: (region) => healths.of(region),
      now: clock.now,
    }),
  )

  constructor() {
    for (const list of [regions, ...this.#lists]) list.need()
    setInterval(() => {
      if (document.hidden || !location.pathname.startsWith("/operator")) return
      for (const list of this.#lists) void list.load()
    }, AGAIN_MILLIS)
  }

  get #lists() {
    return [agents, accounts, strays, drifting, open, securityEvents]
  }

  get all(): Alert[] {
    return this.#found
  }

  /** Whether everything was read that could need someone. */
  get whole(): boolean {
    return regions.whole && this.#lists.every(({ whole }) => whole)
  }

  get failure() {
    return this.#lists.find(({ failure }) => failure)?.failure
  }

  again(): void {
    for (const list of this.#lists) void list.load()
  }
}

export const alerts = new Alerts()
