/** Standard base64, padded, to bytes. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}

/** Bytes to standard base64, padded. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** Lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** SHA-256 over `parts`, each preceded by its length as eight bytes big-endian. */
export async function digestOfParts(parts: Uint8Array[]): Promise<string> {
  const pieces = parts.flatMap((part) => {
    const length = new Uint8Array(8)
    new DataView(length.buffer).setBigUint64(0, BigInt(part.length))
    return [length, part]
  })
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", joined(pieces))))
}

/** One array of all. */
export function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
