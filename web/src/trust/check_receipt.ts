import type { Operation, Sealed } from "../api/types"
import { sealedDigest } from "../seal/seal"
import { ProofError } from "./envelope"
import { readTrust } from "./read_trust"
import { openReceipt } from "./receipt"

/** Checks that an operation's receipt holds, and that the sealed secret beside it is the agent's. */
export async function checkReceipt(operation: Operation, sealed: Sealed): Promise<void> {
  if (!operation.receipt) throw new ProofError("There is no receipt for it.")
  const { receipt } = await openReceipt(operation.receipt, await readTrust())
  if (receipt.operation !== operation.id || receipt.account !== operation.actor.account) {
    throw new ProofError("The receipt is of another operation.")
  }
  if (receipt.sealed !== (await sealedDigest(sealed))) {
    throw new ProofError("The sealed secret is not the one that the agent sealed.")
  }
}
