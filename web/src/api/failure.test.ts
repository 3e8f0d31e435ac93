import { describe, expect, it } from "vitest"
import { asFailure, Failure } from "./failure"

const answer = (status: number, headers: Record<string, string> = {}) =>
  new Response(null, { status, headers })

describe("a failure", () => {
  it("says what the server said, with its reference", () => {
    const body = { error: { code: "name_taken", message: "That name is taken.", request: "7f3a21c9" } }
    const failure = Failure.read(body, answer(409))
    expect(failure).toMatchObject({
      code: "name_taken",
      message: "That name is taken.",
      reference: "7f3a21c9",
    })
  })

  it("knows when to come back", () => {
    const body = { error: { code: "rate_limited", message: "Slow down.", request: "1" } }
    expect(Failure.read(body, answer(429, { "retry-after": "12" })).retryAfterSeconds).toBe(12)
  })

  it("has words for what is not ours", () => {
    const failure = Failure.read("<html>Bad gateway</html>", answer(502))
    expect(failure.code).toBe("unreadable")
    expect(failure.message).toContain("502")
  })

  it("keeps what it is", () => {
    const offline = Failure.offline()
    expect(asFailure(offline)).toBe(offline)
    expect(asFailure(new TypeError("x is not a function")).code).toBe("page")
  })
})
