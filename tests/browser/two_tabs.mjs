// What another tab or the command line does appears without reload; after a sleep nothing is missed.
import { arrive, ensure, storm, tell } from "./stage.mjs"

await tell(async ({ open, given, shot }) => {
  const one = await arrive(open, given)
  const other = await one.context().newPage()
  await other.goto("/buckets")
  await bucket(other, "backups-office").waitFor()
  for (const page of [one, other]) await page.evaluate(() => (globalThis.sameDocument = true))

  await one.getByRole("button", { name: "New bucket" }).click()
  await one.getByLabel("Bucket name").fill("made-in-a-tab")
  await one.getByRole("button", { name: "Create bucket" }).click()
  await bucket(other, "made-in-a-tab").waitFor()

  await one.getByRole("link", { name: "Buckets", exact: true }).first().click()
  await storm("bucket", "create", "made-by-command", "--no-key")
  for (const page of [one, other]) await bucket(page, "made-by-command").waitFor()
  await storm("bucket", "delete", "made-in-a-tab", "--yes")
  for (const page of [one, other]) await bucket(page, "made-in-a-tab").waitFor({ state: "detached" })

  // One tab sleeps; the other goes on.
  const network = await one.context().newCDPSession(one)
  const offline = (offline) =>
    network.send("Network.emulateNetworkConditions", {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    })
  await network.send("Network.enable")
  await offline(true)
  await one.getByText("This page lost its connection").waitFor()
  await shot(one, "connection-lost")
  await storm("bucket", "create", "made-while-asleep", "--no-key")
  await storm("bucket", "delete", "made-by-command", "--yes")
  await bucket(other, "made-while-asleep").waitFor()
  ensure((await bucket(one, "made-by-command").count()) === 1, "what was there is blanked while offline")
  await offline(false)
  await bucket(one, "made-while-asleep").waitFor()
  await bucket(one, "made-by-command").waitFor({ state: "detached" })
  await one.getByText("This page lost its connection").waitFor({ state: "detached" })
  // Live again, not only read again.
  await storm("bucket", "create", "made-when-awake", "--no-key")
  await bucket(one, "made-when-awake").waitFor()

  for (const page of [one, other]) {
    ensure(await page.evaluate(() => globalThis.sameDocument), "a page was loaded again")
  }
})

function bucket(page, name) {
  return page.getByRole("table").getByRole("link", { name, exact: true })
}
