import type { Component } from "svelte"

/** Pages for anyone, signed in or not: links in e-mails, and programs, lead to them. */
const GATES: Record<string, () => Promise<{ default: Component }>> = {
  "/password": () => import("../pages/signin/Password.svelte"),
  "/invitation": () => import("../pages/signin/Invitation.svelte"),
  "/sign-up": () => import("../pages/signin/SignUp.svelte"),
  "/device": () => import("../pages/signin/Device.svelte"),
}

/** The page for anyone that is at a path. */
export function gateAt(path: string): (() => Promise<{ default: Component }>) | undefined {
  return GATES[path]
}
