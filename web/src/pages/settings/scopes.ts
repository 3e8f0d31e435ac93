/** What an API token may, in words. The names are those of docs/access.md, which a test holds this against. */

/** Something that a token may look at, or work with as its maker may. */
export interface Noun {
  /** The scopes with which it looks. */
  look: string[]
  /** The scopes with which it does all that its maker may; none: there is nothing to do. */
  work?: string[]
  title: string
  lookText: string
  workText?: string
}

export const NOUNS: Noun[] = [
  {
    title: "Buckets",
    look: ["bucket.read", "region.read"],
    work: ["bucket.*", "region.read", "job.cancel"],
    lookText: "See them and their settings",
    workText: "Make, change, clear and delete them",
  },
  {
    title: "Keys",
    look: ["key.read"],
    work: ["key.*"],
    lookText: "See them and what each opens",
    workText: "Make, change, rotate and delete them",
  },
  {
    title: "Activity",
    look: ["operation.list", "operation.read", "receipt.read", "trust.read"],
    work: ["operation.*", "receipt.read", "trust.read"],
    lookText: "See what was asked, with its receipts",
    workText: "Cancel it, too",
  },
  { title: "Use and bills", look: ["usage.*", "account.read"], lookText: "See and export them" },
  {
    title: "People",
    look: ["member.read", "invitation.read"],
    work: ["member.*", "invitation.*"],
    lookText: "See who is in",
    workText: "Ask in, change roles, take out",
  },
  { title: "Audit trail", look: ["audit.read"], lookText: "See and export who did what" },
]

export type Level = "none" | "look" | "work"

/** The scopes of a choice, one level for each noun. */
export function scopesOf(levels: Level[]): string[] {
  const all = NOUNS.flatMap((noun, at) => {
    if (levels[at] === "work") return noun.work ?? noun.look
    return levels[at] === "look" ? noun.look : []
  })
  return [...new Set(all)]
}

/** With which a token looks at everything that its maker sees of the account. */
export const READ_ONLY = [...new Set(["session.read", ...NOUNS.flatMap(({ look }) => look)])]

/** What scopes come to, in words: "Buckets; Keys, looking only". */
export function scopeWords(scopes: string[]): string {
  if (scopes.includes("*")) return "All that you may"
  const has = (wanted: string[]) => wanted.every((scope) => covers(scopes, scope))
  if (has(READ_ONLY) && scopes.every((scope) => covers(READ_ONLY, scope)))
    return "Looks at everything, changes nothing"
  const told = new Set<string>()
  const words = NOUNS.flatMap((noun) => {
    // The first of each is what it is about; the others come along.
    const level = [noun.work, noun.look].find((scopes) => scopes?.[0] && has([scopes[0]]))
    if (!level) return []
    for (const scope of level) told.add(scope)
    return [level === noun.work || !noun.work ? noun.title : `${noun.title}, looking only`]
  })
  const rest = scopes.filter((scope) => !covers([...told], scope))
  return [...words, ...rest].join("; ")
}

function covers(scopes: string[], wanted: string): boolean {
  return scopes.some(
    (scope) => scope === wanted || (scope.endsWith(".*") && wanted.startsWith(scope.slice(0, -1))),
  )
}
