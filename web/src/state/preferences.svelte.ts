import type { Zone } from "../format/time"

export type Theme = "system" | "light" | "dark"

const THEME = "storm.theme"
const ZONE = "storm.zone"

/** How a person wants pages shown in this browser. Nothing here is secret. */
class Preferences {
  #theme = $state<Theme>("system")
  #zone = $state<Zone>("UTC")

  constructor() {
    const theme = read(THEME)
    if (theme === "light" || theme === "dark") this.theme = theme
    if (read(ZONE) === "local") this.#zone = "local"
  }

  get theme(): Theme {
    return this.#theme
  }

  set theme(theme: Theme) {
    this.#theme = theme
    if (theme === "system") delete document.documentElement.dataset["theme"]
    else document.documentElement.dataset["theme"] = theme
    write(THEME, theme)
  }

  get zone(): Zone {
    return this.#zone
  }

  set zone(zone: Zone) {
    this.#zone = zone
    write(ZONE, zone)
  }
}

/** A browser may keep nothing for us; then a choice lasts as long as the page. */
export function read(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

/** Keeps a choice, where the browser lets us. */
export function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // The choice lasts as long as the page.
  }
}

export const preferences = new Preferences()
