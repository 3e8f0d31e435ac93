// People and how they get in: an invitation, a forgotten password, an authenticator app, a proof that is asked
// for again, a program that is let in, an account that is closed and stays; and what the trail says of it.
import { sound } from "./checks.mjs"
import { ask, tell } from "./stage.mjs"

const ANNA = "anna@nordlicht.example"
const BEA = "bea@kesselhaus.example"
const PASSWORD = "quiet harbour lantern 9"
const RENEWED = "another harbour lantern 4"

/** Ends the story unless it is so. */
function ensure(so, words) {
  if (!so) throw new Error(words)
}

async function enter(page, email, password) {
  await page.getByLabel("E-mail").fill(email)
  await page.getByLabel("Password", { exact: true }).fill(password)
  await page.getByRole("button", { name: "Sign in", exact: true }).click()
}

const button = (page, name) => page.getByRole("button", { name, exact: true })
const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor()
const said = (page, words) => page.getByText(words).first().waitFor()

/** Goes to a link of an e-mail; its secret is gone from the address at once. */
async function follow(page, link) {
  await page.goto(link)
  await page.getByRole("heading", { level: 1 }).waitFor()
  ensure(!page.url().includes("#"), `the secret stays in the address: ${new URL(page.url()).pathname}#…`)
}

