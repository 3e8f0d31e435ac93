//! What an account's limits make of a request: refused when there is no room for one more, a quota made
//! smaller when the storage limit leaves less.

use http::StatusCode;
use storm_protocol::{
    command::Command,
    ident::{BucketId, Limit, RegionName},
};

use crate::{
    auth::{Caller, Need},
    error::ApiError,
    routes::command::IdempotencyKey,
    store::limits::Full,
};

/// The command to send and, where that is something else, the one that was asked for.
pub(super) async fn apply<N: Need>(
    caller: &Caller<N>,
    key: &IdempotencyKey,
    region: &RegionName,
    command: Command,
) -> Result<(Command, Option<Command>), ApiError> {
    check_room(caller, key, region, &command).await?;
    let mut sent = command.clone();
    if let Command::BucketCreate(p) = &mut sent {
        p.quota_bytes = within_storage(caller, None, p.quota_bytes).await?;
    } else if let Command::BucketSetQuota(p) = &mut sent {
        p.quota_bytes = within_storage(caller, Some(p.bucket), p.quota_bytes).await?;
    } else if let Command::BucketAdopt(p) = &mut sent {
        // Whose it becomes, which need not be who asks.
        let quota = caller
            .store()
            .quota_at_adoption(p.account, p.bucket, p.quota_bytes);
        p.quota_bytes = quota.await?;
    }
    let asked = (sent != command).then_some(command);
    Ok((sent, asked))
}

async fn within_storage<N: Need>(
    caller: &Caller<N>,
    bucket: Option<BucketId>,
    own: Option<Limit>,
) -> Result<Option<Limit>, ApiError> {
    let account = caller.person.account;
    Ok(caller.store().effective_quota(account, bucket, own).await?)
}

async fn check_room<N: Need>(
    caller: &Caller<N>,
    key: &IdempotencyKey,
    region: &RegionName,
    command: &Command,
) -> Result<(), ApiError> {
    let (store, now) = (caller.store(), caller.now());
    let demand = store.demand(region, command, now).await?;
    let account = caller.person.account;
    let Some(full) = store.is_full(account, demand, None, now).await? else {
        return Ok(());
    };
    // One that was asked before under the same key is answered as it was.
    if key.is_known(caller).await? {
        return Ok(());
    }
    let message = match full {
        Full::Buckets(limit) => format!(
            "The account may have {} and has as many, with what is being made. Nothing was changed. Delete \
             one, or ask whoever runs this platform for more.",
            counted(limit, "bucket")
        ),
        Full::Keys(limit) => format!(
            "The account may have {} and has as many, with what is being made. Nothing was changed. Delete \
             one, or ask whoever runs this platform for more. A key that is rotated with no grace needs no \
             further one.",
            counted(limit, "key")
        ),
    };
    Err(ApiError::refused(
        StatusCode::CONFLICT,
        "limit_reached",
        message,
    ))
}

fn counted(limit: Limit, thing: &str) -> String {
    match limit.get() {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}
