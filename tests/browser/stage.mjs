// The stage of a browser story: Chromium with a new profile, and pages of which everything is noted.
// A story of the Rust side starts a script here with one line of JSON on standard input; lines of JSON
// go to and fro after that: `{"ask": what, "with": …}` asks the Rust side to do something beside the
// browser and is answered by one line; `{"at": place}` says where it is; `{"done": …}` ends the story well, `{"failed": words}` badly.
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { chromium } from "playwright-core"

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]
/** Nothing on one machine takes longer, milliseconds. */
const PATIENCE = 30_000

/** A picture is cut off below, pixels. */
const HIGHEST = 6000

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const receive = async () => JSON.parse((await lines.next()).value)
const send = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** Asks the Rust side to do something; gives what it answers. */
export async function ask(what, given = {}) {
  send({ ask: what, with: given })
  const answer = await receive()
  if (answer.failed) throw new Error(`${what}: ${answer.failed}`)
  return answer.done
}

/** Says where the story is: it is alive, however long it takes. */
export const at = (place) => send({ at: place })

/** Runs `storm` with these words; gives what it printed. */
export const storm = (...words) => ask("storm", words)

/** Ends the story unless it is so. */
export function ensure(so, words) {
  if (!so) throw new Error(words)
}

/**
 * Tells a story. It gets `{ browser, open, given, requests, shot }`: `open(options)` makes a page of its
 * own, with cookies of its own, `given` is what the Rust side passed, `requests` holds every request so
 * far, `shot(page, name)` takes a screenshot.
 */
export async function tell(story) {
  const given = await receive()
  const profile = await mkdtemp(join(tmpdir(), "storm-browser-"))
  const browser = await chromium.launch({
    executablePath: given.chromium,
    headless: true,
    args: ARGUMENTS,
    env: { ...process.env, HOME: profile },
  })
  const troubles = []
  const requests = []
  const pages = []
  const shot = (page, name) => screenshot(given.screenshots, page, name)
  const open = async (options = {}) => {
    const context = await browser.newContext({
      baseURL: given.dashboard_url,
      viewport: { width: 1440, height: 900 },
      reducedMotion: "reduce",
      ...options,
    })
    context.setDefaultTimeout(PATIENCE)
    await watch(context, { given, troubles, requests, pages })
    return context.newPage()
  }
  try {
    const result = await story({ browser, open, given, requests, shot })
    if (troubles.length > 0) throw new Error(`the page had troubles:\n${troubles.join("\n")}`)
    send({ done: result ?? null })
  } catch (error) {
    for (const [at, page] of pages.entries()) await shot(page, `failed-${given.story}-${at}`).catch(() => {})
    const more = troubles.length > 0 ? `\ntroubles of the page:\n${troubles.join("\n")}` : ""
    send({ failed: `${error.stack ?? error}${more}` })
    process.exitCode = 1
  } finally {
    await browser.close()
    await rm(profile, { recursive: true, force: true })
    // The Rust side keeps its end open.
    process.stdin.destroy()
  }
}

/** Signs in on the page that is shown. */
export async function signIn(page, email, password) {
  await page.getByLabel("E-mail").fill(email)
  await page.getByLabel("Password", { exact: true }).fill(password)
  await page.getByRole("button", { name: "Sign in", exact: true }).click()
}

/** A page that is signed in, at `path`. */
export async function arrive(open, given, path = "/buckets", options = {}) {
  const page = await open(options)
  await page.goto(path)
  await signIn(page, given.email, given.password)
  await page.getByRole("navigation", { name: "Sections" }).first().waitFor({ state: "attached" })
  return page
}

/**
 * Notes every request, and as troubles: requests to other origins, what the policy of content refused,
 * errors in the console, and errors that nobody caught.
 */
async function watch(context, { given, troubles, requests, pages }) {
  const allowed = [given.dashboard_url, ...(given.allowed_origins ?? [])].map((url) => new URL(url).origin)
  context.on("page", (page) => pages.push(page))
  context.on("request", (request) => {
    const url = request.url()
    requests.push({ url, method: request.method(), body: request.postData() ?? "" })
    if (/^(data|blob):/.test(url) || allowed.includes(new URL(url).origin)) return
    troubles.push(`a request to another origin: ${url}`)
  })
  context.on("weberror", (error) => troubles.push(`nobody caught: ${error.error()?.stack ?? error.error()}`))
  context.on("console", (message) => {
    if (message.type() !== "error") return
    // An answer such as 401 or 409 is Chromium's own line, not the page's.
    if (message.text().startsWith("Failed to load resource")) return
    troubles.push(`console: ${message.text()}`)
  })
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
      console.error(`the policy of content refused ${blockedURI} (${effectiveDirective})`),
    )
  })
}

/** The whole page, as if the screen were as high: what is fixed to its end stands at the end. */
async function screenshot(folder, page, name) {
  if (!folder) return
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${name}.png`)
  const screen = page.viewportSize()
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  if (height > screen.height)
    await page.setViewportSize({ width: screen.width, height: Math.min(height, HIGHEST) })
  await page.screenshot({ path })
  if (height > screen.height) await page.setViewportSize(screen)
}
