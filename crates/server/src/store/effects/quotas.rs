//! What commands change of quotas: what a bucket's people want, and what was set in Garage for it.

use storm_protocol::{
    command::{BucketQuota, Command},
    ident::{BucketId, Limit},
};

use super::Effects;
use crate::{
    app::Change,
    store::{Result, Writing, to_big, wanted::Part},
};

/// Limits on bytes and on objects.
pub(super) type Quotas = [Option<Limit>; 2];

impl Effects<'_> {
    /// Writes down what a bucket's people want and what was sent for it. Not known what was asked: the
    /// next reading of the bucket says what it has.
    pub(super) async fn keep_quota(
        &self,
        transaction: &mut Writing,
        bucket: BucketId,
        sent: Option<&Command>,
    ) -> Result<()> {
        let Some([bytes, objects]) = quotas_of(sent) else {
            return Ok(());
        };
        let sent = [bytes, objects];
        let own = quotas_of(self.wanted).unwrap_or(sent);
        self.write_quotas(transaction, bucket, own, sent).await
    }

    /// A bucket's people want `own`, and `sent` was set.
    pub(super) async fn write_quotas(
        &self,
        transaction: &mut Writing,
        bucket: BucketId,
        own: Quotas,
        [bytes, objects]: Quotas,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO bucket_quotas (bucket, own_bytes, own_objects, effective_bytes, \
             effective_objects, set_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket) DO UPDATE \
             SET own_bytes = excluded.own_bytes, own_objects = excluded.own_objects, \
             effective_bytes = excluded.effective_bytes, \
             effective_objects = excluded.effective_objects, set_at = excluded.set_at",
        )
        .bind(bucket.to_string())
        .bind(big(own[0]))
        .bind(big(own[1]))
        .bind(big(bytes))
        .bind(big(objects))
        .bind(self.stored_at.0)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// The limit on bytes that a bucket's people want, as it is written down.
    pub(super) async fn own_quota(
        &self,
        transaction: &mut Writing,
        bucket: BucketId,
    ) -> Result<Option<Limit>> {
        let bytes: Option<Option<i64>> =
            sqlx::query_scalar("SELECT own_bytes FROM bucket_quotas WHERE bucket = $1")
                .bind(bucket.to_string())
                .fetch_optional(&mut **transaction)
                .await?;
        let bytes = bytes.flatten().and_then(|bytes| u64::try_from(bytes).ok());
        Ok(bytes.and_then(Limit::new))
    }

    /// Many quotas were set for the platform: what people want stays as it is. A bucket that Garage
    /// does not know any more is gone.
    pub(super) async fn account_quotas(
        &self,
        transaction: &mut Writing,
        quotas: &[BucketQuota],
        gone: &[BucketId],
    ) -> Result<Vec<Change>> {
        for quota in quotas {
            if gone.contains(&quota.bucket) {
                self.bucket_gone(transaction, quota.bucket).await?;
                continue;
            }
            sqlx::query(
                "INSERT INTO bucket_quotas (bucket, own_bytes, own_objects, effective_bytes, \
                 effective_objects, set_at) SELECT id, quota_bytes, quota_objects, $2, $3, $4 \
                 FROM buckets WHERE id = $1 ON CONFLICT (bucket) DO UPDATE \
                 SET effective_bytes = excluded.effective_bytes, \
                 effective_objects = excluded.effective_objects, set_at = excluded.set_at",
            )
            .bind(quota.bucket.to_string())
            .bind(big(quota.quota_bytes))
            .bind(big(quota.quota_objects))
            .bind(self.stored_at.0)
            .execute(&mut **transaction)
            .await?;
            let (bytes, objects) = (quota.quota_bytes, quota.quota_objects);
            self.quota(transaction, quota.bucket, bytes, objects)
                .await?;
            // What Garage is to have now: anything else is drift.
            self.want(transaction, quota.bucket, Part::Quota(bytes, objects))
                .await?;
        }
        let changed = |quota: &BucketQuota| Change::Bucket(Some(self.account), quota.bucket);
        Ok(quotas.iter().map(changed).collect())
    }
}

fn big(limit: Option<Limit>) -> Option<i64> {
    limit.map(|limit| to_big(limit.get()))
}

/// The limits that a command sets on its one bucket.
fn quotas_of(command: Option<&Command>) -> Option<Quotas> {
    match command {
        Some(Command::BucketCreate(p)) => Some([p.quota_bytes, p.quota_objects]),
        Some(Command::BucketSetQuota(p)) => Some([p.quota_bytes, p.quota_objects]),
        _ => None,
    }
}
