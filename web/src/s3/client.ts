import { AwsClient } from "aws4fetch"
import { Failure } from "../api/failure"
import { readError, readListing, type Listing } from "./listing"

/** A key with its secret, and where it opens what. It lives in the page's memory and nowhere else. */
export interface Door {
  endpoint: string
  region: string
  bucket: string
  key: string
  secret: string
}

/** Seconds that a signed address is good for: long enough to begin what it is for. */
const ADDRESS_SECONDS = 120
const PAGE = 200

/** What an object says of itself. */
export interface ObjectFacts {
  type: string
  etag: string
}

/**
 * A bucket, straight at the storage. Requests are signed in their addresses, here: a header would make a browser
 * ask before each, and not every rule for pages lets `Authorization` through.
 */
export class S3 {
  #client: AwsClient
  #door: Door

  constructor(door: Door) {
    this.#door = door
    this.#client = new AwsClient({
      accessKeyId: door.key,
      secretAccessKey: door.secret,
      region: door.region,
      service: "s3",
    })
  }

  async list(prefix: string, after?: string): Promise<Listing> {
    const query: Record<string, string> = {
      "list-type": "2",
      delimiter: "/",
      "encoding-type": "url",
      "max-keys": String(PAGE),
      prefix,
    }
    if (after) query["continuation-token"] = after
    const response = await this.#ask("GET", "", query)
    return readListing(await response.text())
  }

  /** What an object says of itself; nothing when it is not there. */
  async head(key: string): Promise<ObjectFacts | undefined> {
    const response = await reached(fetch(await this.address("HEAD", key), { method: "HEAD" }))
    if (response.status === 404) return undefined
    if (!response.ok) throw await refused(response)
    return {
      type: response.headers.get("content-type") ?? "",
      etag: (response.headers.get("etag") ?? "").replaceAll('"', ""),
    }
  }

  async remove(key: string): Promise<void> {
    await this.#ask("DELETE", key)
  }

  /** An address from which a browser saves an object as a file. */
  saveAddress(key: string): Promise<string> {
    const name = encodeURIComponent(key.split("/").at(-1) ?? key).replaceAll("'", "%27")
    const disposition = `attachment; filename*=UTF-8''${name}`
    return this.address("GET", key, { "response-content-disposition": disposition })
  }

  /** An address that may do one thing for a short while. */
  async address(method: string, key: string, query: Record<string, string> = {}): Promise<string> {
    const { endpoint, bucket } = this.#door
    const url = new URL(
      `${endpoint.replace(/\/$/, "")}/${escaped(bucket)}${key ? `/${escapedPath(key)}` : ""}`,
    )
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    url.searchParams.set("X-Amz-Expires", String(ADDRESS_SECONDS))
    const { url: signed } = await this.#client.sign(url, { method, aws: { signQuery: true } })
    return signed
  }

  async #ask(method: string, key: string, query: Record<string, string> = {}): Promise<Response> {
    const response = await reached(fetch(await this.address(method, key, query), { method }))
    if (!response.ok) throw await refused(response)
    return response
  }
}

/** A browser does not say whether a rule or the network stood in the way. */
async function reached(asked: Promise<Response>): Promise<Response> {
  try {
    return await asked
  } catch {
    const words =
      "The storage did not answer this page. It may be out of reach from here, or the bucket no longer lets this page in."
    throw new Failure("s3_unreachable", words, 0)
  }
}

async function refused(response: Response): Promise<Failure> {
  return refusal(response.status, await response.text())
}

/** What the storage refused, in words. */
export function refusal(status: number, body: string): Failure {
  const found = readError(body)
  return new Failure(found?.code ?? `http_${status}`, said(found?.code, found?.message, status), status)
}

function said(code: string | undefined, message: string | undefined, status: number): string {
  if (code === "AccessDenied" || status === 403)
    return "The storage refused this: the key may not do it here, has ended, or its secret is another."
  if (code === "NoSuchKey" || status === 404) return "This object is no longer there."
  if (code === "QuotaExceeded" || /quota/i.test(message ?? ""))
    return "The bucket is full: its quota is reached."
  return message ? `The storage refused this: ${message}` : `The storage answered with status ${status}.`
}

/** As signatures want it: stricter than `encodeURIComponent`. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function escapedPath(key: string): string {
  return key.split("/").map(escaped).join("/")
}
