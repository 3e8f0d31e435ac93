/** A number and its unit, apart, so that a page can set the unit smaller. */
export interface Measure {
  value: string
  unit: string
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const

/** Bytes in decimal units with three significant digits. */
export function bytes(amount: number): Measure {
  let step = 0
  let value = amount
  // 999.5 and more would be written as 1000.
  while ((step === 0 ? value >= 1000 : value >= 999.5) && step < UNITS.length - 1) {
    value /= 1000
    step += 1
  }
  return { value: step === 0 ? String(Math.round(value)) : threeDigits(value), unit: UNITS[step] ?? "" }
}

/** The same as one text. */
export function bytesText(amount: number): string {
  const { value, unit } = bytes(amount)
  return `${value} ${unit}`
}

/** A round amount at an axis: "2 TB", "2.5 GB". */
export function bytesTick(amount: number): string {
  const { value, unit } = bytes(amount)
  return `${Number(value)} ${unit}`
}

/** All bytes, for a tooltip: "841,220 bytes". */
export function exactBytes(amount: number): string {
  return `${amount.toLocaleString("en")} ${amount === 1 ? "byte" : "bytes"}`
}

/** Three significant digits, trailing zeros kept: 4.82, 61.0, 841. */
export function threeDigits(value: number): string {
  const places = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return value.toFixed(places)
}

const SIZE = /^\s*(\d+(?:[.,]\d+)?)\s*([kmgtp]?)b?\s*$/i

/** What a person typed as a size ("20 GB", "1.5T"), in bytes; nothing when it is none. */
export function parseBytes(text: string): number | undefined {
  const match = SIZE.exec(text)
  if (!match) return undefined
  const [, digits = "", letter = ""] = match
  const power = "kmgtp".indexOf(letter.toLowerCase() || "-") + 1
  const amount = Math.round(Number(digits.replace(",", ".")) * 1000 ** power)
  return amount >= 1 && Number.isSafeInteger(amount) ? amount : undefined
}
