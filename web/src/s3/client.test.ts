// @vitest-environment node
import { expect, it } from "vitest"
import { refusal, S3 } from "./client"

const door = {
  endpoint: "http://127.0.0.1:3900/",
  region: "garage",
  bucket: "media",
  key: "GK31c2f2186be04d7d8a5290bf",
  secret: "5f0c1b9a7fe2d3441a86b07c92d81e6f",
}

it("signs in the address, for a short while, without the secret", async () => {
  const address = new URL(await new S3(door).address("GET", "raw/a &+'(1).mov"))
  expect(address.origin + address.pathname).toBe("http://127.0.0.1:3900/media/raw/a%20%26%2B%27%281%29.mov")
  expect(address.searchParams.get("X-Amz-Expires")).toBe("120")
  expect(address.searchParams.get("X-Amz-Signature")).toMatch(/^[0-9a-f]{64}$/)
  expect(address.searchParams.get("X-Amz-Credential")).toMatch(/\/garage\/s3\/aws4_request$/)
  expect(address.href).not.toContain(door.secret)
})

it("saves under the object's own name", async () => {
  const address = new URL(await new S3(door).saveAddress("raw/brücke.jpg"))
  expect(address.searchParams.get("response-content-disposition")).toBe(
    "attachment; filename*=UTF-8''br%C3%BCcke.jpg",
  )
})

it("says in words what the storage refuses", () => {
  expect(refusal(403, "").message).toContain("the key may not do it here")
  expect(refusal(404, "").message).toBe("This object is no longer there.")
  expect(refusal(500, "").message).toBe("The storage answered with status 500.")
})
