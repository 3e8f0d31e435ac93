// What an operator does: enrols a node and sees it go and come back, makes and stops an account, gives
// a stray to it. Every page of theirs is looked at by axe, in light and dark, wide and narrow.
import { sound, widthFaults } from "./checks.mjs"
import { ask, signIn, tell } from "./stage.mjs"

await tell(async ({ open, given, shot }) => {
  const page = await open()
  const title = page.getByRole("heading", { level: 1 })
  const toast = (text) => page.getByRole("status").filter({ hasText: text }).first().waitFor()

  await page.goto("/operator")
  await signIn(page, given.email, given.password)
  await title.filter({ hasText: "Every region is serving. Nothing needs you." }).waitFor()
  await page.getByText("Serving, 1 of 1 node").waitFor()
  await look(page, "fleet", shot)

  // A node is enrolled with the line that the page shows, and the page sees it.
  await page.getByRole("button", { name: "Enrol a node" }).click()
  const dialog = page.getByRole("dialog")
  await dialog.getByText("Waiting for the agent to call.").waitFor()
  const command = await dialog.locator("pre").innerText()
  await look(page, "enrol", shot)
  await ask("enrol", { command })
  await dialog.getByText("It is connected; the token is spent").waitFor()
  await dialog.getByText(/Garage \S+ answers on the server/).waitFor()
  await dialog.getByRole("button", { name: "Close" }).last().click()
  const nodes = page.getByRole("table", { name: /^Nodes of/ })
  await nodes.getByRole("row").nth(2).waitFor()

  // It goes, and comes back. Nobody loads the page again.
  const gone = Date.now()
  await ask("kill")
  await nodes.getByText(/silent for/).waitFor()
  const seen = Date.now() - gone
  await page.getByText(/The agent on .+ has been silent/).waitFor()
  await look(page, "fleet-silent", shot)
  await ask("start")
  await nodes.getByText(/silent for/).waitFor({ state: "detached" })

  // It is removed for good: its name has to be typed.
  const row = nodes.getByRole("row").filter({ hasText: "stands by" })
  const host = await row.getByRole("link").innerText()
  await row.getByRole("link").click()
  await title.filter({ hasText: host }).waitFor()
  await page.getByRole("button", { name: "Check the chain" }).click()
  await page.getByText("No receipts yet. It has carried out nothing.").waitFor()
  await look(page, "node", shot)
  await page.getByRole("button", { name: "Remove the agent" }).click()
  const remove = dialog.getByRole("button", { name: "Remove the agent" })
  if (await remove.isEnabled()) throw new Error("an agent is removed without its name")
  await dialog.getByLabel(/^Type/).fill(host)
  await remove.click()
  await title.filter({ hasText: "This node is not in the fleet" }).waitFor()

  // An account is made, limited, suspended and let go on.
  await page.getByRole("navigation", { name: "Sections" }).first().getByRole("link", { name: "Accounts" }).click()
  await page.getByRole("button", { name: "New account" }).click()
  await dialog.getByLabel("Name").fill("Nordlicht Labs")
  await dialog.getByLabel("E-mail of its first owner").fill("anna@nordlicht.example")
  await dialog.getByRole("button", { name: "Make the account" }).click()
  await title.filter({ hasText: "Nordlicht Labs" }).waitFor()
  const account = page.url().split("/").at(-1)
  await page.getByLabel("Storage", { exact: true }).fill("2 TB")
  await page.getByRole("button", { name: "Set the limits" }).click()
  await page.getByText("2.00 TB left of 2.00 TB").waitFor()
  await page.getByRole("button", { name: "Suspend" }).click()
  await dialog.getByLabel("Reason").fill("An invoice is open.")
  await dialog.getByRole("button", { name: "Suspend" }).click()
  await page.getByText("Suspended: An invoice is open.").waitFor()
  await look(page, "account", shot)
  await page.getByRole("button", { name: "Resume" }).click()
  await toast("Nordlicht Labs goes on as it was.")
  await page.goto("/operator/accounts")
  await page.getByRole("link", { name: "Nordlicht Labs" }).waitFor()
  await look(page, "accounts", shot)

  // A bucket that somebody made on the node is found, left alone, listed again, and given away.
  await ask("stray")
  await page.goto(`/operator/regions/${given.region}`)
  await page.getByRole("button", { name: "Read all again" }).click()
  await toast("were read again")
  await look(page, "region", shot)
  await page.goto("/operator/alerts")
  await page.getByText("1 bucket in local belongs to nobody").waitFor()
  await look(page, "alerts", shot)
  await page.getByRole("link", { name: "Adopt or ignore" }).click()
  const stray = page.getByRole("row").filter({ hasText: "tmp-migration" })
  await look(page, "strays", shot)
  await stray.getByRole("button", { name: "Leave alone" }).click()
  await page.getByText("Everything belongs to somebody").waitFor()
  await page.getByRole("button", { name: "Undo" }).click()
  await stray.getByRole("button", { name: "Give to an account" }).click()
  await dialog.getByLabel("Account").selectOption({ label: "Nordlicht Labs" })
  await dialog.getByRole("button", { name: "Give it" }).click()
  await toast("tmp-migration is Nordlicht Labs's now.")
  await ask("adopted", { account })

  // What was sent stands in the list of commands, and nothing is under way.
  await page.goto("/operator/commands")
  await page.getByRole("row").filter({ hasText: "bucket.adopt" }).getByText(/^Done in/).waitFor()
  await look(page, "commands", shot)
  await page.goto("/operator/commands?show=security")
  await page.getByText(/^Agent .+ was removed/).waitFor()
  await look(page, "security", shot)
  await page.goto("/operator/jobs")
  await title.filter({ hasText: "Nothing is under way." }).waitFor()
  await look(page, "jobs", shot)

  return { seen_after_millis: seen }
})

/** Axe finds nothing and no page scrolls sideways, in either theme, wide and narrow. */
async function look(page, name, shot) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1440, 820, 360]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
      await page.setViewportSize({ width, height: 900 })
      await sound(page, `${name}, ${width}, ${colorScheme}`)
      const wide = await widthFaults(page)
      if (wide.length > 0) throw new Error(`${name} at ${width}: ${wide.join("\n")}`)
      await shot(page, `operator-${name}-${width}-${colorScheme}`)
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" })
  await page.setViewportSize({ width: 1440, height: 900 })
}
