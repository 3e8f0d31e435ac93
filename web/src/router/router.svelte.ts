/** A page that takes longer no longer takes the focus: somebody may have moved on. */
const ARRIVAL_MILLIS = 3000

/** Where the page is: the path and the query, in step with the address bar. */
class Router {
  path = $state(location.pathname)
  #wentAt = -ARRIVAL_MILLIS
  query = $state.raw(new URLSearchParams(location.search))

  constructor() {
    addEventListener("popstate", () => this.#read())
    document.addEventListener("click", (event) => this.#click(event))
  }

  /** Goes to an address of this page. */
  go(to: string): void {
    history.pushState(null, "", to)
    this.#read()
    scrollTo(0, 0)
    this.#wentAt = performance.now()
  }

  /** Whether the page was just gone to, so that its heading takes the focus: a reader of screens hears where it is. */
  get hasJustArrived(): boolean {
    return performance.now() - this.#wentAt < ARRIVAL_MILLIS
  }

  /** Sets a part of the query, without a step in the history; nothing takes it out. */
  set(name: string, value: string | undefined): void {
    const query = new URLSearchParams(location.search)
    if (value) query.set(name, value)
    else query.delete(name)
    const text = query.toString()
    history.replaceState(null, "", text ? `${location.pathname}?${text}` : location.pathname)
    this.#read()
  }

  #read(): void {
    this.path = location.pathname
    this.query = new URLSearchParams(location.search)
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element | null)?.closest("a")
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return
    if (link.pathname.startsWith("/api/")) return
    event.preventDefault()
    if (link.href !== location.href) this.go(link.pathname + link.search)
  }
}

export const router = new Router()
