//! `account.set_quotas`: UpdateBucket for one bucket after the other, each with both limits, so that
//! the same again is the same. Slowly, since nobody waits for it and each call costs Garage 20 ms.

use std::{sync::Arc, time::Duration};

use storm_protocol::{command::AccountSetQuotas, result::QuotasSet};
use tokio::time::Instant;

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, BucketUpdate, Quotas},
};

/// Admin calls in a second at most, whoever's quotas they set.
const CALLS_PER_SECOND: u32 = 10;

pub(super) async fn execute(run: &mut Run, p: &AccountSetQuotas) -> Result<QuotasSet, Stop> {
    let mut set = 0;
    let mut gone = vec![];
    for quota in &p.quotas {
        wait_for_turn(run).await?;
        let quotas = Quotas {
            bytes: quota.quota_bytes,
            objects: quota.quota_objects,
        };
        let update = BucketUpdate {
            quotas: Some(quotas),
            ..BucketUpdate::default()
        };
        let request = AdminRequest::update_bucket(quota.bucket, &update);
        match run.change(request).await?.result {
            Ok(_) => set += 1,
            Err(no) if no.is("NoSuchBucket") => gone.push(quota.bucket),
            Err(no) => return Err(Stop::from(&no)),
        }
    }
    Ok(QuotasSet {
        account: p.account,
        set,
        gone,
    })
}

async fn wait_for_turn(run: &Run) -> Result<(), Stop> {
    let inner = Arc::clone(&run.inner);
    let mut turn = inner.quota_turn.lock().await;
    run.pause(turn.saturating_duration_since(Instant::now()))
        .await?;
    *turn = Instant::now() + Duration::from_secs(1) / CALLS_PER_SECOND;
    Ok(())
}
