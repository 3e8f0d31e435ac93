import { expect, it } from "vitest"
import { configurations } from "./configurations"

const access = {
  endpoint: "https://s3.fsn.example",
  region: "fsn",
  bucket: "media",
  key: "GK31c2f2186be04d7d8a5290bf",
  secret: "5ec4e7",
}

it("has a configuration for each program, whole", () => {
  const all = configurations(access)
  expect(all.map(({ id }) => id)).toEqual(["rclone", "aws", "s3cmd", "restic", "boto3", "terraform"])
  for (const { text, first } of all) {
    expect(text).toContain(access.key)
    expect(text).toContain(access.secret)
    expect(text).toContain("s3.fsn.example")
    expect(text + first).toContain(access.region)
  }
})

it("tells s3cmd of plain HTTP", () => {
  const plain = configurations({ ...access, endpoint: "http://127.0.0.1:3900" })
  const text = plain.find(({ id }) => id === "s3cmd")?.text
  expect(text).toContain("host_base = 127.0.0.1:3900")
  expect(text).toContain("use_https = False")
})
