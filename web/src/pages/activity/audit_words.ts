/** The audit trail in plain words. Names of acts are those of docs/access.md, which a test holds this against. */

/** What people look for in it, with the scope that the API takes. */
export const KINDS = [
  { value: "", text: "Anything" },
  { value: "session.*", text: "Signing in and out" },
  { value: "sign_in_method.*", text: "Ways to sign in" },
  { value: "password.*", text: "Passwords" },
  { value: "member.*", text: "People" },
  { value: "invitation.*", text: "Invitations" },
  { value: "token.*", text: "API tokens" },
  { value: "device.*", text: "Programs let in" },
  { value: "bucket.*", text: "Buckets" },
  { value: "key.*", text: "Keys" },
  { value: "account.*", text: "The account" },
]

const ACTS: Record<string, string> = {
  "session.create": "Sign in",
  "session.delete": "Sign out",
  "session.second-factor.create": "Sign in, second step",
  "session.passkey.create": "Sign in with a passkey",
  "session.reauthenticate": "Confirm who is there",
  "session.end": "End a session",
  "sign_in_method.add": "Add a way to sign in",
  "sign_in_method.remove": "Remove a way to sign in",
  "sign_in_method.rename": "Rename a passkey",
  "sign_in_method.renew_codes": "Make new recovery codes",
  "password.change": "Change the password",
  "password.reset": "Set a password by a link",
  "password.forgotten.create": "Ask for a link for a password",
  "account.create": "Make an account",
  "account.rename": "Rename the account",
  "account.set_limits": "Set the account's limits",
  "account.set_quotas": "Spread limits over the buckets",
  "account.suspend": "Suspend the account",
  "account.resume": "Resume the account",
  "account.close": "Close the account",
  "account.cancel_close": "Cancel the closing",
  "account.close_any": "Close the account, by an operator",
  "account.cancel_close_any": "Cancel the closing, by an operator",
  "account.switch": "Go on in another account",
  "account.leave": "Leave the account",
  "account.transfer": "Hand the account over",
  "member.set_role": "Change somebody's role",
  "member.remove": "Take somebody out",
  "invitation.create": "Ask somebody in",
  "invitation.withdraw": "Withdraw an invitation",
  "invitation.accept": "Accept an invitation",
  "sign_up.confirm": "Sign up",
  "region.create": "Make a region",
  "region.move_executor": "Move a region's executor",
  "executor.release": "Release the executor's role",
  "inventory.refresh": "Read buckets and keys again",
  "agent.ping": "Ask an agent for a sign of life",
  "agent.revoke": "Turn an agent away",
  "agent.declare_lost": "Declare an agent lost",
  "agent.end_quarantine": "Let an agent in again",
  "enrol_token.create": "Make an enrolment token",
  "bucket.create": "Create a bucket",
  "bucket.delete": "Delete a bucket",
  "bucket.clear": "Clear a bucket",
  "bucket.measure_prefix": "Count objects",
  "bucket.set_quota": "Set a bucket's quota",
  "bucket.set_cors": "Set which pages may use a bucket",
  "bucket.set_lifecycle": "Set a bucket's rules",
  "bucket.set_website": "Set a bucket's website",
  "bucket.add_alias": "Give a bucket one more name",
  "bucket.remove_alias": "Take a name from a bucket",
  "bucket.cleanup_uploads": "Remove unfinished uploads",
  "bucket.restore": "Set a bucket back",
  "bucket.accept": "Accept what a bucket has become",
  "bucket.adopt": "Adopt a bucket",
  "bucket.release": "Release a bucket",
  "stray.ignore": "Leave a stray as it is",
  "key.create": "Create a key",
  "key.create_temporary": "Create a temporary key",
  "key.rename": "Rename a key",
  "key.set_expiry": "Set when a key ends",
  "key.suspend": "Suspend a key",
  "key.resume": "Resume a key",
  "key.delete": "Delete a key",
  "key.set_grant": "Change what a key may do",
  "key.rotate": "Rotate a key",
  "key.revoke_leaked": "Replace a leaked key",
  "operation.cancel": "Cancel a command",
  "operation.acknowledge": "Take a secret",
  "job.cancel": "Cancel a job",
  "token.create": "Make an API token",
  "token.delete": "Delete an API token",
  "device.approve": "Let a program in",
  "device.deny": "Turn a program away",
}

/** What was done or tried, in words. What only looks is told of when it was refused. */
export function actWords(act: string): string {
  const known = ACTS[act]
  if (known) return known
  const [noun = "", verb = ""] = act.split(".")
  if (["read", "list", "list_own", "health", "export"].includes(verb))
    return `Look at ${noun.replaceAll("_", " ")}s`
  return act
}

const RESULTS: Record<string, string> = {
  done: "Done",
  bad_credentials: "Refused: wrong password",
  bad_code: "Refused: wrong code",
  no_such_challenge: "Refused: begun too long ago",
  bad_token: "Refused: API token not valid",
  not_signed_in: "Refused: not signed in",
  forbidden: "Refused: not allowed to",
  reauthenticate: "Held back: asked for a proof first",
  rate_limited: "Refused: too often",
  account_suspended: "Refused: account suspended",
  account_closing: "Refused: account is being closed",
  other_site: "Refused: asked by another site",
  internal: "Failed: a fault of the server",
}

/** What came of it, in words. */
export function resultWords(result: string): string {
  return RESULTS[result] ?? `Not done: ${result.replaceAll("_", " ")}`
}

const WAYS: Record<string, string> = {
  web: "dashboard",
  cli: "command line",
  api: "API",
  server: "on the server itself",
}

/** Which way it came. */
export const wayWords = (via: string): string => WAYS[via] ?? via
