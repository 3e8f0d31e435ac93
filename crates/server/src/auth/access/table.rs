//! The table itself, and how it is printed.

use std::fmt::Write as _;

use storm_protocol::{
    api::Role,
    command::{Command, Row},
    ident::Scope,
};

use super::{Act, ForOperators, Least, Need};

macro_rules! for_operators {
    ($act:ident Operator) => {
        impl ForOperators for $act {}
    };
    ($act:ident $least:ident) => {};
}

macro_rules! acts {
    ($($name:literal $act:ident $least:ident $([$($flag:ident)+])? $doc:literal;)+) => {
        /// A type for each row.
        pub(crate) mod act {
            use super::{Act, ForOperators, Least, Need};

            $(
                #[doc = concat!("`", $name, "`. ", $doc)]
                pub(crate) struct $act;

                impl Need for $act {
                    const ACT: Act = Act::new($name, Least::$least, $doc)$($(.$flag())+)?;
                }

                for_operators!($act $least);
            )+
        }

        /// Every row.
        pub(crate) const TABLE: &[Act] = &[$(<act::$act as Need>::ACT,)+];
    };
}

acts! {
    "session.read" ReadSession Viewer [on_buckets] "Say who is signed in.";
    "session.reauthenticate" Reauthenticate Viewer [session] "Prove again who you are, before what is dangerous.";
    "session.list" ListSessions Viewer "Your sessions.";
    "session.end" EndSessions Viewer "End one of them, or all others.";
    "sign_in_method.list" ListSignInMethods Viewer [session] "What you can sign in with.";
    "sign_in_method.add" AddSignInMethod Viewer [session fresh] "Set up an authenticator app or a passkey.";
    "sign_in_method.remove" RemoveSignInMethod Viewer [session fresh] "Turn one off or delete it.";
    "sign_in_method.rename" RenameSignInMethod Viewer [session] "Call a passkey something else.";
    "sign_in_method.renew_codes" RenewRecoveryCodes Viewer [session fresh] "Make new recovery codes.";
    "password.change" ChangePassword Viewer "Set another password of yours.";
    "trust.read" ReadTrust Viewer [on_buckets] "The keys that commands and receipts are checked with.";
    "event.read" ReadEvents Viewer "Hear of changes as they happen.";

    "account.read" ReadAccount Viewer "The account, its limits and what it uses.";
    "account.list" ListAccounts Operator "All accounts.";
    "account.create" CreateAccount Operator "Make an account and ask its first owner in.";
    "account.rename" RenameAccount Owner "Call the account something else.";
    "account.set_limits" SetAccountLimits Operator "Say what an account may have.";
    "account.set_quotas" SetAccountQuotas Operator "";
    "account.suspend" SuspendAccount Operator [fresh] "Stop an account's keys and changes, until it is resumed.";
    "account.resume" ResumeAccount Operator "Let it go on as it was.";
    "account.close" CloseAccount Owner [fresh] "Close your account: keys at once, buckets after some days.";
    "account.cancel_close" CancelClose Owner "Cancel that, while its buckets are kept.";
    "account.close_any" CloseAnyAccount Operator [fresh] "Close any account.";
    "account.cancel_close_any" CancelAnyClose Operator "Cancel the closing of any account.";

    "account.list_own" ListOwnAccounts Viewer "The accounts that you are in.";
    "account.switch" SwitchAccount Viewer "Go on in another one of them.";
    "account.leave" LeaveAccount Viewer "Leave the account.";
    "account.transfer" TransferAccount Owner [fresh] "Make somebody else an owner in your place.";
    "member.read" ReadMembers Viewer "Who is in the account.";
    "member.set_role" SetMemberRole Admin [fresh] "Give somebody a role, at most your own.";
    "member.remove" RemoveMember Admin [fresh] "Take somebody out of the account.";
    "invitation.read" ReadInvitations Admin "Who was asked into the account.";
    "invitation.create" CreateInvitation Admin "Ask somebody in, by e-mail.";
    "invitation.withdraw" WithdrawInvitation Admin "Withdraw an invitation.";

    "region.read" ReadRegions Viewer [on_buckets] "Regions.";
    "region.create" CreateRegion Operator "Make a region.";
    "region.move_executor" MoveExecutor Operator [fresh] "Give a region's executor role to another agent.";
    "executor.release" ReleaseExecutor Operator "";
    "cluster.health" ReadClusterHealth Viewer "";
    "inventory.refresh" RefreshInventory Member "";
    "agent.ping" PingAgent Member "";
    "agent.read" ReadAgents Operator "Agents.";
    "agent.revoke" RevokeAgent Operator [fresh] "Turn an agent away for good.";
    "agent.declare_lost" DeclareAgentLost Operator [fresh] "Say that an agent does not come back.";
    "agent.end_quarantine" EndQuarantine Operator [fresh] "Let an agent in whose receipts were in doubt.";
    "enrol_token.read" ReadEnrolTokens Operator "Tokens that let an agent join.";
    "enrol_token.create" CreateEnrolToken Operator [fresh] "Make one.";

    "bucket.read" ReadBuckets Viewer [on_buckets] "Buckets, their settings and who may use them.";
    "bucket.create" CreateBucket Member "";
    "bucket.delete" DeleteBucket Member [on_buckets] "";
    "bucket.clear" ClearBucket Member [on_buckets fresh] "";
    "bucket.measure_prefix" MeasurePrefix Member [on_buckets] "";
    "bucket.set_quota" SetBucketQuota Member [on_buckets] "";
    "bucket.set_cors" SetBucketCors Member [on_buckets] "";
    "bucket.set_lifecycle" SetBucketLifecycle Member [on_buckets] "";
    "bucket.set_website" SetBucketWebsite Member [on_buckets] "";
    "bucket.add_alias" AddBucketAlias Member [on_buckets] "";
    "bucket.remove_alias" RemoveBucketAlias Member [on_buckets] "";
    "bucket.cleanup_uploads" CleanupUploads Member [on_buckets] "";
    "bucket.restore" RestoreBucket Member [on_buckets] "";
    "bucket.accept" AcceptBucket Member [on_buckets] "Take what Garage has as what is wanted.";
    "bucket.adopt" AdoptBucket Operator "";
    "bucket.release" ReleaseBucket Operator "";
    "stray.read" ReadStrays Operator "Buckets and keys of nobody.";
    "stray.ignore" IgnoreStray Operator "Leave one as it is.";

    "key.read" ReadKeys Viewer "Keys and what they may do.";
    "key.create" CreateKey Member [on_buckets] "";
    "key.create_temporary" CreateTemporaryKey Member [on_buckets] "";
    "key.rename" RenameKey Member "";
    "key.set_expiry" SetKeyExpiry Member "";
    "key.suspend" SuspendKey Member "";
    "key.resume" ResumeKey Member "";
    "key.delete" DeleteKey Member "";
    "key.set_grant" SetGrant Member "";
    "key.rotate" RotateKey Member "";
    "key.revoke_leaked" RevokeLeakedKey Member "";

    "operation.list" ListOperations Viewer "What was asked for, by anyone in the account.";
    "operation.read" ReadOperation Viewer [on_buckets] "One of them.";
    "operation.cancel" CancelOperation Member [on_buckets] "Cancel one.";
    "operation.acknowledge" AcknowledgeSecret Member [on_buckets] "Say that its secret arrived.";
    "job.cancel" CancelJob Member [on_buckets] "";
    "receipt.read" ReadReceipts Viewer "Receipts, to verify.";
    "audit.read" ReadAudit Admin "Who did, or tried, what.";
    "security_event.read" ReadSecurityEvents Operator "Failed sign-ins, agents that were turned away, roles that moved.";
    "usage.read" ReadUsage Viewer [on_buckets] "Use and requests over time.";
    "usage.export" ExportUsage Viewer "A month's use, for a bill.";

    "token.read" ReadTokens Viewer "Your API tokens.";
    "token.create" CreateToken Viewer [fresh] "Make an API token that may what you may, or less.";
    "token.delete" DeleteToken Viewer "Delete one.";
    "device.read" ReadDevice Viewer "See which program asks to be let in, by its code.";
    "device.approve" ApproveDevice Viewer [fresh] "Let it in, with an API token that may what you may, or less.";
    "device.deny" DenyDevice Viewer "Turn it away.";
}

