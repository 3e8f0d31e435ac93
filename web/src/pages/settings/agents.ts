const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\/|HeadlessChrome/, "Chrome"],
  [/Safari\//, "Safari"],
  [/curl\//, "curl"],
  [/^storm\//, "the command line"],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS/, "macOS"],
  [/Linux/, "Linux"],
]

/** How a session was begun, in words. */
export function methodWords(method: string): string {
  if (method === "passkey") return "with a passkey"
  if (method === "password") return "with the password"
  if (method.startsWith("password+")) return "with the password and a code"
  return method.startsWith("oidc") ? "at your company" : method
}

/** What a session runs in, in words. */
export function agentWords(agent: string | null | undefined): string {
  if (!agent) return "An unknown program"
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1] ?? "A browser"
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1]
  return system ? `${browser} on ${system}` : browser
}
