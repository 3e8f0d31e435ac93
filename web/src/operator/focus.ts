import { tick } from "svelte"

/** Gives the focus to the page's heading when what had it is gone, so that the keyboard does not begin anew. */
export async function keepFocus(): Promise<void> {
  await tick()
  const { activeElement, body } = document
  if (!activeElement || activeElement === body) document.querySelector<HTMLElement>("main h1")?.focus()
}