await tell(async ({ open, given, shot }) => {
  const owner = await open()
  await owner.goto("/settings")
  await enter(owner, given.email, given.password)
  await heading(owner, "Settings")

  // Somebody is asked in, answers the e-mail, and is in without signing in once more.
  await owner.goto("/people")
  await button(owner, "Ask somebody in").click()
  await owner.getByLabel("E-mail").fill(ANNA)
  await owner.getByText("Viewer").click()
  await button(owner, "Send the e-mail").click()
  await said(owner, `An e-mail is on its way to ${ANNA}.`)
  await button(owner, "Send again").click()
  await said(owner, "The old one no longer works.")
  const anna = await open({ colorScheme: "dark" })
  await follow(anna, await ask("link", { email: ANNA }))
  await said(anna, "asks you in as viewer")
  await sound(anna, "the invitation")
  await shot(anna, "invitation")
  await anna.getByLabel("New password").fill("password")
  await anna.getByRole("button", { name: /^Join/ }).click()
  await anna.getByRole("alert").or(anna.locator("[aria-invalid=true]")).first().waitFor()
  await anna.getByLabel("New password").fill(PASSWORD)
  await anna.getByRole("button", { name: /^Join/ }).click()
  await anna.getByRole("navigation", { name: "Sections" }).first().waitFor()
  await anna.goto("/people")
  await said(anna, "Two people are in")
  ensure((await button(anna, "Ask somebody in").count()) === 0, "a viewer is offered to ask somebody in")
  ensure((await anna.getByRole("link", { name: "Audit trail" }).count()) === 0, "a viewer is offered the trail")

  // A forgotten password.
  const forgetful = await open({ viewport: { width: 360, height: 780 } })
  await forgetful.goto("/")
  await forgetful.getByLabel("E-mail").fill(ANNA)
  await forgetful.getByRole("link", { name: "Forgot your password?" }).click()
  await sound(forgetful, "a forgotten password")
  await button(forgetful, "Send me the link").click()
  await said(forgetful, "a link is on its way")
  await follow(forgetful, await ask("link", { email: ANNA, part: "/password#" }))
  await forgetful.getByLabel("New password").fill(RENEWED)
  await button(forgetful, "Set it").click()
  await heading(forgetful, "Your new password is set")
  await forgetful.getByRole("link", { name: "Sign in" }).click()
  await enter(forgetful, ANNA, RENEWED)
  await forgetful.getByRole("navigation", { name: "Sections" }).last().waitFor()

  // What is dangerous asks again who is there, keeps the form, and then goes on by itself.
  await ask("age the proofs")
  await owner.goto("/settings")
  await button(owner, "New API token").click()
  await owner.getByLabel("Name", { exact: true }).fill("backup-host")
  await owner.getByText("Look only").click()
  await button(owner, "Make the token").click()
  await owner.getByRole("heading", { name: "Confirm that it is you" }).waitFor()
  await sound(owner, "the proof")
  await shot(owner, "prove-again")
  await owner.getByRole("dialog").last().getByLabel("Password").fill("not this one")
  await button(owner, "Confirm and go on").click()
  await said(owner, "That is not your password.")
  await owner.getByRole("dialog").last().getByLabel("Password").fill(given.password)
  await button(owner, "Confirm and go on").click()
  await owner.getByRole("heading", { name: "Take the token now. It is shown once." }).waitFor()
  const token = await owner.locator(".reveal .mono").innerText()
  const may = await ask("try the token", { token })
  ensure(may.reads === 200 && may.makes === 403, `the token may ${JSON.stringify(may)}`)
  await owner.getByLabel("I have saved the token").check()
  await button(owner, "Done").click()
  await owner.getByRole("cell", { name: "backup-host" }).waitFor()

  // An authenticator app; signing in takes a second step from then on, and a recovery code is one.
  await button(owner, "Set up an authenticator app").click()
  const secret = (await owner.locator("dialog .secret .mono").innerText()).replaceAll(" ", "")
  await sound(owner, "setting up an authenticator app")
  await owner.getByLabel("Code").fill(await ask("code", { secret }))
  await button(owner, "Turn it on").click()
  await owner.getByRole("heading", { name: "Save the recovery codes. They are shown once." }).waitFor()
  const codes = await owner.locator("dialog .codes li").allInnerTexts()
  ensure(codes.length === 10, `${codes.length} recovery codes`)
  const [saved] = await Promise.all([owner.waitForEvent("download"), button(owner, "Download").click()])
  ensure(saved.suggestedFilename().endsWith(".txt"), saved.suggestedFilename())
  await owner.getByLabel("I have saved the codes").check()
  await button(owner, "Done").click()
  await said(owner, "Signing in takes your password and six digits of the app.")
  await sound(owner, "the settings")
  const again = await open()
  await again.goto("/activity")
  await enter(again, given.email, given.password)
  await heading(again, "One more step")
  await sound(again, "the second step")
  await shot(again, "second-step")
  await button(again, "Use a recovery code").click()
  await again.getByLabel("Recovery code").fill("aaaa-aaaa-aaaa-aaaa")
  await button(again, "Go on").click()
  await said(again, "The code is wrong")
  await again.getByLabel("Recovery code").fill(codes[0])
  await button(again, "Go on").click()
  await heading(again, "Activity")

  // A program is let in.
  const code = await ask("begin a login")
  await again.goto(`/device#${code}`)
  await heading(again, "Let a program in?")
  ensure(!again.url().includes("#"), "the code stays in the address")
  await said(again, code)
  await sound(again, "letting a program in")
  await shot(again, "device")
  await button(again, "Approve: I started it").click()
  await heading(again, "The program is let in")
  await ask("the login ends well")

  // Receipts are checked as they come; the trail tells of all this.
  await again.goto("/activity")
  await ask("make a bucket")
  await again.getByText("forms one unbroken chain").or(again.getByText("form one unbroken chain")).waitFor()
  await again.getByText("Receipt verified").first().waitFor()
  await sound(again, "the activity")
  await again.getByRole("link", { name: "Audit trail" }).click()
  await heading(again, "Audit trail")
  await again.getByLabel("What").selectOption({ label: "Ways to sign in" })
  await again.getByRole("cell", { name: /Add a way to sign in/ }).first().waitFor()
  ensure(again.url().includes("act=sign_in_method"), "the filter is not in the address")
  await again.getByLabel("What").selectOption({ label: "Anything" })
  await again.getByLabel("Result", { exact: true }).selectOption({ label: "Refused or failed" })
  await again.getByText("Refused: wrong password").first().waitFor()
  await sound(again, "the audit trail")
  await shot(again, "audit")

  // An account is closed by its owner, who types its name, and the closing is cancelled.
  await ask("make an account", { owner: BEA })
  const bea = await open()
  await follow(bea, await ask("link", { email: BEA }))
  await bea.getByLabel("New password").fill(PASSWORD)
  await bea.getByRole("button", { name: /^Join/ }).click()
  await bea.waitForURL("**/start")
  await bea.goto("/settings/account")
  await button(bea, "Close the account").click()
  const dialog = bea.getByRole("dialog")
  ensure(await dialog.getByRole("button", { name: "Close the account" }).isDisabled(), "it closes without the name")
  await dialog.getByLabel("Type Kesselhaus to go on").fill("Kesselhaus")
  await dialog.getByRole("button", { name: "Close the account" }).click()
  await said(bea, "Kesselhaus is being closed.")
  await sound(bea, "a closing account")
  await shot(bea, "closing")
  await button(bea, "Cancel the closing").click()
  await said(bea, "The account stays.")
})