/// The row of a command.
pub(crate) fn of_command(command: &str) -> Option<&'static Act> {
    TABLE.iter().find(|act| act.name == command)
}

/// What a scope lets do, for a person.
pub(crate) fn words(scope: &Scope) -> String {
    let text = scope.as_str();
    if let Some(act) = of_command(text) {
        return format!("{text}: {}", doc(act));
    }
    match text.strip_suffix(".*") {
        Some(noun) => format!("{text}: everything about each {noun} that you may do"),
        None => "Everything that you may do in the account".to_owned(),
    }
}

/// The table, for `docs/access.md`.
pub(crate) fn print() -> String {
    let mut text = "# Who may do what\n\n\
        Printed by `storm-buckets access` from the one table that web and signer ask. The name is also the \
        scope of an API token: `bucket.read`, `bucket.*` or `*`. Roles are those in an account; operators run \
        the platform. A token for certain buckets may what has a mark in its column, with these buckets \
        alone. What is dangerous is done in a session only within ten minutes of a proof of who is there \
        (`POST /api/v1/session/reauthenticate`); what has the mark `session` no API token does.\n\n\
        | what | viewer | member | admin | owner | operator | token for buckets | dangerous | |\n\
        |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for act in TABLE {
        let roles = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];
        let roles = roles.map(|role| mark(act.least.is_met_by(Some(role), false)));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            act.name,
            roles[0],
            roles[1],
            roles[2],
            roles[3],
            mark(act.least.is_met_by(None, true)),
            mark(act.on_buckets),
            danger(act),
            doc(act)
        );
    }
    text
}

