import type { Checked } from "./chain_check"
import type { Order } from "./chain.worker"
import { ProofError } from "./envelope"

type Answer = { done: unknown } | { failed: string; isProof: boolean }

/** A worker that checks receipts, one order at a time. */
export class Beside {
  readonly #worker = new Worker(new URL("./chain.worker.ts", import.meta.url), { type: "module" })

  begin(order: Omit<Extract<Order, { say: "begin" }>, "say">): Promise<unknown> {
    return this.#ask({ say: "begin", ...order })
  }

  take(envelopes: Extract<Order, { say: "take" }>["envelopes"]): Promise<Checked> {
    return this.#ask({ say: "take", envelopes }) as Promise<Checked>
  }

  end(): Promise<unknown> {
    return this.#ask({ say: "end" })
  }

  close(): void {
    this.#worker.terminate()
  }

  #ask(order: Order): Promise<unknown> {
    return new Promise((done, failed) => {
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("done" in data) done(data.done)
        else failed(data.isProof ? new ProofError(data.failed) : new Error(data.failed))
      }
      this.#worker.onerror = () => failed(new Error("the part that checks receipts did not start"))
      this.#worker.postMessage(order)
    })
  }
}
