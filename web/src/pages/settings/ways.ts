const WAYS: Record<string, string> = {
  password: "password",
  totp: "app",
  recovery_code: "recovery code",
  passkey: "passkey",
}

/** How a session was begun, in words: "password and app", "company's provider". */
export function wayWords(method: string): string {
  const parts = method
    .split("+")
    .map((part) => (part.startsWith("oidc:") ? "company's provider" : (WAYS[part] ?? part)))
  return parts.join(" and ")
}
