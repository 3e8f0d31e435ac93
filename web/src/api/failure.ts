/** A request that was not carried out, in words for a person. */
export class Failure extends Error {
  constructor(
    /** The server's stable code, or `offline` when nothing answered. */
    readonly code: string,
    message: string,
    readonly status: number,
    /** What the server calls this request, for its operator. */
    readonly reference?: string,
    /** When trying again makes sense. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message)
    this.name = "Failure"
  }

  static offline(): Failure {
    return new Failure(
      "offline",
      "The server does not answer. Nothing was changed as far as this page knows.",
      0,
    )
  }

  /** Somebody did not prove that they are still there. */
  static unproved(): Failure {
    return new Failure("unproved", "Nothing was changed: you did not confirm that it is you.", 0)
  }

  /** Reads the problem that a response carries. */
  static read(body: unknown, response: Response): Failure {
    const retry = Number(response.headers.get("retry-after"))
    const after = retry > 0 ? retry : undefined
    const problem = problemIn(body)
    if (problem) return new Failure(problem.code, problem.message, response.status, problem.request, after)
    // A proxy's answer, not ours.
    const words = `The server could not be reached through what stands before it (status ${response.status}).`
    return new Failure("unreadable", words, response.status, undefined, after)
  }
}

interface ProblemBody {
  code: string
  message: string
  request: string
}

function problemIn(body: unknown): ProblemBody | undefined {
  if (typeof body !== "object" || body === null || !("error" in body)) return undefined
  const { error } = body
  if (typeof error !== "object" || error === null) return undefined
  const { code, message, request } = error as Partial<ProblemBody>
  return code && message ? { code, message, request: request ?? "" } : undefined
}

/** What went wrong, as a failure: a fault of the page itself too. */
export function asFailure(cause: unknown): Failure {
  if (cause instanceof Failure) return cause
  const words = cause instanceof Error ? cause.message : String(cause)
  return new Failure("page", `This page failed: ${words}`, 0)
}
