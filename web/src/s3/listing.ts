/** An object, as a list tells of it. */
export interface ObjectEntry {
  /** Its whole name. */
  key: string
  bytes: number
  /** When it was written, in microseconds. */
  at: number
  etag: string
}

/** A page of a folder. */
export interface Listing {
  /** Beginnings that names share, each ending with a slash. */
  folders: string[]
  objects: ObjectEntry[]
  /** Where it goes on. */
  next: string | undefined
}

/** Reads the answer of ListObjectsV2 with `encoding-type=url`. */
export function readListing(xml: string): Listing {
  const root = parsed(xml)
  const objects = [...root.getElementsByTagName("Contents")].map((entry) => ({
    key: decoded(textOf(entry, "Key")),
    bytes: Number(textOf(entry, "Size")),
    at: Date.parse(textOf(entry, "LastModified")) * 1000,
    etag: textOf(entry, "ETag").replaceAll('"', ""),
  }))
  const folders = [...root.getElementsByTagName("CommonPrefixes")].map((entry) =>
    decoded(textOf(entry, "Prefix")),
  )
  const more = textOf(root, "IsTruncated") === "true"
  return { folders, objects, next: more ? textOf(root, "NextContinuationToken") : undefined }
}

/** The code and words of an error that the storage answers; nothing when it is none of its own. */
export function readError(xml: string): { code: string; message: string } | undefined {
  try {
    const root = parsed(xml)
    const code = textOf(root, "Code")
    return code ? { code, message: textOf(root, "Message") } : undefined
  } catch {
    return undefined
  }
}

function parsed(xml: string): Element {
  const root = new DOMParser().parseFromString(xml, "text/xml").documentElement
  if (!root || root.getElementsByTagName("parsererror").length || root.nodeName === "parsererror")
    throw new Error("the storage's answer cannot be read")
  return root
}

function textOf(parent: Element, name: string): string {
  return parent.getElementsByTagName(name)[0]?.textContent ?? ""
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "))
}
