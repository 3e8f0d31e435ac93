/** A picture of dark squares: its side, and their path. */
export interface Picture {
  side: number
  path: string
}

/** Takes the squares out of the server's SVG, so that nothing of it is markup here. */
export function readPicture(svg: string): Picture | undefined {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement
  const [, , side] = (root.getAttribute("viewBox") ?? "").split(/\s+/).map(Number)
  const path = root.querySelector("path")?.getAttribute("d")
  return side && path ? { side, path } : undefined
}

/** A secret in groups of four letters, as one types it. */
export function grouped(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret
}
