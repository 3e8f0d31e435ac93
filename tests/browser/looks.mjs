// Every page in light and dark, at three widths: what axe finds, how it is read, whether things move or
// stand out of the screen; and a picture of each for a person to look at.
import {
  axeFaults,
  outlineFaults,
  shiftFaults,
  targetFaults,
  watchIssues,
  watchShifts,
  widthFaults,
} from "./checks.mjs"
import { pagesOf, settled, visit } from "./pages.mjs"
import { arrive, tell } from "./stage.mjs"

const SCREENS = [
  { width: 1440, viewport: { width: 1440, height: 900 } },
  { width: 820, viewport: { width: 820, height: 1180 } },
  { width: 360, viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true },
]
const THEMES = ["light", "dark"]

await tell(async ({ open, given, shot }) => {
  const first = await arrive(open, given)
  const storageState = await first.context().storageState()
  await first.context().close()

  const faults = []
  for (const { width, ...screen } of SCREENS) {
    const look = async (page, name, path) => {
      await visit(page, path)
      const found = [
        ...(await outlineFaults(page)),
        ...(await widthFaults(page)),
        ...(await shiftFaults(page)),
      ]
      if (width === 360) found.push(...(await targetFaults(page)))
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme })
        await settled(page)
        found.push(...(await axeFaults(page)).map((fault) => `${fault} (${theme})`))
        await shot(page, `${name}-${width}-${theme}`)
      }
      faults.push(...found.map((fault) => `${name} at ${width}: ${fault}`))
    }
    const page = await open({ storageState, ...screen })
    await watchShifts(page)
    const issues = await watchIssues(page)
    const wanted = Object.entries(pagesOf(given.bucket)).filter(
      ([name]) => !given.only || name.match(given.only),
    )
    for (const [name, path] of wanted) await look(page, name, path)
    faults.push(...issues)

    const stranger = await open(screen)
    await watchShifts(stranger)
    if (!given.only) await look(stranger, "sign-in", "/")
    await page.context().close()
    await stranger.context().close()
  }
  if (faults.length > 0) throw new Error(`${faults.length} faults:\n${[...new Set(faults)].join("\n")}`)
})
