// Ten thousand buckets: on a cold load the list is soon there; finding and sorting are at once.
import { arrive, ensure, tell } from "./stage.mjs"

await tell(async ({ open, given, shot }) => {
  const first = await arrive(open, given)
  const storageState = await first.context().storageState()
  await first.context().close()

  const page = await open({ storageState })
  const times = {}
  const timed = async (what, act) => {
    const start = performance.now()
    await act()
    times[what] = Math.round(performance.now() - start)
  }
  const find = page.getByRole("searchbox", { name: "Find by name" })
  const rows = page.getByRole("table").getByRole("row")
  await timed("first_rows", async () => {
    await page.goto("/buckets", { waitUntil: "commit" })
    await rows.nth(5).waitFor()
    await find.waitFor()
  })
  await timed("all_rows", () => page.getByText("10,000 buckets hold 50.0 TB.").waitFor())
  await shot(page, "buckets-10000")
  ensure((await rows.count()) < 200, "all rows are in the page at once")

  await timed("find", async () => {
    await page.keyboard.press("/")
    await page.keyboard.type("07777")
    await page.getByText("1 of 10,000 shown").waitFor()
  })
  await page.getByRole("link", { name: "archive-07777" }).waitFor()
  ensure(page.url().includes("q=07777"), "what is looked for is not in the address")
  await find.fill("")

  const firstRow = rows.nth(1)
  await timed("sort", async () => {
    await page.getByRole("button", { name: "Name" }).click()
    await firstRow.getByText("archive-00001").waitFor()
  })
  await page.getByRole("button", { name: "Name" }).click()
  await firstRow.getByText("archive-10000").waitFor()
  ensure(
    (await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort")) === "descending",
    "the order is not said",
  )

  // The end of the list is as near as its beginning.
  await timed("end", async () => {
    await page.keyboard.press("End")
    await page.getByRole("link", { name: "archive-00001" }).waitFor()
  })
  await page.keyboard.press("Home")
  const name = page.getByRole("link", { name: "archive-10000" })
  await name.focus()
  // Far enough that rows come which were not there.
  for (let step = 0; step < 60; step += 1) await page.keyboard.press("ArrowDown")
  const at = await page.evaluate(() => document.activeElement?.textContent)
  ensure(at === "archive-09940", `60 steps down lead to ${at}`)
  await page.keyboard.press("Enter")
  await page.getByRole("heading", { level: 1, name: "archive-09940" }).waitFor()
  await page.goBack()
  await page.getByText("10,000 buckets hold 50.0 TB.").waitFor()
  ensure(page.url().includes("sort="), "the order is lost on the way back")
  return times
})
