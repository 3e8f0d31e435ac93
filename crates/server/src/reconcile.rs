//! What follows from sweeps: what appeared in a cluster without us is adopted for the account whose
//! it is, and what differs from what was asked for is shown. It asks for commands as anybody does,
//! as the platform itself, and holds no key.

use std::time::Duration;

use storm_protocol::{
    api::OperationStatus,
    command::{BucketAdopt, Command},
    ident::{Micros, UserId},
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change},
    store::{
        self,
        adoption::Adoptable,
        operations::{NewOperation, Requested},
    },
};

/// Milliseconds between looks at the database when no sweep wakes this.
const POLL_MILLISECONDS: u64 = 2_000;
/// Adoptions that are asked for in one go.
const ADOPTIONS_AT_ONCE: u32 = 100;
/// Seconds between looks at an adoption that is under way.
const LOOK_AGAIN_SECONDS: i64 = 10;
/// Seconds until an adoption that failed is asked for again; each next wait is twice as long.
const RETRY_FIRST_SECONDS: i64 = 60;
/// The longest of these waits in seconds: six hours.
const RETRY_MAX_SECONDS: i64 = 6 * 3600;

/// Reconciles until `stop`.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_millis(POLL_MILLISECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.bus.reconcile.notified() => {}
            _ = ticks.tick() => {}
        }
        if let Err(error) = pass(&app).await {
            tracing::error!(%error, "clusters could not be reconciled; it is tried again");
        }
    }
}

/// Does all that is due.
pub(crate) async fn pass(app: &App) -> store::Result<()> {
    for change in app.store.show_drift(app.clock.now()).await? {
        app.bus.tell(change);
    }
    let due = app.store.adoptable(app.clock.now(), ADOPTIONS_AT_ONCE);
    for adoptable in due.await? {
        adopt(app, &adoptable).await?;
    }
    Ok(())
}

/// Asks for an adoption, or sees what came of it: each try has a name of its own, under which it is
/// asked once, however often this begins anew.
async fn adopt(app: &App, adoptable: &Adoptable) -> store::Result<()> {
    let now = app.clock.now();
    let (store, bucket, tries) = (&app.store, adoptable.bucket, adoptable.tries);
    let key = format!("adopt-{bucket}-{tries}");
    let asked = store
        .asked_under(adoptable.account, UserId::SYSTEM, &key)
        .await?;
    let again = now.plus_seconds(LOOK_AGAIN_SECONDS);
    match asked.map(|operation| operation.state) {
        None => {
            ask(app, adoptable, key, now).await?;
            store.adopt_later(bucket, again, tries).await
        }
        Some(OperationStatus::Done) => store.adopted(bucket).await,
        Some(
            OperationStatus::Requested
            | OperationStatus::Signed
            | OperationStatus::Sent
            | OperationStatus::Accepted
            | OperationStatus::Unknown,
        ) => store.adopt_later(bucket, again, tries).await,
        Some(
            OperationStatus::Failed
            | OperationStatus::Refused
            | OperationStatus::Expired
            | OperationStatus::Cancelled,
        ) => {
            let wait = retry_seconds(tries);
            tracing::warn!(%bucket, tries, wait, "a bucket could not be adopted");
            let later = now.plus_seconds(wait);
            store
                .adopt_later(bucket, later, tries.saturating_add(1))
                .await
        }
    }
}

async fn ask(
    app: &App,
    adoptable: &Adoptable,
    idempotency_key: String,
    now: Micros,
) -> store::Result<()> {
    let &Adoptable {
        bucket, account, ..
    } = adoptable;
    let adopt = |quota_bytes| {
        Command::BucketAdopt(BucketAdopt {
            bucket,
            account,
            name: adoptable.name.clone(),
            quota_bytes,
            quota_objects: None,
        })
    };
    // The limits that the bucket has stay, unless the account's storage limit leaves less.
    let quota = app.store.quota_at_adoption(account, bucket, None).await?;
    let requested = app.store.request_operation(NewOperation {
        asked: quota.is_some().then(|| adopt(None)),
        idempotency_key: Some(idempotency_key),
        ..NewOperation::by_platform(account, adoptable.region.clone(), adopt(quota), now)
    });
    match requested.await? {
        Requested::New(operation) => {
            tracing::info!(
                operation = %operation.id, %bucket, %account,
                "a bucket that appeared is adopted"
            );
            app.bus.signer.notify_one();
            app.bus.tell(Change::Operation(account, operation.id));
        }
        // Somebody else was faster, or too many are open: looked at again later.
        Requested::Same(_) | Requested::Other | Requested::TooMany | Requested::Full => {}
    }
    Ok(())
}

fn retry_seconds(tries: u32) -> i64 {
    let doubled = 1_i64 << tries.saturating_sub(1).min(16);
    RETRY_FIRST_SECONDS
        .saturating_mul(doubled)
        .min(RETRY_MAX_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::retry_seconds;

    #[test]
    fn waits_double_up_to_a_bound() {
        assert_eq!([1, 2, 3, 50].map(retry_seconds), [60, 120, 240, 6 * 3600]);
    }
}
