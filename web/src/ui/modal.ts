import type { Attachment } from "svelte/attachments"

/**
 * Opens a dialog over the page, with the focus on what is marked `data-focus`, and gives the focus back when it is
 * taken away: a browser does so only for dialogs that are closed, not for those that leave the page.
 */
export const modal: Attachment<HTMLDialogElement> = (dialog) => {
  const before = document.activeElement
  dialog.showModal()
  dialog.querySelector<HTMLElement>("[data-focus]")?.focus()
  return () => {
    queueMicrotask(() => {
      const lost = !document.activeElement || document.activeElement === document.body
      if (lost && before instanceof HTMLElement && before.isConnected) before.focus()
    })
  }
}
