// From signing in to the first object: the page makes a bucket, shows the key once, gives rclone's
// configuration, and sees the upload by itself. The secret goes nowhere.
import { ask, ensure, signIn, tell } from "./stage.mjs"

const NAME = "media-originals"

await tell(async ({ open, given, requests, shot }) => {
  const page = await open({ permissions: ["clipboard-read", "clipboard-write"] })
  await page.goto("/")
  await shot(page, "sign-in")
  await signIn(page, given.email, given.password)
  await page.waitForURL("**/start")
  await page.getByRole("heading", { level: 1 }).waitFor()
  await shot(page, "start-1-name")

  await page.getByLabel("Bucket name").fill(NAME)
  await page.getByRole("button", { name: "Create bucket" }).click()
  await page.getByRole("heading", { level: 1, name: "Take the key now. It is shown once." }).waitFor()
  const secret = await copied(page, "Copy secret")
  ensure(/^[0-9a-f]{64}$/.test(secret), "what was copied is no secret")
  await shot(page, "start-2-key")
  const goOn = page.getByRole("button", { name: "Continue" })
  ensure(await goOn.isDisabled(), "one can go on without having saved the secret")
  await page.getByLabel("I have saved the secret").check()
  await goOn.click()

  const configuration = await copied(page, "Copy configuration of rclone")
  ensure(configuration.includes(secret), "the configuration lacks the secret")
  const command = await copied(page, "Copy command")
  await page.getByText("Waiting for your first object").waitFor()
  await shot(page, "start-3-wait")

  // Another address, a reload or a click would be seen here.
  const address = page.url()
  await page.evaluate(() => (globalThis.sameDocument = true))
  await ask("upload", { configuration, command })
  await page.getByRole("heading", { level: 1, name: "It works" }).waitFor({ timeout: 90_000 })
  ensure(await page.evaluate(() => globalThis.sameDocument), "the page was loaded again")
  ensure(page.url() === address, `the page moved to ${page.url()}`)
  await page.getByText("1 object, 6 B").waitFor()
  await shot(page, "start-4-done")

  await nowhere(page, requests, secret)
  await page.getByRole("link", { name: `Open ${NAME}` }).click()
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor()
  const left = await page.content()
  ensure(!left.includes(secret), "the secret is still in the page after leaving it")
  await nowhere(page, requests, secret)
})

async function copied(page, button) {
  await page.getByRole("button", { name: button, exact: true }).click()
  return page.evaluate(() => navigator.clipboard.readText())
}

/** Looks for the secret wherever a page can leave it, but on the page itself. */
async function nowhere(page, requests, secret) {
  const devtools = await page.context().newCDPSession(page)
  const places = {
    history: await devtools.send("Page.getNavigationHistory"),
    requests,
    cookies: await page.context().cookies(),
    page: await page.evaluate(async () => ({
      title: document.title,
      state: history.state,
      local: { ...localStorage },
      session: { ...sessionStorage },
      databases: await indexedDB.databases(),
      caches: await caches.keys(),
    })),
  }
  for (const [place, content] of Object.entries(places)) {
    ensure(!JSON.stringify(content).includes(secret), `the secret is in ${place}`)
  }
  const { databases, caches } = places.page
  ensure(databases.length === 0 && caches.length === 0, "the page keeps a database or a cache")
}
