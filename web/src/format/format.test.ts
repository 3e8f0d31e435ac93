import { describe, expect, it } from "vitest"
import { bytesText, bytesTick, exactBytes, parseBytes } from "./bytes"
import { count, countText, countTick, inWords, percent, several } from "./count"
import { initials, shortCommand, shortHash, shortKey } from "./ids"
import { clock, day, duration, instant, moment, when } from "./time"

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [841_220, "841 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [2_600_000, "2.60 MB"],
    [61_000_000_000, "61.0 GB"],
    [9_994_000, "9.99 MB"],
    [9_996_000, "10.0 MB"],
    [4_820_000_000_000, "4.82 TB"],
    [Number.MAX_SAFE_INTEGER, "9.01 PB"],
  ])("%d is %s", (amount, text) => expect(bytesText(amount)).toBe(text))

  it("says all of them when asked", () => {
    expect(exactBytes(841_220)).toBe("841,220 bytes")
    expect(exactBytes(1)).toBe("1 byte")
  })

  it.each([
    ["20 GB", 20_000_000_000],
    ["1.5T", 1_500_000_000_000],
    ["1,5 tb", 1_500_000_000_000],
    ["512", 512],
    ["0", undefined],
    ["", undefined],
    ["ten GB", undefined],
    ["-3 GB", undefined],
    ["99999999 PB", undefined],
  ])("reads %s", (text, amount) => expect(parseBytes(text)).toBe(amount))
})

describe("counts", () => {
  it("stands in full up to 99,999 in prose, always in tables", () => {
    expect(countText(99_999)).toBe("99,999")
    expect(countText(214_000)).toBe("214 thousand")
    expect(countText(2_310_448)).toBe("2.31 million")
    expect(countText(999_600)).toBe("1.00 million")
    expect(count(2_310_448)).toBe("2,310,448")
  })

  it("is short at an axis", () => {
    expect([0, 9000, 300_000, 2_500_000, 1e9].map(countTick)).toEqual(["0", "9,000", "300 k", "2.5 M", "1 G"])
    expect([1e12, 2.5e9, 20].map(bytesTick)).toEqual(["1 TB", "2.5 GB", "20 B"])
  })

  it("agrees with its noun", () => {
    expect(several(1, "bucket")).toBe("1 bucket")
    expect(several(0, "bucket")).toBe("0 buckets")
    expect(several(2, "copy", "copies")).toBe("2 copies")
    expect(inWords(2)).toBe("two")
    expect(inWords(38)).toBe("38")
  })

  it("is not 100 % before it is full", () => {
    expect(percent(999, 1000)).toBe(99)
    expect(percent(1000, 1000)).toBe(100)
    expect(percent(1500, 1000)).toBe(150)
    expect(percent(0, 1000)).toBe(0)
  })
})

describe("times", () => {
  const at = (text: string) => Date.parse(text) * 1000
  const now = at("2026-11-24T14:32:00Z")

  it.each([
    ["2026-11-24T14:31:52Z", "8 s ago"],
    ["2026-11-24T14:32:03Z", "0 s ago"],
    ["2026-11-24T14:06:00Z", "26 min ago"],
    ["2026-11-24T09:12:00Z", "09:12"],
    ["2026-11-23T23:59:00Z", "yesterday"],
    ["2026-11-22T10:00:00Z", "22 Nov"],
    ["2026-09-02T10:00:00Z", "2 Sep"],
    ["2025-11-24T14:32:00Z", "24 Nov 2025"],
    ["2026-11-24T14:42:00Z", "in 10 min"],
    ["2026-11-27T09:00:00Z", "27 Nov"],
  ])("%s was %s", (text, words) => expect(when(at(text), now, "UTC")).toBe(words))

  it("is told in full", () => {
    expect(instant(at("2026-11-24T14:31:07Z"), "UTC")).toBe("24 Nov 2026, 14:31:07 UTC")
    expect(moment(at("2027-02-22T14:32:00Z"), "UTC")).toBe("22 Feb 2027, 14:32 UTC")
    expect(clock(at("2026-11-24T00:05:00Z"), "UTC")).toBe("00:05")
    expect(day(at("2026-11-01T00:05:00Z"), now, "UTC")).toBe("1 Nov")
  })

  it("lasts", () => {
    expect(duration(8e6)).toBe("8 s")
    expect(duration(600e6)).toBe("10 min")
    expect(duration(3 * 3600e6)).toBe("3 h")
    expect(duration(12 * 86400e6)).toBe("12 days")
  })
})

describe("ids", () => {
  it("shows the part that tells them apart", () => {
    expect(shortKey("GK31c2f2186be04d7d8a5290bf")).toBe("GK31c2…90bf")
    expect(shortHash("c07e51a2ffff")).toBe("c07e51a2…")
    expect(shortCommand("019aa000-0000-7000-8000-00007f3a21c9")).toBe("…7f3a21c9")
    expect(initials("ops.night@nordlicht.example")).toBe("ON")
    expect(initials("admin@localhost")).toBe("AD")
  })
})
