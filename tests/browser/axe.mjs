// What axe-core finds on a page; nothing on a good one.
import { createRequire } from "node:module"

const require = createRequire(import.meta.url)

/** Fails with what axe-core finds on the page as it is shown. */
export async function sound(page, name) {
  // A script of the page's own origin is all that its policy lets in; the debugger's way passes it.
  await page.evaluate(await source())
  // The bars around every page are looked at where the shell is.
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run({ exclude: [[".mast"], [".tabbar"]] }),
  )
  const told = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, any, all }) => `${html} ${[...any, ...all].map((c) => c.message)}`).join("; ")}`,
  )
  if (told.length > 0) throw new Error(`axe on ${name}:\n${told.join("\n")}`)
}

async function source() {
  const { readFile } = await import("node:fs/promises")
  return readFile(require.resolve("axe-core/axe.min.js"), "utf8")
}
