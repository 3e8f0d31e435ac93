//! Whoever asks for what the platform does by itself: an operator without a password, whom nobody can
//! sign in as. Migrations make the row.

use storm_protocol::{
    envelope::{Actor, Via},
    ident::{AccountId, UserId},
};

/// The platform itself, in an account.
pub(crate) fn system_actor(account: AccountId) -> Actor {
    Actor {
        account,
        user: UserId::SYSTEM,
        operator: true,
        via: Via::System,
    }
}
