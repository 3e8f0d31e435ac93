import type { IconName } from "../ui/icons"

export interface Section {
  id: string
  text: string
  href: string
  icon: IconName
}

/** The sections of an account; the first four are tabs on phones. */
export const SECTIONS: Section[] = [
  { id: "overview", text: "Overview", href: "/", icon: "level" },
  { id: "buckets", text: "Buckets", href: "/buckets", icon: "bucket" },
  { id: "keys", text: "Keys", href: "/keys", icon: "key" },
  { id: "activity", text: "Activity", href: "/activity", icon: "log" },
  { id: "people", text: "People", href: "/people", icon: "menu" },
  { id: "settings", text: "Settings", href: "/settings", icon: "menu" },
]

/** The sections from which the platform is run; all are tabs on phones. */
export const OPERATOR_SECTIONS: Section[] = [
  { id: "fleet", text: "Fleet", href: "/operator", icon: "fleet" },
  { id: "accounts", text: "Accounts", href: "/operator/accounts", icon: "people" },
  { id: "jobs", text: "Jobs", href: "/operator/jobs", icon: "jobs" },
  { id: "commands", text: "Commands", href: "/operator/commands", icon: "log" },
  { id: "alerts", text: "Alerts", href: "/operator/alerts", icon: "bell" },
]

export const TABS = 4
