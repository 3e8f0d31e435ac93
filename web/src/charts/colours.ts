/** The tokens that a canvas draws with, as they are now. */
export interface Colours {
  tide: string
  wash: string
  line: string
  base: string
  ink: string
  label: string
  amber: string
  paper: string
  fade: string
  well: string
}

const TOKENS: Record<keyof Colours, string> = {
  tide: "var(--color-tide)",
  wash: "color-mix(in srgb, var(--color-tide) 13%, transparent)",
  line: "var(--color-line)",
  base: "var(--color-ink-3)",
  ink: "var(--color-ink)",
  label: "var(--color-ink-3)",
  amber: "var(--color-amber)",
  paper: "var(--color-paper)",
  well: "var(--color-well)",
  fade: "color-mix(in srgb, var(--color-tide) 55%, var(--color-paper))",
}

/** Has the browser work the tokens out at `place`. */
export function coloursAt(place: HTMLElement): Colours {
  const probe = place.appendChild(document.createElement("i"))
  const found = Object.entries(TOKENS).map(([name, token]) => {
    probe.style.color = token
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(found) as Colours
}
