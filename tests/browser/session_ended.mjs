// The session ends elsewhere while somebody fills a form: signing in again loses nothing of it.
import { arrive, ensure, signIn, tell } from "./stage.mjs"

const NAME = "kept-through-sign-in"

await tell(async ({ open, given, shot }) => {
  const page = await arrive(open, given)
  await page.getByRole("button", { name: "New bucket" }).click()
  await page.getByLabel("Bucket name").fill(NAME)
  await page.getByRole("textbox", { name: "Quota" }).fill("20 GB")

  const elsewhere = await arrive(open, given, "/settings")
  await end(elsewhere, await ownSession(page))

  await page.getByRole("button", { name: "Create bucket" }).click()
  const asks = page.getByRole("dialog", { name: "Your session ended" })
  await asks.waitFor()
  await shot(page, "session-ended")
  ensure((await page.getByLabel("E-mail").inputValue()) === given.email, "the address is asked for again")
  await page.getByLabel("Password", { exact: true }).fill("not the password")
  await asks.getByRole("button", { name: "Sign in" }).click()
  await asks.getByText("do not match").waitFor()
  await signIn(page, given.email, given.password)
  await asks.waitFor({ state: "detached" })

  // What was asked for before is done now, with what the form held.
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor()
  await page.goto("/buckets")
  await page.getByRole("row", { name: NAME }).getByText("0 %").waitFor()
})

function ownSession(page) {
  return page.evaluate(async () => {
    const { items } = await (await fetch("/api/v1/sessions")).json()
    return items.find(({ current }) => current).id
  })
}

async function end(page, session) {
  const status = await page.evaluate(
    async (session) => (await fetch(`/api/v1/sessions/${session}`, { method: "DELETE" })).status,
    session,
  )
  ensure(status < 300, `the session did not end: ${status}`)
}
