import { asFailure, type Failure } from "../../../api/failure"
import type { S3 } from "../../../s3/client"
import type { ObjectEntry } from "../../../s3/listing"

/** A folder that is looked at: names that share a beginning, page by page. */
export class Folder {
  /** The folder: empty, or ending with a slash. */
  at = $state("")
  /** How names in it are to begin. */
  begins = $state("")
  folders = $state.raw<string[]>([])
  objects = $state.raw<ObjectEntry[]>([])
  next = $state<string>()
  loading = $state(false)
  /** Whether the list that is shown is the one that is asked for. */
  read = $state(false)
  failure = $state.raw<Failure>()
  #s3: S3
  #asked = 0

  constructor(s3: S3) {
    this.#s3 = s3
  }

  go(at: string): Promise<void> {
    this.at = at
    this.begins = ""
    this.read = false
    return this.load()
  }

  find(begins: string): Promise<void> {
    this.begins = begins
    return this.load()
  }

  /** Reads the folder from its beginning. What is shown stays until then. */
  load(): Promise<void> {
    return this.#page(undefined)
  }

  more(): Promise<void> {
    return this.#page(this.next)
  }

  async #page(after: string | undefined): Promise<void> {
    const asked = ++this.#asked
    this.loading = true
    try {
      const found = await this.#s3.list(this.at + this.begins, after)
      if (asked !== this.#asked) return
      // A folder's own mark is no file of it.
      const objects = found.objects.filter(({ key }) => key !== this.at)
      this.folders = after ? [...this.folders, ...found.folders] : found.folders
      this.objects = after ? [...this.objects, ...objects] : objects
      this.next = found.next
      this.failure = undefined
      this.read = true
    } catch (cause) {
      if (asked === this.#asked) this.failure = asFailure(cause)
    } finally {
      if (asked === this.#asked) this.loading = false
    }
  }
}
