/**
 * The secret behind the `#` of a link from an e-mail. Browsers send that part to nobody, and the address keeps it no
 * longer than it takes to read it: it is in no history, no log and no bookmark.
 */
export class LinkSecret {
  token = $state("")

  constructor() {
    this.#take()
    // Another link opened in the same tab loads no page anew.
    $effect(() => {
      const take = () => this.#take()
      addEventListener("hashchange", take)
      return () => removeEventListener("hashchange", take)
    })
  }

  #take(): void {
    const secret = location.hash.slice(1)
    if (!secret) return
    history.replaceState(null, "", location.pathname + location.search)
    this.token = secret
  }
}
