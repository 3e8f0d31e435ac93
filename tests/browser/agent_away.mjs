// The agent goes away: said before, while and after; the bucket keeps serving; back without reload.
import { arrive, ask, ensure, storm, tell } from "./stage.mjs"

const NAME = "asked-while-away"

await tell(async ({ open, given, shot }) => {
  const page = await arrive(open, given)
  await page.evaluate(() => (globalThis.sameDocument = true))
  await page.getByRole("button", { name: "New bucket" }).click()
  const dialog = page.getByRole("dialog", { name: "New bucket" })
  const foot = dialog.getByRole("status")
  await foot.getByText("agent is connected").waitFor()
  await dialog.getByLabel("Bucket name").fill(NAME)

  // Before.
  await ask("agent away")
  await foot
    .getByText("agent is away. Buckets there keep serving. A change waits up to 10 minutes.")
    .waitFor()
  await ask("serves")

  // While: it waits, and can be cancelled; the form stays.
  const create = dialog.getByRole("button", { name: "Create bucket" })
  await create.click()
  await foot.getByText("This waits until").waitFor()
  await shot(page, "agent-away-waits")
  await foot.getByRole("button", { name: "Cancel it" }).click()
  await dialog.getByText("Cancelled. Nothing was changed.").waitFor()
  await shot(page, "agent-away-cancelled")
  ensure((await dialog.getByLabel("Bucket name").inputValue()) === NAME, "the form is not kept")
  ensure(!(await storm("bucket", "list")).includes(NAME), "it was made though it was cancelled")

  // After: asked again, it is done as soon as the agent is back.
  await create.click()
  await foot.getByText("This waits until").waitFor()
  await ask("serves")
  await ask("agent back")
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor({ timeout: 90_000 })
  await page.getByText("Serving from").waitFor()
  ensure((await storm("bucket", "list")).includes(NAME), "it was not made")

  // What waits is seen by those who did not ask, and its end too.
  await page.getByRole("link", { name: "Activity" }).first().click()
  await page.getByRole("heading", { level: 1 }).waitFor()
  const rows = page.getByRole("row", { name: NAME })
  await rows.filter({ hasText: "cancelled" }).waitFor()
  await rows.filter({ hasNotText: "cancelled" }).waitFor()
  ensure(await page.evaluate(() => globalThis.sameDocument), "the page was loaded again")
})
