//! `bucket.adopt` and `bucket.release`: whose a bucket is, which of one that we did not make only our
//! journal says for sure. Both change its owner last, in the commit that ends them: a crash before
//! that leaves whose it was, and the repetition does the rest.

use storm_protocol::{
    command::{BucketAdopt, BucketRelease},
    error::Failure,
    ident::{BucketId, BucketName, Limit},
    result::{BucketAdopted, BucketReleased},
};

use super::{Stop, bucket_alias, bucket_delete::record_of};
use crate::{
    engine::Run,
    garage::{AdminRequest, BucketInfo, BucketUpdate, Quotas, Rights},
    journal::{BucketRecord, Owned, OwnerChange, Record},
};

pub(super) async fn adopt(run: &mut Run, p: &BucketAdopt) -> Result<BucketAdopted, Stop> {
    let found = find(run, p.bucket).await?;
    let name = match &p.name {
        // Also when it has just this one: after a cut the name may not lead here yet.
        Some(wanted)
            if found
                .global_aliases
                .iter()
                .all(|name| name == wanted.as_str()) =>
        {
            give(run, p.bucket, wanted).await?
        }
        Some(_) | None => found
            .global_aliases
            .iter()
            .find_map(|name| name.parse().ok()),
    };
    // Garage takes both limits as a whole; the one that is not given stays.
    let quotas = Quotas {
        bytes: p.quota_bytes.or(found.quotas.max_size.and_then(Limit::new)),
        objects: p
            .quota_objects
            .or(found.quotas.max_objects.and_then(Limit::new)),
    };
    if p.quota_bytes.is_some() || p.quota_objects.is_some() {
        let update = BucketUpdate {
            quotas: Some(quotas),
            ..BucketUpdate::default()
        };
        run.must(AdminRequest::update_bucket(p.bucket, &update))
            .await?;
    }
    run.owners
        .push(OwnerChange::Set(Owned::Bucket(p.bucket), p.account));
    Ok(BucketAdopted {
        bucket: p.bucket,
        account: p.account,
        name,
        quota_bytes: quotas.bytes,
        quota_objects: quotas.objects,
    })
}

/// The name, if the bucket has it now. One that cannot be had is no reason not to adopt.
async fn give(
    run: &mut Run,
    bucket: BucketId,
    wanted: &BucketName,
) -> Result<Option<BucketName>, Stop> {
    match bucket_alias::give(run, bucket, wanted).await {
        Ok(given) => Ok(given.then(|| wanted.clone())),
        // Such as one that a bucket holds which is no more.
        Err(Stop::Failed {
            code: Failure::GarageRefused,
            message,
        }) => {
            tracing::warn!(%bucket, name = %wanted, message, "an adopted bucket stays without a name");
            Ok(None)
        }
        Err(stop) => Err(stop),
    }
}

pub(super) async fn release(run: &mut Run, p: &BucketRelease) -> Result<BucketReleased, Stop> {
    let record = match run.entry.record.clone() {
        Some(Record::Bucket(record)) => record,
        Some(Record::Expiry(_) | Record::Key(_) | Record::Ends(_)) | None => {
            take_record(run, p.bucket).await?
        }
    };
    let mut keys = 0;
    for grant in &record.grants {
        let deny = AdminRequest::deny(p.bucket, &grant.key, Rights::ALL);
        match run.change(deny).await?.result {
            Ok(_) => keys += 1,
            // Deleted meanwhile: it has no right any more.
            Err(no) if no.is("NoSuchAccessKey") => {}
            Err(no) => return Err(Stop::from(&no)),
        }
    }
    run.owners.push(OwnerChange::Gone(Owned::Bucket(p.bucket)));
    Ok(BucketReleased {
        bucket: p.bucket,
        keys,
    })
}

/// Writes down which keys have rights: after a cut the bucket may not name one that still works.
async fn take_record(run: &mut Run, bucket: BucketId) -> Result<BucketRecord, Stop> {
    let record = record_of(find(run, bucket).await?);
    run.record(Record::Bucket(record.clone())).await?;
    Ok(record)
}

async fn find(run: &mut Run, bucket: BucketId) -> Result<BucketInfo, Stop> {
    let found: Option<BucketInfo> = run.find(AdminRequest::bucket(bucket)).await?;
    found.ok_or_else(|| Stop::because(Failure::NoSuchBucket))
}
