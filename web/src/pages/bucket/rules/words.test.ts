import { describe, expect, it } from "vitest"
import { corsWords, lifecycleWords, parseOrigins, presetRule } from "./words"

describe("CORS in words", () => {
  it("says who may do what", () => {
    expect(corsWords(presetRule("read", ["*"]))).toBe("Any page may read and look at headers.")
    const two = presetRule("all", ["https://a.example", "https://b.example"])
    expect(corsWords(two)).toBe(
      "Pages of https://a.example and https://b.example may read, look at headers, upload, upload by form and delete.",
    )
  })

  it.each([
    ["https://example.org", ["https://example.org"]],
    [
      "https://a.example, https://*.b.example\nhttp://localhost:5173",
      ["https://a.example", "https://*.b.example", "http://localhost:5173"],
    ],
    ["*", ["*"]],
    ["example.org", undefined],
    ["https://example.org/path", undefined],
    ["", undefined],
  ])("reads the origins %s", (text, origins) => expect(parseOrigins(text)).toEqual(origins))
})

describe("lifecycle rules in words", () => {
  it.each([
    [
      { enabled: true, expire_after_days: 30, prefix: "logs/" },
      "Objects under logs/ are deleted 30 days after they were written.",
    ],
    [
      { enabled: true, abort_uploads_after_days: 1 },
      "Unfinished uploads are removed one day after they began.",
    ],
    [{ enabled: false, expire_on: "2027-01-01" }, "Objects are deleted on 2027-01-01. Off for now."],
    [
      { enabled: true, expire_after_days: 7, size_greater_than: 1e9 },
      "Objects of over 1.00 GB are deleted 7 days after they were written.",
    ],
    [{ enabled: true }, "It does nothing."],
  ])("%o", (rule, words) => expect(lifecycleWords(rule)).toBe(words))
})
