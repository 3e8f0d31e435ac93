/**
 * The secret behind the `#` of a link from an e-mail. Browsers send that part to nobody, and the address keeps it no
 * longer than it takes to read it: it is in no history, no log and no bookmark.
 */
export class LinkSecret {
  readonly token: string

  constructor() {
    this.token = location.hash.slice(1)
    if (this.token) history.replaceState(null, "", location.pathname + location.search)
    // Another link opened in the same tab loads no page anew by itself.
    $effect(() => {
      const again = () => location.hash && location.reload()
      addEventListener("hashchange", again)
      return () => removeEventListener("hashchange", again)
    })
  }
}
