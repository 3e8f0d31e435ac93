/**
 * Unsealing of secrets, as `crates/protocol/src/seal.rs` seals them: HPKE (RFC 9180) base mode,
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, bound to the place of the secret.
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core"
import type { Operation, Sealed } from "../api/types"
import { digestOfParts, fromBase64, joined, toBase64 } from "./encoding"

/** The place that a secret is sealed for. */
export interface SealContext {
  operation: string
  account: string
  region: string
  agent: string
  key: string
}

/** A pair of keys for one secret. Its private half cannot leave the browser's keeper of keys. */
export interface OneTimeKey {
  /** What secrets are sealed to, in base64. */
  sealTo: string
  pair: CryptoKeyPair
}

const LABEL = "storm-buckets/secret/v1"

const suite = () =>
  new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/** HPKE's `info`: the label, then each part with its length as two bytes big-endian. */
export function sealInfo(context: SealContext): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder()
  const parts = [context.operation, context.account, context.region, context.agent, context.key]
  const pieces = parts.flatMap((part) => {
    const bytes = text.encode(part)
    return [new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes]
  })
  return joined([text.encode(LABEL), ...pieces])
}

/** Makes a pair of keys that lives as long as this page. */
export async function oneTimeKey(): Promise<OneTimeKey> {
  const pair = (await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])) as CryptoKeyPair
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))
  return { sealTo: toBase64(raw), pair }
}

/** Opens what was sealed to `pair`. */
export async function open(sealed: Sealed, pair: CryptoKeyPair, context: SealContext): Promise<string> {
  if (sealed.key !== context.key) throw new Error("The sealed secret is another key's.")
  const plain = await suite().open(
    { recipientKey: pair, enc: fromBase64(sealed.encapsulated), info: sealInfo(context) },
    fromBase64(sealed.ciphertext),
  )
  return new TextDecoder("utf-8", { fatal: true }).decode(plain)
}

/** What a receipt says of a sealed secret: SHA-256 over key id, encapsulated key and ciphertext. */
export function sealedDigest(sealed: Sealed): Promise<string> {
  const id = new TextEncoder().encode(sealed.key)
  return digestOfParts([id, fromBase64(sealed.encapsulated), fromBase64(sealed.ciphertext)])
}

/** The place of a secret that an operation made. */
export function placeOf(operation: Operation, key: string): SealContext {
  if (!operation.agent) throw new Error("The operation does not say which agent sealed.")
  return {
    operation: operation.id,
    account: operation.actor.account,
    region: operation.region,
    agent: operation.agent,
    key,
  }
}
