import { expect, it } from "vitest"
import { grouped, readPicture } from "./qr"

it("takes the squares out of the picture, and nothing else", () => {
  const svg = `<?xml version="1.0" standalone="yes"?><svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="264"
    height="264" viewBox="0 0 264 264" shape-rendering="crispEdges"><path d="M0 0h264v264H0V0" fill="#fff"/></svg>`
  expect(readPicture(svg)).toEqual({ side: 264, path: "M0 0h264v264H0V0" })
  expect(readPicture("no picture")).toBeUndefined()
})

it("groups a secret as one types it", () => {
  expect(grouped("JBSWY3DPEHPK3PXP7A")).toBe("JBSW Y3DP EHPK 3PXP 7A")
})
