import type { Attachment } from "svelte/attachments"
import { router } from "./router.svelte"

/** Gives the focus to a page's heading when the page was just gone to. */
export const arrival: Attachment<HTMLElement> = (heading) => {
  if (router.hasJustArrived && !document.querySelector("dialog[open]")) heading.focus()
}
