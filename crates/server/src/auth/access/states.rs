//! What people may still do in an account that is suspended or being closed: look, and what is about
//! themselves. All else would change it.

use super::Act;

/// What is about a person, not about the account that they are in.
const OWN: &[&str] = &["session", "password", "sign_in_method"];
/// What changes nothing, or takes something of theirs back.
const STAYS: &[&str] = &[
    "account.list_own",
    "account.switch",
    "account.leave",
    "account.cancel_close",
    "device.deny",
    "operation.list",
    "usage.export",
    "token.delete",
    "cluster.health",
];

/// Whether people may do this whatever became of the account.
pub(super) fn stays(act: &Act) -> bool {
    let noun = act.name.split('.').next().unwrap_or_default();
    act.only_reads() || OWN.contains(&noun) || STAYS.contains(&act.name)
}

#[cfg(test)]
mod tests {
    use storm_protocol::{
        api::{AccountState, Role},
        command::{Class, Command},
    };

    use super::{STAYS, stays};
    use crate::auth::access::{Denied, Rights, TABLE, of_command};

    #[test]
    fn no_command_that_changes_anything_stays() {
        for row in Command::TABLE {
            let act = of_command(row.name).unwrap();
            assert!(
                !stays(act) || row.class == Class::Read,
                "{} changes something",
                row.name
            );
        }
        for name in STAYS {
            assert!(of_command(name).is_some(), "{name}");
        }
    }

    #[test]
    fn an_owner_looks_and_an_operator_may_everything() {
        for state in [AccountState::Suspended, AccountState::Closing] {
            let owner = Rights {
                role: Some(Role::Owner),
                operator: false,
                state,
                token: None,
            };
            let operator = Rights {
                operator: true,
                ..owner
            };
            for act in TABLE {
                assert_eq!(operator.allow(act), Ok(()), "{}", act.name);
            }
            let may = |name| owner.allow(of_command(name).unwrap());
            for name in [
                "account.read",
                "session.end",
                "account.switch",
                "audit.read",
            ] {
                assert_eq!(may(name), Ok(()), "{name}");
            }
            let denied = match state {
                AccountState::Suspended => Denied::Suspended,
                _ => Denied::Closing,
            };
            for name in ["key.create", "key.resume", "bucket.delete", "token.create"] {
                assert_eq!(may(name), Err(denied), "{name}");
            }
            for name in ["member.set_role", "account.close", "account.transfer"] {
                assert_eq!(may(name), Err(denied), "{name}");
            }
        }
    }
}
