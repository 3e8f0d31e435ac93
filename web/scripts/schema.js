// The API's types, made from the committed description.
import { readFile } from "node:fs/promises"
import openapiTS, { astToString } from "openapi-typescript"

const description = new URL("../../docs/openapi.json", import.meta.url)
/** Where the types are kept. */
export const schemaFile = new URL("../src/api/schema.d.ts", import.meta.url)

/** @returns {Promise<string>} */
export async function schema() {
  const nodes = await openapiTS(await readFile(description, "utf8"))
  return `// Made from docs/openapi.json by \`npm run gen\`.\n\n${astToString(nodes)}`
}
