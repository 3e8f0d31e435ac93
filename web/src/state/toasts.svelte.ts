/** An event that has passed. */
export interface Toast {
  id: number
  text: string
  undo?: (() => void) | undefined
}

let next = 0

/** What just happened, newest last. */
class Toasts {
  all = $state<Toast[]>([])

  say(text: string, undo?: () => void): void {
    next += 1
    this.all.push({ id: next, text, undo })
  }

  close(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id)
  }
}

export const toasts = new Toasts()
