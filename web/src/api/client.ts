import createClient from "openapi-fetch"
import { Failure } from "./failure"
import type { paths } from "./types"

/** Told when the server no longer knows this session; the promise ends when somebody signed in again. */
type SessionEnded = () => Promise<void>

let sessionEnded: SessionEnded = () => Promise.reject(Failure.offline())

/** Says what happens when a session ended. */
export function onSessionEnded(handler: SessionEnded): void {
  sessionEnded = handler
}

/** Told when the server wants a proof of who is there before it does something; answers whether one was given. */
type ProofWanted = () => Promise<boolean>

let proofWanted: ProofWanted = () => Promise.resolve(false)

/** Says what happens when a proof is wanted. */
export function onProofWanted(handler: ProofWanted): void {
  proofWanted = handler
}

/** Requests that answer 401 about what they carry, not about the session. */
const OPEN_PATHS = [
  "/api/v1/session",
  "/api/v1/session/second-factor",
  "/api/v1/session/passkey",
  "/api/v1/session/reauthenticate",
  "/api/v1/session/reauthenticate/passkey",
  "/api/v1/password",
  "/api/v1/password/forgotten",
  "/api/v1/invitations/accept",
  "/api/v1/sign-in-methods/totp/confirm",
]

/**
 * `fetch`, that asks again after a session ended and somebody signed in, and after a proof of who is there: the form
 * stays, the act is done.
 */
async function patientFetch(request: Request): Promise<Response> {
  let response = await fetch(request.clone())
  if (response.status === 401 && !OPEN_PATHS.includes(new URL(request.url).pathname)) {
    await sessionEnded()
    response = await fetch(request.clone())
  }
  while (await wantsProof(response)) {
    if (!(await proofWanted())) throw Failure.unproved()
    response = await fetch(request.clone())
  }
  return response
}

async function wantsProof(response: Response): Promise<boolean> {
  if (response.status !== 403) return false
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined)
  return Failure.read(body, response).code === "reauthenticate"
}

/** The API, with the types of its description. */
export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
  // The trail and the receipts then say that it was asked for in the dashboard.
  headers: { "Storm-Via": "web" },
  fetch: patientFetch,
})

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The answer's content; a `Failure` is thrown for all that is none. */
export async function ask<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await request
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw Failure.offline()
  }
  if (!answer.response.ok) throw Failure.read(answer.error, answer.response)
  return answer.data as T
}

/** A key for one act: asked twice with it, it is done once. */
export function once(): { header: { "Idempotency-Key": string } } {
  return { header: { "Idempotency-Key": crypto.randomUUID() } }
}

interface Page<T> {
  items: T[]
  next_cursor?: string | null
}

/** All pages of a list; `seen` hears of each as it comes. */
export async function everyPage<T>(
  page: (cursor: string | undefined) => Promise<Page<T>>,
  seen: (items: T[]) => void = () => undefined,
): Promise<T[]> {
  const all: T[] = []
  let cursor: string | undefined
  do {
    const { items, next_cursor } = await page(cursor)
    all.push(...items)
    seen(all)
    cursor = next_cursor ?? undefined
  } while (cursor)
  return all
}

/** The query of one page. */
export function paged(cursor: string | undefined, limit: number): { limit: number; cursor?: string } {
  return cursor === undefined ? { limit } : { limit, cursor }
}
