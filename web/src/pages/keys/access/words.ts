import { inWords, type Rights } from "../words"

export const NO_RIGHTS: Rights = { read: false, write: false, owner: false }

/** The three rights, each with what it is for. */
export const RIGHTS: { right: keyof Rights; title: string; text: string }[] = [
  { right: "read", title: "Read", text: "List and download." },
  { right: "write", title: "Write", text: "Upload, replace and delete objects." },
  { right: "owner", title: "Own", text: "Change CORS, website and rules; delete the bucket." },
]

export function same(one: Rights, other: Rights): boolean {
  return one.read === other.read && one.write === other.write && one.owner === other.owner
}

export function opens({ read, write, owner }: Rights): boolean {
  return read || write || owner
}

/** Whether `after` takes something away that `before` gave. */
export function takesAway(before: Rights, after: Rights): boolean {
  return RIGHTS.some(({ right }) => before[right] && !after[right])
}

/** Rights as somebody hears them: "read, write and delete", "no access". */
export function spoken(rights: Rights): string {
  return opens(rights) ? inWords(rights) : "no access"
}

/** "ci-deploy may read and write geo-tiles". */
export function becomes(label: string, rights: Rights, bucket: string): string {
  const { read, write, owner } = rights
  if (!opens(rights)) return `${label} no longer opens ${bucket}`
  if (owner && read && write) return `${label} owns ${bucket}`
  if (owner) return `${label} may ${inWords(rights)} in ${bucket}`
  if (read && write) return `${label} may read and write ${bucket}`
  return read ? `${label} only reads ${bucket}` : `${label} only writes to ${bucket}`
}
