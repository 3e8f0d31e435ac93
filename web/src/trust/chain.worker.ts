/** Checks receipts beside the page, which stays alive however many there are. It asks nobody for anything. */
import { ChainCheck } from "./chain_check"
import { type Envelope, ProofError } from "./envelope"
import type { Head } from "./receipt"
import type { AgentKey } from "./trust"

export type Order =
  | { say: "begin"; agent: AgentKey; known: Head | undefined }
  | { say: "take"; envelopes: Envelope[] }
  | { say: "end" }

let check = new ChainCheck(undefined)

async function obey(order: Order): Promise<unknown> {
  if (order.say === "begin") check = new ChainCheck(order.agent, order.known)
  else if (order.say === "take") return check.take(order.envelopes)
  else check.end()
  return null
}

addEventListener("message", ({ data }: MessageEvent<Order>) => {
  obey(data).then(
    (done) => postMessage({ done }),
    (cause: unknown) =>
      postMessage({
        failed: cause instanceof Error ? cause.message : String(cause),
        isProof: cause instanceof ProofError,
      }),
  )
})
