import { type Measure, threeDigits } from "./bytes"

/** A count in full, as tables show it: 2,310,448. */
export function count(amount: number): string {
  return amount.toLocaleString("en")
}

/** A count as a figure or in prose: in full up to 99,999, then "214 thousand", "2.31 million". */
export function shortCount(amount: number): Measure {
  if (amount <= 99_999) return { value: count(amount), unit: "" }
  const [size, unit] =
    amount >= 999_500_000 ? [1e9, "billion"] : amount >= 999_500 ? [1e6, "million"] : [1e3, "thousand"]
  return { value: threeDigits(amount / (size as number)), unit: unit as string }
}

/** The same as one text. */
export function countText(amount: number): string {
  const { value, unit } = shortCount(amount)
  return unit ? `${value} ${unit}` : value
}

/** A round count at an axis: "300 k", "2.5 M". */
export function countTick(amount: number): string {
  if (amount >= 1e9) return `${Number(threeDigits(amount / 1e9))} G`
  if (amount >= 1e6) return `${Number(threeDigits(amount / 1e6))} M`
  return amount >= 1e4 ? `${Number(threeDigits(amount / 1e3))} k` : count(amount)
}

/** "1 bucket", "38 buckets". */
export function several(amount: number, one: string, many = `${one}s`): string {
  return `${countText(amount)} ${amount === 1 ? one : many}`
}

/** How much of a limit is used, in per cent: whole, and never 100 before it is full. */
export function percent(part: number, whole: number): number {
  if (part >= whole) return Math.max(100, Math.round((part / whole) * 100))
  return Math.min(99, Math.round((part / whole) * 100))
}

const WORDS = [
  "no",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
]

/** A small count as a word, as a sentence wants it. */
export function inWords(amount: number): string {
  return WORDS[amount] ?? countText(amount)
}

/** Words as a sentence begins. */
export function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}
