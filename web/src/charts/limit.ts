import { bytesText } from "../format/bytes"

/** A line across a chart that is not to be crossed. */
export interface LimitLine {
  value: number
  text: string
}

/** The line of a limit on bytes, where there is one. */
export function limitLine(name: string, value: number | null | undefined): LimitLine | undefined {
  return value ? { value, text: `${name} ${bytesText(value)}` } : undefined
}
