//! What each command does to Garage: one file a command or family. Each function is written so that
//! running it again from the journal, whatever a crash cut, leads to one known end.

mod account_set_quotas;
mod bucket_adopt;
mod bucket_alias;
mod bucket_cleanup_uploads;
mod bucket_clear;
mod bucket_create;
mod bucket_delete;
mod bucket_measure_prefix;
mod bucket_restore;
mod bucket_settings;
mod cluster;
mod executor_release;
mod job;
mod job_cancel;
mod key_create;
mod key_delete;
mod key_revoke_leaked;
mod key_rotate;
mod key_set_grant;
mod key_settings;
mod new_key;
mod orphans;

#[cfg(test)]
pub(crate) use key_rotate::MAX_ROTATED_GRANTS;
use storm_protocol::{
    command::{Command, CommandResult},
    error::Failure,
    ident::Micros,
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

/// An instant as Garage keeps it, so that what a receipt says is what Garage does.
fn in_whole_millis(at: Micros) -> Micros {
    const MILLI: i64 = 1000;
    Micros(at.0 - at.0.rem_euclid(MILLI))
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
        Command::ExecutorRelease(p) => executor_release::execute(run, p)
            .await
            .map(CommandResult::ExecutorRelease),
        Command::JobCancel(p) => job_cancel::execute(run, p)
            .await
            .map(CommandResult::JobCancel),
        Command::BucketCreate(p) => bucket_create::execute(run, p)
            .await
            .map(CommandResult::BucketCreate),
        Command::BucketDelete(p) => bucket_delete::execute(run, p)
            .await
            .map(CommandResult::BucketDelete),
        Command::BucketClear(p) => bucket_clear::execute(run, p)
            .await
            .map(CommandResult::BucketClear),
        Command::BucketMeasurePrefix(p) => bucket_measure_prefix::execute(run, p)
            .await
            .map(CommandResult::BucketMeasurePrefix),
        Command::BucketSetQuota(p) => bucket_settings::set_quota(run, p)
            .await
            .map(CommandResult::BucketSetQuota),
        Command::BucketSetCors(p) => bucket_settings::set_cors(run, p)
            .await
            .map(CommandResult::BucketSetCors),
        Command::BucketSetLifecycle(p) => bucket_settings::set_lifecycle(run, p)
            .await
            .map(CommandResult::BucketSetLifecycle),
        Command::BucketSetWebsite(p) => bucket_settings::set_website(run, p)
            .await
            .map(CommandResult::BucketSetWebsite),
        Command::BucketAddAlias(p) => bucket_alias::add(run, p)
            .await
            .map(CommandResult::BucketAddAlias),
        Command::BucketRemoveAlias(p) => bucket_alias::remove(run, p)
            .await
            .map(CommandResult::BucketRemoveAlias),
        Command::BucketCleanupUploads(p) => bucket_cleanup_uploads::execute(run, p)
            .await
            .map(CommandResult::BucketCleanupUploads),
        Command::BucketRestore(p) => bucket_restore::execute(run, p)
            .await
            .map(CommandResult::BucketRestore),
        Command::BucketAdopt(p) => bucket_adopt::adopt(run, p)
            .await
            .map(CommandResult::BucketAdopt),
        Command::BucketRelease(p) => bucket_adopt::release(run, p)
            .await
            .map(CommandResult::BucketRelease),
        Command::AccountSetQuotas(p) => account_set_quotas::execute(run, p)
            .await
            .map(CommandResult::AccountSetQuotas),
        Command::KeyCreate(p) => key_create::execute(run, p)
            .await
            .map(CommandResult::KeyCreate),
        Command::KeyCreateTemporary(p) => key_create::temporary(run, p)
            .await
            .map(CommandResult::KeyCreateTemporary),
        Command::KeyRename(p) => key_settings::rename(run, p)
            .await
            .map(CommandResult::KeyRename),
        Command::KeySetExpiry(p) => key_settings::set_expiry(run, p)
            .await
            .map(CommandResult::KeySetExpiry),
        Command::KeySuspend(p) => key_settings::suspend(run, p)
            .await
            .map(CommandResult::KeySuspend),
        Command::KeyResume(p) => key_settings::resume(run, p)
            .await
            .map(CommandResult::KeyResume),
        Command::KeyRevokeLeaked(p) => key_revoke_leaked::execute(run, p)
            .await
            .map(CommandResult::KeyRevokeLeaked),
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
