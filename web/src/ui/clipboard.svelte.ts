import { announcer } from "./announce.svelte"

const COPIED_MILLIS = 2000

/** What a copy button is about to say. */
export class Clipboard {
  copied = $state(false)
  #timer: ReturnType<typeof setTimeout> | undefined

  async copy(text: string): Promise<void> {
    await navigator.clipboard.writeText(text)
    this.copied = true
    announcer.say("Copied")
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => (this.copied = false), COPIED_MILLIS)
  }
}
