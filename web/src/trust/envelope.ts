/** Signed envelopes, as `crates/protocol/src/envelope.rs` makes them: DSSE with Ed25519. */
import { fromBase64, joined, toHex } from "../seal/encoding"

export interface Envelope {
  payload: string
  payloadType: string
  signatures: { keyid: string; sig: string }[]
}

export type PayloadType = "trust" | "agent" | "receipt"

/** A signature that does not hold, or a proof that says something else than it should. */
export class ProofError extends Error {
  override name = "ProofError"
}

/** What an envelope says and what it is called by those that follow it. */
export interface Verified {
  payload: unknown
  identity: string
  /** The one of the keys that signed it, base64. */
  key: string
}

/** SHA-256 of a key, by which signatures name it. */
export function keyId(key: string): Promise<string> {
  return digest(fromBase64(key))
}

/** Verifies the received bytes with one of `keys` (base64) and reads what they say. */
export async function verify(envelope: Envelope, type: PayloadType, keys: string[]): Promise<Verified> {
  if (envelope.payloadType !== `application/vnd.storm.${type}.v1+json`) {
    throw new ProofError(`It is no ${type}, but ${envelope.payloadType}.`)
  }
  const payload = fromBase64(envelope.payload)
  const message = pae(envelope.payloadType, payload)
  const asked = new Set(envelope.signatures.map(({ keyid }) => keyid))
  for (const key of keys) {
    // A key's id only selects candidates; the signature decides.
    const id = await known(key, keyIds, keyId)
    if (!asked.has(id)) continue
    for (const signature of envelope.signatures) {
      if (signature.keyid === id && (await signed(key, signature.sig, message))) {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(payload)
        return { payload: JSON.parse(text), identity: await digest(message), key }
      }
    }
  }
  throw new ProofError(`No key that is trusted signed this ${type}.`)
}

/** DSSE's pre-authentication encoding: `DSSEv1 <len> <type> <len> <payload>`. */
function pae(type: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = `DSSEv1 ${type.length} ${type} ${payload.length} `
  return joined([new TextEncoder().encode(head), payload])
}

// An account's receipts are many, the keys that sign them few.
const keyIds = new Map<string, Promise<string>>()
const imports = new Map<string, Promise<CryptoKey>>()

function known<T>(key: string, all: Map<string, Promise<T>>, make: (key: string) => Promise<T>): Promise<T> {
  const before = all.get(key)
  if (before) return before
  const made = make(key)
  all.set(key, made)
  return made
}

function importKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", fromBase64(key), { name: "Ed25519" }, false, ["verify"])
}

async function signed(key: string, signature: string, message: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const imported = await known(key, imports, importKey)
  return crypto.subtle.verify({ name: "Ed25519" }, imported, fromBase64(signature), message)
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))
}
