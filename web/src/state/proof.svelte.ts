import { onProofWanted } from "../api/client"

/** The proof of who is there that the server wants before something dangerous. What was asked for waits for it. */
class Proof {
  /** Whether the page asks for it. */
  wanted = $state(false)
  /** How often it was asked for: a proof that was not enough is asked for anew. */
  times = $state(0)
  #waiting: ((given: boolean) => void)[] = []

  constructor() {
    onProofWanted(() => {
      this.wanted = true
      this.times += 1
      return new Promise((answer) => this.#waiting.push(answer))
    })
  }

  /** Somebody proved it, or did not want to. */
  answer(given: boolean): void {
    this.wanted = false
    for (const goOn of this.#waiting.splice(0)) goOn(given)
  }
}

export const proof = new Proof()