const fn mark(yes: bool) -> &'static str {
    if yes { "✓" } else { "" }
}

const fn danger(act: &Act) -> &'static str {
    match (act.fresh, act.by_session) {
        (true, true) => "✓ session",
        (false, true) => "session",
        (true, false) => "✓",
        (false, false) => "",
    }
}

fn doc(act: &Act) -> &'static str {
    let row = |row: &&Row| row.name == act.name;
    let command = Command::TABLE.iter().find(row);
    command.map_or(act.doc, |row| row.doc.trim())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use storm_protocol::command::{Class, Command};

    use super::{Least, TABLE, of_command, print};

    #[test]
    fn every_command_has_a_row_and_no_name_stands_twice() {
        let names: BTreeSet<_> = TABLE.iter().map(|act| act.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for row in Command::TABLE {
            let act = of_command(row.name).unwrap_or_else(|| panic!("{} has no row", row.name));
            // The classes of the whitelist are the agent's own word on what is dangerous.
            match row.class {
                Class::Operator => assert_eq!(act.least, Least::Operator, "{}", row.name),
                Class::Write | Class::Access | Class::Destructive => {
                    assert_eq!(act.least, Least::Member, "{}", row.name);
                }
                Class::Read => assert_ne!(act.least, Least::Operator, "{}", row.name),
            }
        }
    }

    #[test]
    fn names_are_a_noun_and_a_verb_and_each_row_says_what_it_is() {
        for (act, line) in TABLE.iter().zip(print().lines().skip(6)) {
            let (noun, verb) = act.name.split_once('.').unwrap();
            let sound = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(sound(noun) && sound(verb), "{}", act.name);
            assert!(!super::doc(act).is_empty(), "{}", act.name);
            assert!(line.contains(act.name) && line.is_ascii() || line.contains('✓'));
        }
    }
}
