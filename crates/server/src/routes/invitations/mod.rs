//! Invitations into the account.

pub(crate) mod accept;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod look_up;
pub(crate) mod withdraw;

use storm_protocol::{
    api::{Invitation, Role},
    ident::InvitationId,
};

use crate::{
    auth::{
        Caller, Need,
        secret::{PlainSecret, StoredSecret},
    },
    clock::random,
    mail::{self, Mail},
};

/// Days that an invitation is good.
const VALID_DAYS: i64 = 7;
const DAY_SECONDS: i64 = 24 * 3600;

/// An invitation before it is written down.
pub(super) struct Prepared {
    /// The invitation.
    pub(super) invitation: Invitation,
    /// What is kept of its link's secret.
    pub(super) secret: StoredSecret,
    /// The e-mail with the link.
    pub(super) mail: Mail,
}

/// The caller asks whoever has `email` into the account called `account`.
pub(super) fn prepare<N: Need>(
    caller: &Caller<N>,
    email: String,
    role: Role,
    account: &str,
) -> Prepared {
    let now = caller.now();
    let secret = PlainSecret::link();
    let site = &caller.app().config.web.public_url;
    let link = format!("{site}/invitation#{}", secret.expose());
    let mail = mail::invitation(&email, account, &caller.person.email, &link, VALID_DAYS);
    Prepared {
        invitation: Invitation {
            id: InvitationId::new(now, random()),
            email,
            role,
            invited_by: caller.person.user,
            created_at: now,
            expires_at: now.plus_seconds(VALID_DAYS * DAY_SECONDS),
        },
        secret: secret.stored(),
        mail,
    }
}
