/** The values of a path's variable parts, or nothing when the path is another. `:name` takes one part. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/")
  const found = path.replace(/(.)\/$/, "$1").split("/")
  if (wanted.length !== found.length) return undefined
  const values: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    const value = found[at] ?? ""
    if (part.startsWith(":") && value) values[part.slice(1)] = decoded(value)
    else if (part !== value) return undefined
  }
  return values
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
