// The first bucket of a new account, made on the first page that its person sees.
import { ask, signIn, tell } from "./stage.mjs"

await tell(async ({ open, given, shot }) => {
  const page = await open()
  await page.goto("/")
  await shot(page, "sign-in")
  await signIn(page, given.email, given.password)
  await page.waitForURL("**/start")
  await page.getByRole("heading", { level: 1 }).waitFor()
  await shot(page, "first-run")
  await ask("look", { url: page.url() })
})
