import { asFailure, Failure } from "../../../api/failure"
import { refusal, type S3 } from "../../../s3/client"

/** One request carries a whole file; beyond this a program with parts is the right tool. */
export const LARGEST_BYTES = 5_000_000_000
const AT_ONCE = 2

/** A file on its way to the storage. */
export class Upload {
  sent = $state(0)
  state = $state<"waits" | "runs" | "done" | "failed" | "cancelled">("waits")
  failure = $state.raw<Failure>()
  request: XMLHttpRequest | undefined

  constructor(
    readonly file: File,
    readonly key: string,
  ) {}

  cancel(): void {
    if (this.state !== "waits" && this.state !== "runs") return
    this.state = "cancelled"
    this.request?.abort()
  }
}

/** Files that go straight from this browser to the storage, a few at once. */
export class Uploads {
  all = $state.raw<Upload[]>([])
  #s3: S3
  #ended: (upload: Upload) => void
  #running = 0

  constructor(s3: S3, ended: (upload: Upload) => void) {
    this.#s3 = s3
    this.#ended = ended
  }

  add(files: { file: File; key: string }[]): void {
    this.all = [...this.all, ...files.map(({ file, key }) => new Upload(file, key))]
    this.#next()
  }

  get left(): Upload[] {
    return this.all.filter(({ state }) => state === "waits" || state === "runs")
  }

  clear(): void {
    this.all = this.left
  }

  cancelAll(): void {
    for (const upload of this.all) upload.cancel()
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const upload = this.all.find(({ state }) => state === "waits")
      if (!upload) return
      this.#running += 1
      void this.#send(upload).finally(() => {
        this.#running -= 1
        this.#ended(upload)
        this.#next()
      })
    }
  }

  async #send(upload: Upload): Promise<void> {
    upload.state = "runs"
    try {
      await put(await this.#s3.address("PUT", upload.key), upload)
      upload.state = "done"
    } catch (cause) {
      if (upload.state === "runs") {
        upload.failure = asFailure(cause)
        upload.state = "failed"
      }
    }
  }
}

/** `fetch` does not tell how far it has come. */
function put(address: string, upload: Upload): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest()
    upload.request = request
    request.upload.onprogress = ({ loaded }) => (upload.sent = loaded)
    request.onload = () =>
      request.status < 300 ? done() : failed(refusal(request.status, request.responseText))
    request.onabort = () => failed(new Failure("cancelled", "Cancelled.", 0))
    request.onerror = () =>
      failed(
        new Failure(
          "s3_unreachable",
          "The storage stopped answering. What is there of this name is unchanged.",
          0,
        ),
      )
    request.open("PUT", address)
    request.setRequestHeader("content-type", upload.file.type || "application/octet-stream")
    request.send(upload.file)
  })
}
