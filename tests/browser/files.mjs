// Files of a bucket, straight at the storage: let in, uploaded, downloaded, deleted, and the key gone after.
import { readFile } from "node:fs/promises"
import { sound } from "./checks.mjs"
import { ask, signIn, tell } from "./stage.mjs"

const NAME = "harbour (1) at dusk + ä.txt"
const TEXT = "The lamps are lit."

await tell(async ({ open, given, shot }) => {
  const page = await open({ acceptDownloads: true })
  // No name and no byte of an object goes to the control plane.
  const told = []
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(given.dashboard_url).origin) return
    const all = `${decodeURIComponent(request.url())} ${request.postData() ?? ""}`
    if (all.includes("harbour") || all.includes(TEXT)) told.push(request.url())
  })
  await page.goto(`/buckets/${given.bucket}/files`)
  await signIn(page, given.email, given.password)

  await page.getByRole("button", { name: "Let this page in" }).click()
  await page.getByRole("button", { name: "Also upload and delete" }).click()
  await shot(page, "files-door")
  await sound(page, "the door of the files")
  await page.getByRole("button", { name: "Open the files" }).click()
  await page.getByText("No objects yet").waitFor()
  await ask("key", { there: true })

  const files = [{ name: NAME, mimeType: "text/plain", buffer: Buffer.from(TEXT) }]
  await page.getByLabel("Files to upload").setInputFiles(files)
  await page.getByRole("button", { name: NAME, exact: true }).click()
  await page.getByRole("complementary", { name: "The selected file" }).getByText("text/plain").waitFor()
  await shot(page, "files")
  await sound(page, "the files")
  await ask("object", { name: NAME, bytes: TEXT.length })

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download", exact: true }).click(),
  ])
  if (download.suggestedFilename() !== NAME) throw new Error(download.suggestedFilename())
  const saved = await readFile(await download.path(), "utf8")
  if (saved !== TEXT) throw new Error(`saved: ${saved}`)

  // What is there is replaced only when somebody says so.
  await page.getByLabel("Files to upload").setInputFiles(files)
  await page.getByRole("button", { name: "Send nothing" }).click()

  await page.getByRole("button", { name: "Delete", exact: true }).click()
  const sure = page.getByRole("dialog", { name: `Delete ${NAME}?` })
  await sure.getByLabel(`Type ${NAME} to go on`).fill(NAME)
  await sure.getByRole("button", { name: "Delete", exact: true }).click()
  await page.getByText("No objects yet").waitFor()

  await page.getByRole("link", { name: "Usage" }).click()
  await page.getByRole("heading", { name: "Over time" }).waitFor()
  await ask("key", { there: false })
  if (told.length > 0) throw new Error(`the control plane was told: ${told.join(", ")}`)
})
