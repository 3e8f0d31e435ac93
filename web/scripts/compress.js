// Beside each file of the build, its brotli and gzip forms: the server sends them as they are.
import { readdir, readFile, writeFile } from "node:fs/promises"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

const dist = new URL("../dist/", import.meta.url)
const compressible = /\.(js|css|html|svg|json|txt)$/

for (const entry of await readdir(dist, { recursive: true })) {
  if (!compressible.test(entry)) continue
  const file = new URL(entry, dist)
  const bytes = await readFile(file)
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  await writeFile(`${file.pathname}.br`, brotli)
  await writeFile(`${file.pathname}.gz`, gzipSync(bytes, { level: 9 }))
}
