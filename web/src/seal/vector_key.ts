import { fromBase64 } from "./encoding"

/** The pair of keys of a test vector. */
export async function vectorPair(vector: {
  private_key: string
  public_key: string
}): Promise<CryptoKeyPair> {
  const url = (base64: string) => base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
  const bytes = vector.private_key.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? []
  const d = url(btoa(String.fromCharCode(...bytes)))
  const x = url(vector.public_key)
  const jwk = { kty: "OKP", crv: "X25519", x, d }
  const raw = fromBase64(vector.public_key)
  return {
    privateKey: await crypto.subtle.importKey("jwk", jwk, { name: "X25519" }, false, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("raw", raw, { name: "X25519" }, true, []),
  }
}
