//! What each command does to Garage: one file a command or family. Each function is written so that
//! running it again from the journal, whatever a crash cut, leads to one known end.

mod bucket_create;
mod bucket_delete;
mod bucket_set_quota;
mod cluster;
mod key_create;
mod key_delete;
mod key_rotate;
mod key_set_grant;
mod new_key;
mod orphans;

#[cfg(test)]
pub(crate) use key_rotate::MAX_ROTATED_GRANTS;
use storm_protocol::{
    command::{Command, CommandResult},
    error::Failure,
    result::Pong,
};

use crate::{engine::Run, garage::Rejection};

/// Why an operation does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has ended without doing its work.
    Failed {
        /// Why, as a stable code.
        code: Failure,
        /// Why, in words.
        message: String,
    },
    /// The engine closes; the next start goes on.
    Halted,
}

impl Stop {
    /// An end with words of its own.
    pub(crate) const fn failed(code: Failure, message: String) -> Self {
        Self::Failed { code, message }
    }

    /// An end with the code's own words.
    pub(crate) fn because(code: Failure) -> Self {
        Self::failed(code, code.sentence().to_owned())
    }
}

impl From<&Rejection> for Stop {
    fn from(no: &Rejection) -> Self {
        let code = match no.code.as_str() {
            "NoSuchBucket" => Failure::NoSuchBucket,
            "NoSuchAccessKey" => Failure::NoSuchKey,
            "BucketAlreadyExists" => Failure::NameTaken,
            "BucketNotEmpty" => Failure::BucketNotEmpty,
            _ => {
                let words = format!("{} {no}.", Failure::GarageRefused.sentence());
                return Self::failed(Failure::GarageRefused, words);
            }
        };
        Self::because(code)
    }
}

/// Does what `command` asks.
pub(crate) async fn execute(run: &mut Run, command: &Command) -> Result<CommandResult, Stop> {
    match command {
        Command::AgentPing(_) => Ok(CommandResult::AgentPing(Pong {
            clock: run.inner.now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })),
        Command::ClusterHealthCommand(_) => cluster::health(run)
            .await
            .map(CommandResult::ClusterHealthCommand),
        Command::InventoryRefresh(_) => cluster::refresh(run)
            .await
            .map(CommandResult::InventoryRefresh),
        Command::BucketCreate(p) => bucket_create::execute(run, p)
            .await
            .map(CommandResult::BucketCreate),
        Command::BucketDelete(p) => bucket_delete::execute(run, p)
            .await
            .map(CommandResult::BucketDelete),
        Command::BucketSetQuota(p) => bucket_set_quota::execute(run, p)
            .await
            .map(CommandResult::BucketSetQuota),
        Command::KeyCreate(p) => key_create::execute(run, p)
            .await
            .map(CommandResult::KeyCreate),
        Command::KeyDelete(p) => key_delete::execute(run, p)
            .await
            .map(CommandResult::KeyDelete),
        Command::KeySetGrant(p) => key_set_grant::execute(run, p)
            .await
            .map(CommandResult::KeySetGrant),
        Command::KeyRotate(p) => key_rotate::execute(run, p)
            .await
            .map(CommandResult::KeyRotate),
    }
}
