import type { Component } from "svelte"
import { match } from "./pattern"

type Params = Record<string, string>
type Page = Component<{ params: Params }>

interface Route {
  pattern: string
  /** The section that the page belongs to, as the top bar names it. */
  section: string
  /** Whether the page stands alone, without the bars. */
  bare?: boolean
  load: () => Promise<{ default: Component<never> }>
}

/** Every page, in one place. Each is loaded when it is needed. */
const ROUTES: Route[] = [
  { pattern: "/", section: "overview", load: () => import("../pages/overview/Overview.svelte") },
  { pattern: "/buckets", section: "buckets", load: () => import("../pages/buckets/Buckets.svelte") },
  { pattern: "/buckets/:bucket", section: "buckets", load: () => import("../pages/bucket/Bucket.svelte") },
  {
    pattern: "/buckets/:bucket/:tab",
    section: "buckets",
    load: () => import("../pages/bucket/Bucket.svelte"),
  },
  { pattern: "/keys", section: "keys", load: () => import("../pages/keys/Keys.svelte") },
  { pattern: "/activity", section: "activity", load: () => import("../pages/activity/Activity.svelte") },
  { pattern: "/activity/audit", section: "activity", load: () => import("../pages/activity/Audit.svelte") },
  { pattern: "/people", section: "people", load: () => import("../pages/people/People.svelte") },
  { pattern: "/settings", section: "settings", load: () => import("../pages/settings/Settings.svelte") },
  { pattern: "/settings/:tab", section: "settings", load: () => import("../pages/settings/Settings.svelte") },
  { pattern: "/operator", section: "fleet", load: () => import("../pages/fleet/Fleet.svelte") },
  {
    pattern: "/operator/regions/:region",
    section: "fleet",
    load: () => import("../pages/region/Region.svelte"),
  },
  { pattern: "/operator/nodes/:agent", section: "fleet", load: () => import("../pages/node/Node.svelte") },
  {
    pattern: "/operator/accounts",
    section: "accounts",
    load: () => import("../pages/accounts/Accounts.svelte"),
  },
  {
    pattern: "/operator/accounts/:account",
    section: "accounts",
    load: () => import("../pages/account/Account.svelte"),
  },
  { pattern: "/operator/jobs", section: "jobs", load: () => import("../pages/jobs/Jobs.svelte") },
  {
    pattern: "/operator/commands",
    section: "commands",
    load: () => import("../pages/commands/Commands.svelte"),
  },
  { pattern: "/operator/alerts", section: "alerts", load: () => import("../pages/alerts/Alerts.svelte") },
  { pattern: "/start", section: "start", bare: true, load: () => import("../pages/start/Start.svelte") },
]

const OPERATORS_ONLY: Route = {
  pattern: "",
  section: "",
  load: () => import("../pages/nowhere/OperatorsOnly.svelte"),
}

/** What a path leads to. */
export interface Place {
  section: string
  bare: boolean
  /** Whether it is one of the pages from which the platform is run. */
  operator: boolean
  params: Params
  load: () => Promise<{ default: Page }>
}

/** Finds a path's page; one that is nowhere says so, and one for operators to everybody else. */
export function placeAt(path: string, operator: boolean): Place {
  for (const route of ROUTES) {
    const params = match(route.pattern, path)
    if (!params) continue
    const found = place(route, params)
    return found.operator && !operator ? place(OPERATORS_ONLY, {}) : found
  }
  return place({ pattern: "", section: "", load: () => import("../pages/nowhere/Nowhere.svelte") }, {})
}

function place({ pattern, section, bare = false, load }: Route, params: Params): Place {
  const operator = pattern.startsWith("/operator")
  // A page takes the variable parts of its own pattern, or none.
  return { section, bare, operator, params, load: load as Place["load"] }
}
