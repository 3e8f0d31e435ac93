/** A word for those who listen to the page; spoken by the one polite region in the shell. */
class Announcer {
  text = $state("")

  say(text: string): void {
    // The same word twice is spoken twice.
    this.text = this.text === text ? `${text}\u00a0` : text
  }
}

export const announcer = new Announcer()
