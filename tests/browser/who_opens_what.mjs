// Rights that are changed on the page: gathered, looked through, asked for once, and then so in the storage.
import { sound } from "./checks.mjs"
import { ask, signIn, tell } from "./stage.mjs"

await tell(async ({ open, given, shot }) => {
  const page = await open()
  await page.goto("/keys?show=access")
  await signIn(page, given.email, given.password)
  const cell = (name) => page.getByRole("gridcell", { name, exact: false })

  // By the keyboard: down to the last key, and open the cell.
  await cell("curator on films").focus()
  await page.keyboard.press("PageDown")
  await page.keyboard.press("Enter")
  const pop = page.getByRole("dialog", { name: "reader on films" })
  await pop.getByRole("checkbox", { name: /^Read/ }).check()
  await pop.getByRole("checkbox", { name: /^Write/ }).check()
  await page.keyboard.press("Escape")
  await cell("reader on films: read, write and delete, not applied yet").and(page.locator(":focus")).waitFor()

  // By its letters: the curator only reads from now on.
  await cell("curator on photos").focus()
  await page.keyboard.press("w")
  await page.getByText("2 changes not applied yet.").waitFor()
  await shot(page, "who-opens-what")
  await sound(page, "who opens what")
  await ask("unchanged")

  await page.getByRole("button", { name: "Review and apply" }).click()
  const review = page.getByRole("dialog", { name: "Apply 2 changes?" })
  await review.getByText("programs with curator are refused at once").waitFor()
  await shot(page, "who-opens-what-review")
  await sound(page, "the review")
  await review.getByRole("button", { name: "Apply 2 changes" }).click()
  await page.getByText("2 changes applied.").waitFor()
  await ask("changed")

  // What the command line changes is there by itself.
  await ask("take")
  await cell("reader on films: no access").waitFor()

  // The same on a phone, as a list.
  await page.setViewportSize({ width: 360, height: 780 })
  await page.getByRole("button", { name: "films read, write and delete" }).waitFor({ state: "detached" })
  const line = page.getByRole("listitem").filter({ hasText: "curator" }).getByRole("button", { name: /photos/ })
  await line.click()
  await page.getByRole("dialog").getByRole("checkbox", { name: /^Own/ }).check()
  await page.getByRole("button", { name: "Keep for review" }).click()
  await page.getByText("not applied yet", { exact: true }).waitFor()
  await shot(page, "who-opens-what-phone")
  await sound(page, "who opens what on a phone")
  await page.getByRole("button", { name: "Discard" }).click()
  await page.getByText("1 change not applied yet.").waitFor({ state: "detached" })
})
