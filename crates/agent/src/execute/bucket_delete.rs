//! `bucket.delete`: CleanupIncompleteUploads (DeleteBucket would leak their blocks), DeleteBucket,
//! and the clean-up again for uploads that began meanwhile.

use storm_protocol::{
    command::BucketDelete, error::Failure, ident::BucketId, result::BucketDeleted,
};

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, BucketInfo, Rights},
    journal::{BucketRecord, GrantRecord, LocalAlias, Owned, OwnerChange, Record},
};

pub(super) async fn execute(run: &mut Run, p: &BucketDelete) -> Result<BucketDeleted, Stop> {
    let id = p.bucket;
    // With a record in the journal an earlier process may have cut a DeleteBucket half-way.
    let (record, cut) = match run.entry.record.clone() {
        Some(Record::Bucket(record)) => (record, true),
        Some(Record::Expiry(_) | Record::Key(_) | Record::Ends(_)) | None => {
            match take_record(run, id).await? {
                Some(record) => (record, false),
                None if run.entry.begun_elsewhere => return gone(run, id).await,
                None => return Err(Stop::because(Failure::NoSuchBucket)),
            }
        }
    };
    run.must(AdminRequest::cleanup_uploads(id, 0)).await?;
    let answer = run.change(AdminRequest::delete_bucket(id)).await?;
    let cut = cut || answer.repeated;
    match answer.result {
        Ok(_) => {}
        Err(no) if no.is("NoSuchBucket") && cut => {}
        Err(no) => {
            if cut && !no.is("NoSuchBucket") {
                put_back(run, id, &record).await?;
            }
            return Err(Stop::from(&no));
        }
    }
    gone(run, id).await
}

/// The bucket is deleted, by us or by an agent that is lost: what uploads into it had begun goes too.
async fn gone(run: &mut Run, id: BucketId) -> Result<BucketDeleted, Stop> {
    run.must(AdminRequest::cleanup_uploads(id, 0)).await?;
    run.owners.push(OwnerChange::Gone(Owned::Bucket(id)));
    Ok(BucketDeleted { bucket: id })
}

/// Reads what DeleteBucket takes away before it looks whether it may, and writes it down. `None`:
/// there is no such bucket.
async fn take_record(run: &mut Run, id: BucketId) -> Result<Option<BucketRecord>, Stop> {
    let bucket: Option<BucketInfo> = run.find(AdminRequest::bucket(id)).await?;
    let Some(bucket) = bucket else {
        return Ok(None);
    };
    // Else the clean-up would break off uploads into a bucket that stays.
    if bucket.objects > 0 {
        return Err(Stop::because(Failure::BucketNotEmpty));
    }
    let record = record_of(bucket);
    run.record(Record::Bucket(record.clone())).await?;
    Ok(Some(record))
}

/// What has to be known of a bucket before its names and rights go.
pub(super) fn record_of(bucket: BucketInfo) -> BucketRecord {
    let local_aliases = bucket.keys.iter().flat_map(|key| {
        key.bucket_local_aliases.iter().map(|alias| LocalAlias {
            key: key.access_key_id.clone(),
            alias: alias.clone(),
        })
    });
    BucketRecord {
        local_aliases: local_aliases.collect(),
        grants: bucket
            .keys
            .into_iter()
            .map(|key| GrantRecord {
                key: key.access_key_id,
                read: key.permissions.read,
                write: key.permissions.write,
                owner: key.permissions.owner,
            })
            .collect(),
        aliases: bucket.global_aliases,
        max_size: bucket.quotas.max_size,
        max_objects: bucket.quotas.max_objects,
    }
}

/// Gives the bucket back the names and keys that a cut DeleteBucket took.
async fn put_back(run: &mut Run, id: BucketId, record: &BucketRecord) -> Result<(), Stop> {
    let aliases = record
        .aliases
        .iter()
        .map(|alias| AdminRequest::add_alias(id, alias));
    let local = record.local_aliases.iter();
    let local = local.map(|local| AdminRequest::add_local_alias(id, &local.alias, &local.key));
    let grants = record.grants.iter().map(|grant| {
        let rights = Rights {
            read: grant.read,
            write: grant.write,
            owner: grant.owner,
        };
        AdminRequest::allow(id, &grant.key, rights)
    });
    for request in aliases.chain(local).chain(grants) {
        if let Err(no) = run.change(request).await?.result {
            // A key that is gone by now, or a name that someone else has taken.
            tracing::error!(%no, bucket = %id, "a part of the bucket cannot be put back");
        }
    }
    Ok(())
}
