//! What comes of setting a bucket right, and of giving it to an account or taking it away.

use storm_protocol::{
    command::{BucketAdopt, BucketRestore, Command, KeyGrant},
    ident::{AccountId, BucketId},
    result::BucketAdopted,
};

use super::Effects;
use crate::{
    app::Change,
    store::{
        Result, Writing, parsed_option,
        wanted::{self, Part},
    },
};

impl Effects<'_> {
    /// A bucket is as it was wanted. What that is has not changed: what nobody asked for was set to
    /// what was found.
    pub(super) async fn restored(
        &self,
        transaction: &mut Writing,
        asked: &BucketRestore,
    ) -> Result<()> {
        let bucket = asked.bucket;
        let (bytes, objects) = (asked.quota_bytes, asked.quota_objects);
        self.quota(transaction, bucket, bytes, objects).await?;
        self.cors(transaction, bucket, &asked.cors).await?;
        self.lifecycle(transaction, bucket, &asked.lifecycle)
            .await?;
        self.website(transaction, bucket, asked.website.as_ref())
            .await?;
        for grant in &asked.grants {
            let given = KeyGrant {
                bucket,
                read: grant.read,
                write: grant.write,
                owner: grant.owner,
            };
            self.grant(transaction, &grant.key, &given).await?;
        }
        Ok(())
    }

    /// A bucket is an account's. Its keys have the rights that they were found with; of its limits
    /// those are wanted that were asked for.
    pub(super) async fn adopted(
        &self,
        transaction: &mut Writing,
        asked: Option<&BucketAdopt>,
        adopted: &BucketAdopted,
    ) -> Result<Vec<Change>> {
        let bucket = adopted.bucket;
        let before = self.owner(transaction, bucket).await?;
        // An agent does not make accounts.
        sqlx::query(
            "UPDATE buckets SET account = COALESCE((SELECT id FROM accounts WHERE id = $3), account), \
             adopt_at = NULL, ignored = 0, released_at = NULL WHERE id = $1 AND region = $2",
        )
        .bind(bucket.to_string())
        .bind(self.region.as_str())
        .bind(adopted.account.to_string())
        .execute(&mut **transaction)
        .await?;
        if let Some(name) = &adopted.name {
            self.first_name(transaction, bucket, name).await?;
        }
        let (bytes, objects) = (adopted.quota_bytes, adopted.quota_objects);
        self.quota(transaction, bucket, bytes, objects).await?;
        if asked.is_some_and(|asked| asked.quota_bytes.is_some() || asked.quota_objects.is_some()) {
            let set = [bytes, objects];
            let own = match self.wanted {
                Some(Command::BucketAdopt(wanted)) => {
                    // What it had when it was asked for, unless something else was.
                    let had = self.own_quota(transaction, bucket).await?;
                    [wanted.quota_bytes.or(had), wanted.quota_objects.or(objects)]
                }
                Some(_) | None => set,
            };
            self.write_quotas(transaction, bucket, own, set).await?;
            self.want(transaction, bucket, Part::Quota(bytes, objects))
                .await?;
        }
        self.want(transaction, bucket, Part::AllGrants).await?;
        wanted::give_found(transaction, self.region, bucket).await?;
        let mut changes = vec![Change::Bucket(Some(adopted.account), bucket)];
        if before != Some(adopted.account) {
            changes.push(Change::Bucket(before, bucket));
        }
        Ok(changes)
    }

    /// A bucket is nobody's, and none of its keys opens it. Whose it was hears of that.
    pub(super) async fn released(
        &self,
        transaction: &mut Writing,
        bucket: BucketId,
    ) -> Result<Vec<Change>> {
        let before = self.owner(transaction, bucket).await?;
        sqlx::query(
            "UPDATE buckets SET account = NULL, adopt_at = NULL, released_at = $3, \
             differs_since = NULL, drift = 0 WHERE id = $1 AND region = $2",
        )
        .bind(bucket.to_string())
        .bind(self.region.as_str())
        .bind(self.at.0)
        .execute(&mut **transaction)
        .await?;
        sqlx::query("DELETE FROM grants WHERE region = $1 AND bucket = $2")
            .bind(self.region.as_str())
            .bind(bucket.to_string())
            .execute(&mut **transaction)
            .await?;
        wanted::forget_bucket(transaction, self.region, bucket).await?;
        Ok(vec![Change::Bucket(before, bucket)])
    }

    async fn owner(
        &self,
        transaction: &mut Writing,
        bucket: BucketId,
    ) -> Result<Option<AccountId>> {
        let account: Option<Option<String>> =
            sqlx::query_scalar("SELECT account FROM buckets WHERE id = $1 AND region = $2")
                .bind(bucket.to_string())
                .bind(self.region.as_str())
                .fetch_optional(&mut **transaction)
                .await?;
        parsed_option("buckets", account.flatten().as_deref())
    }
}
