// Signing in, making a bucket and deleting it without a pointer; the focus is never lost.
import { ensure, tell } from "./stage.mjs"

const NAME = "by-keyboard"
/** No page asks for more presses of Tab. */
const STEPS = 80

await tell(async ({ open, given, shot }) => {
  const page = await open()
  const { keyboard } = page
  await page.goto("/buckets")
  await page.getByLabel("E-mail").waitFor()
  await reach(page, "textbox", "E-mail")
  await keyboard.type(given.email)
  await keyboard.press("Tab")
  await keyboard.type(given.password)
  await keyboard.press("Enter")
  await page.getByRole("heading", { level: 1, name: "Buckets" }).waitFor()

  await reach(page, "button", "New bucket")
  await seen(page)
  await keyboard.press("Enter")
  await focused(page, "textbox", "Bucket name")
  // Escape closes, and gives the focus back.
  await keyboard.press("Escape")
  await focused(page, "button", "New bucket")
  await keyboard.press("Enter")
  await focused(page, "textbox", "Bucket name")
  await keyboard.type(NAME)
  await keyboard.press("Enter")
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor()
  await focused(page, "heading", NAME)

  // The focus is on the heading, so this is the bucket's own tab.
  await reach(page, "link", "Settings")
  await keyboard.press("Enter")
  await page.getByRole("button", { name: "Delete bucket" }).waitFor()
  await reach(page, "button", "Delete bucket")
  await keyboard.press("Enter")
  await focused(page, "button", "Keep it")
  await keyboard.press("Enter")
  await focused(page, "button", "Delete bucket")
  await keyboard.press("Enter")
  await shot(page, "delete-bucket")
  const act = page.getByRole("dialog").getByRole("button", { name: "Delete bucket" })
  ensure(await act.isDisabled(), "it can be deleted before its name is typed")
  await reach(page, "textbox", `Type ${NAME} to go on`, "Shift+Tab")
  await keyboard.type(NAME)
  await reach(page, "button", "Delete bucket")
  await keyboard.press("Enter")
  await page.getByRole("heading", { level: 1, name: "Buckets" }).waitFor()
  await focused(page, "heading", "Buckets")

  // `/` goes to the search, arrows go from name to name.
  await page.getByRole("table").waitFor()
  await keyboard.press("/")
  await focused(page, "searchbox", "Find by name")
  await keyboard.type("backups")
  await reach(page, "link", "backups-office")
  await keyboard.press("Enter")
  await page.getByRole("heading", { level: 1, name: "backups-office" }).waitFor()
  // The palette finds a page, from anywhere.
  await keyboard.press("Control+k")
  await focused(page, "combobox", "Find or do")
  await keyboard.type("people")
  await keyboard.press("Enter")
  await page.getByRole("heading", { level: 1, name: "People" }).waitFor()
})

/** Presses Tab until what is named has the focus. */
async function reach(page, role, name, key = "Tab") {
  for (let step = 0; step < STEPS; step += 1) {
    if (await has(page, role, name)) return
    await page.keyboard.press(key)
  }
  throw new Error(`${STEPS} steps of ${key} do not reach the ${role} ${name}`)
}

/** Waits until what is named has the focus. */
async function focused(page, role, name) {
  for (let again = 0; again < 200; again += 1) {
    if (await has(page, role, name)) return
    await page.waitForTimeout(50)
  }
  const instead = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))
  throw new Error(`the focus is not on the ${role} ${name} but on ${instead}`)
}

async function has(page, role, name) {
  const all = page.getByRole(role, { name, exact: true })
  for (const one of await all.all()) {
    if (await one.evaluate((element) => element === document.activeElement).catch(() => false)) return true
  }
  return false
}

/** Whether one sees where the focus is. */
async function seen(page) {
  const outline = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
    return outlineStyle === "none" ? 0 : Number.parseFloat(outlineWidth)
  })
  ensure(outline >= 2, "nobody sees where the focus is")
}
