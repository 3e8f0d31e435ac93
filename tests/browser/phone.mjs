// A phone of 360 pixels: everything is reached by touch, and nothing moves sideways but what may.
import { widthFaults } from "./checks.mjs"
import { arrive, ensure, storm, tell } from "./stage.mjs"

const SCREEN = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true }
const NAME = "by-thumb-with-a-name-that-is-longer-than-the-screen-is-wide-0"

await tell(async ({ open, given, shot }) => {
  await storm("bucket", "create", NAME, "--no-key")
  const page = await arrive(open, given, "/", SCREEN)
  const bar = page.getByRole("navigation", { name: "Sections" }).filter({ visible: true })
  const at = async (heading) => {
    await page.getByRole("heading", { level: 1, name: heading }).waitFor()
    const faults = await widthFaults(page)
    ensure(faults.length === 0, `${heading}: ${faults}`)
  }

  await bar.getByRole("link", { name: "Keys" }).tap()
  await at("Keys")
  await bar.getByRole("link", { name: "Activity" }).tap()
  await at("Activity")
  for (const section of ["People", "Settings"]) {
    await bar.getByRole("button", { name: "More sections" }).tap()
    await page.getByRole("menu", { name: "More sections" }).getByText(section).tap()
    await at(section)
  }
  await bar.getByRole("link", { name: "Buckets" }).tap()
  await at("Buckets")
  await page.getByRole("link", { name: NAME }).tap()
  await at(NAME)
  await shot(page, "phone-bucket")

  // The row of tabs is wider than the screen: it moves in itself, to its end.
  const tabs = page.getByRole("navigation", { name: `Parts of ${NAME}` })
  const last = tabs.getByRole("link", { name: "Settings" })
  await last.tap()
  await page.getByRole("button", { name: "Delete bucket" }).tap()
  const dialog = page.getByRole("dialog", { name: `Delete ${NAME}?` })
  await dialog.waitFor()
  await shot(page, "phone-delete")
  const box = await dialog.boundingBox()
  ensure(box.x === 0 && box.width === 360, "the sheet is not as wide as the screen")
  ensure(Math.abs(box.y + box.height - 780) < 1, "the sheet does not stand at the end of the screen")
  await dialog.getByRole("button", { name: "Keep it" }).tap()
  await dialog.waitFor({ state: "detached" })
})
