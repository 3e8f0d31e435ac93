import { expect, it } from "vitest"
import { match } from "./pattern"

it("takes the variable parts out of a path", () => {
  expect(match("/buckets/:bucket/:tab", "/buckets/8f2c/usage")).toEqual({ bucket: "8f2c", tab: "usage" })
  expect(match("/buckets", "/buckets/")).toEqual({})
  expect(match("/", "/")).toEqual({})
  expect(match("/keys/:key", "/keys/a%20b")).toEqual({ key: "a b" })
  expect(match("/keys/:key", "/keys/%")).toEqual({ key: "%" })
})

it("tells paths apart", () => {
  expect(match("/buckets", "/keys")).toBeUndefined()
  expect(match("/buckets/:bucket", "/buckets")).toBeUndefined()
  expect(match("/buckets/:bucket", "/buckets/")).toBeUndefined()
})
