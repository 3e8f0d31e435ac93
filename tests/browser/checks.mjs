// What holds for every page, whatever is on it. Each check gives the faults that it finds, in words.
import axe from "axe-core"

/** WCAG 2.2's smallest target, and Apple's and Google's for fingers. */
const FINGER = 44
/** As Lighthouse and the field call it good. */
const SHIFT = 0.1

/** All rules of axe, those too that wait to become the standard. */
export async function axeFaults(page) {
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    const rules = { "target-size": { enabled: true }, "label-content-name-mismatch": { enabled: true } }
    const { violations } = await axe.run(document, { rules, resultTypes: ["violations"] })
    return violations.map(({ id, help, nodes }) => ({
      id,
      help,
      at: nodes.map(({ target }) => target.join(" ")),
    }))
  })
  return violations.map(({ id, help, at }) => `axe ${id}: ${help}: ${at.slice(0, 3).join(", ")}`)
}

/** Ends the story unless axe finds nothing on the page as it is shown. */
export async function sound(page, name) {
  // A page's code comes when it is first wanted.
  await page.getByRole("heading", { level: 1 }).first().waitFor()
  const faults = await axeFaults(page)
  if (faults.length > 0) throw new Error(`${name}:\n${faults.join("\n")}`)
}

/** One h1, no level skipped, a language, a title of the page's own, and no style in an attribute. */
export function outlineFaults(page) {
  return page.evaluate(() => {
    const faults = []
    const seen = (element) => element.checkVisibility() && !element.closest("dialog")
    const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
      .filter(seen)
      .map(({ tagName }) => Number(tagName[1]))
    const firsts = levels.filter((level) => level === 1).length
    if (firsts !== 1) faults.push(`${firsts} headings of the first level`)
    levels.forEach((level, at) => {
      const before = levels[at - 1] ?? 0
      if (level > before + 1) faults.push(`a heading of level ${level} follows one of level ${before}`)
    })
    for (const trouble of document.querySelectorAll(".trouble"))
      faults.push(`it says ${trouble.textContent.trim()}`)
    if (!document.documentElement.lang) faults.push("no language is said")
    if (!document.title.endsWith("Storm Buckets") || document.title.length < 20)
      faults.push(`the title says ${document.title}`)
    if (document.compatMode !== "CSS1Compat" || document.characterSet !== "UTF-8")
      faults.push("an old kind of document")
    return faults
  })
}

/** Nothing makes the page wider than the screen. */
export function widthFaults(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return []
    const wide = [...document.querySelectorAll("body *")].filter(
      (one) => one.getBoundingClientRect().right > clientWidth + 1,
    )
    const names = wide.slice(0, 3).map((one) => `${one.tagName.toLowerCase()}.${one.className}`)
    return [`${scrollWidth} px wide on a screen of ${clientWidth}: ${names.join(", ")}`]
  })
}

/** On touch, whatever can be touched is as large as a finger; links within a line of text are excepted. */
export function targetFaults(page) {
  return page.evaluate((least) => {
    const targets = document.querySelectorAll(
      "a[href], button, input, select, textarea, summary, [role=tab], [role=menuitem], [role=slider]",
    )
    const faults = new Set()
    for (const target of targets) {
      // What can be pressed instead of it counts too.
      const element = target.closest("label") ?? target
      const style = getComputedStyle(element)
      if (!target.checkVisibility({ visibilityProperty: true }) || style.clipPath !== "none") continue
      if (style.display === "inline" || element.closest("[inert]")) continue
      const box = element.getBoundingClientRect()
      if (box.width === 0 || box.right < 0) continue
      // A pseudo-element may make it larger than it looks.
      const around = getComputedStyle(element, "::after")
      const reach =
        around.position === "absolute" && around.content !== "none" ? Number.parseFloat(around.height) : 0
      if (Math.max(box.height, reach) < least - 0.5)
        faults.add(
          `${Math.round(box.width)} × ${Math.round(box.height)} px to touch: ${element.outerHTML.replace(/>.*/s, ">")}`,
        )
    }
    return [...faults]
  }, FINGER)
}

/** Counts from the start how far things move by themselves. */
export function watchShifts(page) {
  return page.addInitScript(() => {
    globalThis.shifts = []
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries()) {
        if (hadRecentInput) continue
        const moved = sources.map(
          ({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent?.slice(0, 40),
        )
        globalThis.shifts.push({ value, moved })
      }
    }).observe({ type: "layout-shift", buffered: true })
  })
}

export async function shiftFaults(page) {
  const shifts = await page.evaluate(() => globalThis.shifts)
  const sum = shifts.reduce((sum, { value }) => sum + value, 0)
  if (sum < SHIFT) return []
  return [
    `things move by ${sum.toFixed(3)}: ${JSON.stringify(shifts.flatMap(({ moved }) => moved).slice(0, 4))}`,
  ]
}

/** What the browser itself finds wrong (deprecated things, cookies, policies), as Lighthouse's best practices do. */
export async function watchIssues(page) {
  const devtools = await page.context().newCDPSession(page)
  const issues = []
  devtools.on("Audits.issueAdded", ({ issue }) =>
    issues.push(`Chromium: ${issue.code} ${JSON.stringify(issue.details)}`),
  )
  await devtools.send("Audits.enable")
  return issues
}
