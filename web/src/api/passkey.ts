import { api, ask } from "./client"
import { Failure } from "./failure"
import type { Passkey, Whoami } from "./types"

/** Whether this browser can speak with passkeys at all. */
export const canPasskeys = (): boolean =>
  typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential

/** Signs in with a passkey of this device, whoever's it is. */
export async function enterByPasskey(): Promise<Whoami> {
  const asked = await ask(api.POST("/api/v1/session/passkey/begin"))
  const body = { challenge: asked.challenge, credential: await sign(asked.public_key) }
  return ask(api.POST("/api/v1/session/passkey", { body }))
}

/** Proves again who is there. */
export async function proveByPasskey(): Promise<void> {
  const asked = await ask(api.POST("/api/v1/session/reauthenticate/passkey/begin"))
  const body = { challenge: asked.challenge, credential: await sign(asked.public_key) }
  await ask(api.POST("/api/v1/session/reauthenticate/passkey", { body }))
}

/** Makes a passkey on this device and keeps it. */
export async function addPasskey(name: string): Promise<Passkey> {
  const asked = await ask(api.POST("/api/v1/passkeys/begin"))
  const options = asked.public_key as PublicKeyCredentialCreationOptionsJSON
  const made = await answer(() =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  )
  return ask(api.POST("/api/v1/passkeys", { body: { challenge: asked.challenge, name, credential: made } }))
}

function sign(options: unknown): Promise<unknown> {
  const read = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as PublicKeyCredentialRequestOptionsJSON,
  )
  return answer(() => navigator.credentials.get({ publicKey: read }))
}

/** What the device answers, or a failure in words. */
async function answer(asking: () => Promise<Credential | null>): Promise<unknown> {
  try {
    const made = await asking()
    if (made instanceof PublicKeyCredential) return made.toJSON()
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "InvalidStateError") {
      throw new Failure(
        "passkey_taken",
        "This device has a passkey of yours already. Nothing was changed.",
        0,
      )
    }
  }
  throw new Failure("no_passkey", "The device gave no passkey. Nothing was changed; try again.", 0)
}
