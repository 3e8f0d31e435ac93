/** A table's order, as the address says it: `stored`, or `-stored` for the largest first. */
export interface Order {
  column: string
  down: boolean
}

/** Reads an order; anything unknown is the first one's. */
export function parseOrder(text: string | null, columns: string[], otherwise: Order): Order {
  const down = text?.startsWith("-") ?? false
  const column = down ? text?.slice(1) : text
  return column && columns.includes(column) ? { column, down } : otherwise
}

/** Writes an order for the address. */
export function orderText({ column, down }: Order): string {
  return down ? `-${column}` : column
}

type Value = string | number | null | undefined

/** Sorts by what `of` finds; what is unknown stands last either way. */
export function sorted<T>(items: T[], of: (item: T) => Value, down: boolean): T[] {
  const collator = new Intl.Collator("en", { numeric: true })
  const sign = down ? -1 : 1
  return items.toSorted((a, b) => {
    const [left, right] = [of(a), of(b)]
    const leftUnknown = left === null || left === undefined
    const rightUnknown = right === null || right === undefined
    if (leftUnknown || rightUnknown) return Number(leftUnknown) - Number(rightUnknown)
    if (typeof left === "number" && typeof right === "number") return (left - right) * sign
    return collator.compare(String(left), String(right)) * sign
  })
}
