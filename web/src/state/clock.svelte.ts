import { micros } from "../format/time"

const TICK_MILLIS = 1000

/** Now, moving on by the second while the page is looked at. */
class Clock {
  now = $state(micros())

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = micros()
    }, TICK_MILLIS)
    document.addEventListener("visibilitychange", () => (this.now = micros()))
  }
}

export const clock = new Clock()
