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
/** An answer is held back for less than this, milliseconds: a page without news for longer counts as still. */
const LATEST_MILLIS = 200

/** Lets answers come in the order of their names, or the other way round: a page may lean on no order of theirs. */
function answerInTurns(page, { backwards }) {
  return page.route("**/api/v1/**", async (route) => {
    const [, initial] = /\/api\/v1\/([a-z])/.exec(route.request().url())
    const part = (initial.charCodeAt(0) - 97) / 26
    await new Promise((done) => setTimeout(done, LATEST_MILLIS * (backwards ? 1 - part : part)))
    // The page may have gone on meanwhile.
    await route.continue().catch(() => {})
  })
}

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
    await answerInTurns(page, { backwards: width === 360 })
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
