import { expect, it } from "vitest"
import { becomes, NO_RIGHTS, spoken, takesAway } from "./words"

const reads = { read: true, write: false, owner: false }
const writes = { read: true, write: true, owner: false }
const owns = { read: true, write: true, owner: true }

it.each([
  [NO_RIGHTS, "ci no longer opens media"],
  [reads, "ci only reads media"],
  [writes, "ci may read and write media"],
  [owns, "ci owns media"],
  [{ read: false, write: true, owner: false }, "ci only writes to media"],
  [{ read: false, write: false, owner: true }, "ci may change its rules in media"],
])("says what %o makes of a key", (rights, words) => expect(becomes("ci", rights, "media")).toBe(words))

it("tells less from more", () => {
  expect(takesAway(writes, reads)).toBe(true)
  expect(takesAway(reads, writes)).toBe(false)
  expect(takesAway(owns, { ...NO_RIGHTS, owner: true })).toBe(true)
  expect(takesAway(NO_RIGHTS, owns)).toBe(false)
})

it("never leaves a cell without words", () => {
  expect(spoken(NO_RIGHTS)).toBe("no access")
  expect(spoken(writes)).toBe("read, write and delete")
})
