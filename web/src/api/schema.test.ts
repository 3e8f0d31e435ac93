// @vitest-environment node
import { readFile } from "node:fs/promises"
import { expect, it } from "vitest"
import { schema, schemaFile } from "../../scripts/schema.js"

it("has the types of docs/openapi.json: run `npm run gen`", async () => {
  expect(await readFile(schemaFile, "utf8")).toBe(await schema())
}, 30_000)
