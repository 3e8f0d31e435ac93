/** `GK31c2…90bf`: a key's id, where there is no room for all of it. */
export function shortKey(id: string): string {
  return id.length > 12 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id
}

/** The first eight digits of a hash. */
export function shortHash(hash: string): string {
  return hash.length > 8 ? `${hash.slice(0, 8)}…` : hash
}

/** The last eight digits of a command's id; its front is the time. */
export function shortCommand(id: string): string {
  return `…${id.slice(-8)}`
}

/** Two letters for a person: of the e-mail address or the name. */
export function initials(text: string): string {
  const words =
    text
      .split("@")[0]
      ?.split(/[\s._+-]+/)
      .filter(Boolean) ?? []
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [words[0]?.slice(0, 2) ?? "?"]
  return letters.join("").toUpperCase()
}
