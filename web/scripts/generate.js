import { writeFile } from "node:fs/promises"
import { schema, schemaFile } from "./schema.js"

await writeFile(schemaFile, await schema())
