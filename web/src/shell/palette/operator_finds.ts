import type { Account, Agent, Region } from "../../api/types"
import { bytesText } from "../../format/bytes"
import { OPERATOR_SECTIONS } from "../sections"
import { best, type Find, type Group } from "./finds"

export interface OperatorSources {
  accounts: Account[]
  agents: Agent[]
  regions: Region[]
}

const ACTS: Find[] = [
  { id: "enrol", icon: "plus", text: "Enrol a node", href: "/operator?enrol=1" },
  { id: "new-account", icon: "plus", text: "New account", href: "/operator/accounts?new=1" },
  { id: "new-region", icon: "plus", text: "New region", href: "/operator?region=new" },
  { id: "strays", icon: "bucket", text: "Buckets and keys of nobody", href: "/operator/alerts?show=strays" },
  { id: "security", icon: "log", text: "Security events", href: "/operator/commands?show=security" },
]

/** What fits the words on an operator's pages, in groups. What is dangerous asks on its page. */
export function findForOperator(words: string, { accounts, agents, regions }: OperatorSources): Group[] {
  const wanted = words.trim().toLowerCase()
  const some = <T>(items: T[], text: (item: T) => string) => (wanted ? best(items, text, wanted) : [])
  const groups: Group[] = [
    {
      title: "Accounts",
      finds: some(accounts, ({ name, id }) => `${name} ${id}`).map(({ id, name, used_bytes }) => ({
        id,
        icon: "people",
        text: name,
        note: bytesText(used_bytes),
        href: `/operator/accounts/${id}`,
      })),
    },
    {
      title: "Nodes",
      finds: some(agents, ({ host, id }) => `${host} ${id}`).map(({ id, host, region }) => ({
        id,
        icon: "fleet",
        text: host,
        note: region,
        href: `/operator/nodes/${id}`,
      })),
    },
    {
      title: "Regions",
      finds: some(regions, ({ name }) => name).map(({ name }) => ({
        id: `region-${name}`,
        icon: "level",
        text: name,
        href: `/operator/regions/${name}`,
      })),
    },
    {
      title: "Pages",
      finds: best(OPERATOR_SECTIONS, ({ text }) => text, wanted).map(({ id, text, icon, href }) => ({
        id,
        icon,
        text,
        href,
      })),
    },
    { title: "Do", finds: best(ACTS, ({ text }) => text, wanted) },
  ]
  return groups.filter(({ finds }) => finds.length)
}
