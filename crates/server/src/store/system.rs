//! Whoever asks for what the platform does by itself: an operator without a password, whom nobody can
//! sign in as. Migrations make the row.

use storm_protocol::{
    command::Command,
    envelope::{Actor, Via},
    ident::{AccountId, Micros, OperationId, RegionName, UserId},
};

use super::operations::NewOperation;
use crate::clock::random;

/// Seconds after which what the platform asked for is given up when no agent took it.
pub(crate) const GIVE_UP_SECONDS: i64 = 600;

/// The platform itself, in an account.
pub(crate) fn system_actor(account: AccountId) -> Actor {
    Actor {
        account,
        user: UserId::SYSTEM,
        operator: true,
        via: Via::System,
    }
}

impl NewOperation {
    /// What the platform itself asks for, in an account.
    pub(crate) fn by_platform(
        account: AccountId,
        region: RegionName,
        command: Command,
        now: Micros,
    ) -> Self {
        Self {
            id: OperationId::new(now, random()),
            actor: system_actor(account),
            origin: None,
            region,
            command,
            asked: None,
            seal_to: None,
            token: None,
            idempotency_key: None,
            requested_at: now,
            give_up_at: now.plus_seconds(GIVE_UP_SECONDS),
        }
    }
}
