import type { Role } from "../../api/types"

/** What each role may do, in words. */
export const ROLES: { value: Role; title: string; text: string }[] = [
  { value: "viewer", title: "Viewer", text: "Looks, and changes nothing." },
  { value: "member", title: "Member", text: "Makes and changes buckets and keys." },
  {
    value: "admin",
    title: "Admin",
    text: "Does what members do, asks people in, and sees what everybody did.",
  },
  { value: "owner", title: "Owner", text: "Everything, the account and its owners included." },
]

export function titleOf(role: Role): string {
  return ROLES.find(({ value }) => value === role)?.title ?? role
}

/** What somebody in a role may do, as a sentence. */
export function textOf(role: Role): string {
  return ROLES.find(({ value }) => value === role)?.text ?? ""
}
