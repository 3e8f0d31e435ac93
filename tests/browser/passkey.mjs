// A passkey of a device that Chromium plays: made, used, the only way in, deleted.
import { ask, signIn, tell } from "./stage.mjs"

/** In which each page is looked at. */
const LOOKS = [
  [360, "light"],
  [360, "dark"],
  [1440, "dark"],
  [1440, "light"],
]
const NEW_PASSWORD = "glacier walnut orbit 58"

await tell(async ({ open, given, shot }) => {
  const page = await open()
  const device = await attachDevice(page)
  const looks = async (name) => {
    if (!given.screenshots) return
    for (const [width, colorScheme] of LOOKS) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      await shot(page, `passkey-${name}-${width}-${colorScheme}`)
    }
  }
  const settings = async () => {
    await page.goto("/settings")
    await page.getByRole("heading", { name: "Passkeys" }).waitFor()
  }
  const passkeys = page.getByRole("table", { name: "Your passkeys" })
  const dialog = page.getByRole("dialog")
  const byPasskey = async () => {
    await page.getByRole("button", { name: "Use a passkey" }).click()
    await signedIn(page)
  }

  await page.goto("/")
  await looks("sign-in")
  await signIn(page, given.email, given.password)
  await page.waitForURL("**/start")
  await settings()
  await page.getByText("A passkey signs in with your finger").waitFor()

  // Made. A device that has one of theirs makes no other.
  const make = async (name) => {
    await page.getByRole("button", { name: "New passkey" }).click()
    await dialog.getByLabel("Name").fill(name)
    await dialog.getByRole("button", { name: "Make the passkey" }).click()
  }
  await page.getByRole("button", { name: "New passkey" }).click()
  await looks("new")
  await dialog.getByRole("button", { name: "Leave it" }).click()
  await make("laptop")
  await passkeys.getByText("laptop").waitFor()
  equal(await device.count(), 1)
  await make("laptop again")
  await dialog.getByText("This device has a passkey of yours already").waitFor()
  await dialog.getByRole("button", { name: "Leave it" }).click()

  // Used alone.
  await signOut(page)
  await byPasskey()
  await settings()
  const here = page.getByRole("row").filter({ hasText: "this one" })
  await here.getByText("with a passkey").waitFor()
  equal(await currentMethod(page), "passkey")
  await passkeys.getByRole("button", { name: "Rename laptop" }).click()
  await dialog.getByLabel("Name").fill("desk")
  await dialog.getByRole("button", { name: "Rename" }).click()
  await passkeys.getByText("desk").waitFor()
  await looks("settings")

  // Where a code is asked for, a passkey will do.
  const totp = "/api/v1/sign-in-methods/totp"
  const { secret } = await api(page, "POST", totp)
  await api(page, "POST", `${totp}/confirm`, { code: await ask("code", { secret }) })
  await signOut(page)
  await signIn(page, given.email, given.password)
  await page.getByLabel("Code").waitFor()
  await looks("code")
  await byPasskey()
  await api(page, "DELETE", totp)
  await settings()

  // The only way in. The server asks again who is there; the page goes on by itself.
  await ask("age")
  await page.getByRole("button", { name: "Remove the password" }).click()
  await dialog.getByRole("button", { name: "Remove the password" }).click()
  await dialog.getByRole("button", { name: "Use a passkey" }).waitFor()
  await looks("who")
  await dialog.getByRole("button", { name: "Use a passkey" }).click()
  await page.getByText("You have none. A link by e-mail sets one.").waitFor()
  await passkeys.getByRole("button", { name: "Delete desk" }).click()
  await dialog.getByRole("button", { name: "Delete passkey" }).click()
  await dialog.getByText("this passkey is the last way in").waitFor()
  await looks("last")
  await dialog.getByRole("button", { name: "Keep it" }).click()
  await signOut(page)
  await signIn(page, given.email, given.password)
  await page.getByText("E-mail and password do not match").waitFor()
  await byPasskey()

  // A link by e-mail sets a password again.
  await settings()
  await page.getByRole("button", { name: "Send me a link" }).click()
  await page.goto(await ask("link"))
  await page.getByLabel("New password").fill(NEW_PASSWORD)
  await page.getByRole("button", { name: "Set it" }).click()
  await page.getByText("Your new password is set").waitFor()
  await page.goto("/")
  await signIn(page, given.email, NEW_PASSWORD)
  await signedIn(page)

  // Deleted, it no longer signs in, though the device still has it.
  await settings()
  await passkeys.getByRole("button", { name: "Delete desk" }).click()
  await dialog.getByRole("button", { name: "Delete passkey" }).click()
  await page.getByText("A passkey signs in with your finger").waitFor()
  await signOut(page)
  equal(await device.count(), 1)
  await page.getByRole("button", { name: "Use a passkey" }).click()
  await page.getByText("This passkey does not sign in here").waitFor()
  await looks("refused")
})

/** A device that asks its person who they are, and is always answered. */
async function attachDevice(page) {
  const chromium = await page.context().newCDPSession(page)
  await chromium.send("WebAuthn.enable")
  const options = {
    protocol: "ctap2",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  }
  const { authenticatorId } = await chromium.send("WebAuthn.addVirtualAuthenticator", { options })
  const count = async () =>
    (await chromium.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length
  return { count }
}

async function signOut(page) {
  await page.getByRole("button", { name: /, admin@localhost$/ }).click()
  await page.getByRole("menuitem", { name: /^Sign out/ }).click()
  await page.getByRole("heading", { name: "Sign in" }).waitFor()
}

async function signedIn(page) {
  await page.getByRole("heading", { name: /^(Sign in|One more step)$/ }).waitFor({ state: "hidden" })
}

async function currentMethod(page) {
  return page.evaluate(async () => {
    const { items } = await (await fetch("/api/v1/sessions")).json()
    return items.find(({ current }) => current).method
  })
}

/** Asks the API as the page does. */
async function api(page, method, path, body) {
  return page.evaluate(
    async ([method, path, body]) => {
      const headers = body ? { "content-type": "application/json" } : {}
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${text}`)
      return text ? JSON.parse(text) : null
    },
    [method, path, body],
  )
}

function equal(found, wanted) {
  if (found !== wanted) throw new Error(`found ${found}, wanted ${wanted}`)
}
