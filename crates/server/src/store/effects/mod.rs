//! What a command that did its work changes among buckets, keys and grants, until the next sweep
//! says the same. Runs in the transaction that stores the receipt.

mod buckets;
mod keys;
mod quotas;
mod reconciled;
#[cfg(test)]
mod tests;

use storm_protocol::{
    command::{Command, CommandResult, KeyGrant},
    ident::{AccountId, Micros, OperationId, RegionName},
    rules::LifecycleRule,
};

use super::{Result, Writing, wanted::Part};
use crate::app::Change;

/// Where and for whom a command did its work.
#[derive(Debug, Clone, Copy)]
pub struct Effects<'a> {
    /// The region.
    pub region: &'a RegionName,
    /// The account that asked.
    pub account: AccountId,
    /// The operation.
    pub operation: OperationId,
    /// When it ended.
    pub at: Micros,
    /// When its receipt came, by our clock.
    pub stored_at: Micros,
    /// What was asked for, where something else was sent.
    pub wanted: Option<&'a Command>,
}

impl Effects<'_> {
    /// Writes down what `result` says. `command` is what was asked, when this database knows it.
    pub(crate) async fn apply(
        &self,
        transaction: &mut Writing,
        command: Option<&Command>,
        result: &CommandResult,
    ) -> Result<Vec<Change>> {
        match result {
            CommandResult::AgentPing(_)
            | CommandResult::ClusterHealthCommand(_)
            | CommandResult::InventoryRefresh(_)
            | CommandResult::ExecutorRelease(_)
            | CommandResult::JobCancel(_)
            | CommandResult::BucketMeasurePrefix(_) => Ok(vec![]),
            CommandResult::BucketCreate(made) => {
                let asked = match command {
                    Some(Command::BucketCreate(asked)) => Some(asked),
                    _ => None,
                };
                let quota = (
                    asked.and_then(|p| p.quota_bytes),
                    asked.and_then(|p| p.quota_objects),
                );
                self.bucket(transaction, made.bucket, &made.name, quota)
                    .await?;
                self.keep_quota(transaction, made.bucket, command).await?;
                if asked.is_some() {
                    self.want(transaction, made.bucket, Part::Quota(quota.0, quota.1))
                        .await?;
                    self.want(transaction, made.bucket, Part::AllGrants).await?;
                }
                let days = asked.and_then(|p| p.abort_uploads_after_days);
                if let Some(rule) = days.map(LifecycleRule::abort_uploads) {
                    self.lifecycle(transaction, made.bucket, std::slice::from_ref(&rule))
                        .await?;
                    self.want(transaction, made.bucket, Part::Lifecycle(&[rule]))
                        .await?;
                }
                let mut changes = vec![Change::Bucket(Some(self.account), made.bucket)];
                if let Some(key) = &made.key {
                    let label = asked.and_then(|p| p.key.as_ref());
                    self.key(transaction, key, label, None).await?;
                    let all = KeyGrant {
                        bucket: made.bucket,
                        read: true,
                        write: true,
                        owner: true,
                    };
                    self.grant(transaction, key, &all).await?;
                    changes.push(Change::Key(Some(self.account), key.clone()));
                }
                Ok(changes)
            }
            CommandResult::BucketDelete(gone) => {
                self.bucket_gone(transaction, gone.bucket).await?;
                Ok(vec![Change::Bucket(Some(self.account), gone.bucket)])
            }
            CommandResult::BucketClear(cleared) => {
                // What stayed, only the next reading tells.
                if cleared.kept == 0 {
                    self.empty(transaction, cleared.bucket).await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), cleared.bucket)])
            }
            CommandResult::BucketSetQuota(set) => {
                if let Some(Command::BucketSetQuota(asked)) = command {
                    let (bytes, objects) = (asked.quota_bytes, asked.quota_objects);
                    self.quota(transaction, set.bucket, bytes, objects).await?;
                    self.keep_quota(transaction, set.bucket, command).await?;
                    self.want(transaction, set.bucket, Part::Quota(bytes, objects))
                        .await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), set.bucket)])
            }
            CommandResult::BucketSetCors(set) => {
                if let Some(Command::BucketSetCors(asked)) = command {
                    self.cors(transaction, set.bucket, &asked.rules).await?;
                    self.want(transaction, set.bucket, Part::Cors(&asked.rules))
                        .await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), set.bucket)])
            }
            CommandResult::BucketSetLifecycle(set) => {
                if let Some(Command::BucketSetLifecycle(asked)) = command {
                    self.lifecycle(transaction, set.bucket, &asked.rules)
                        .await?;
                    self.want(transaction, set.bucket, Part::Lifecycle(&asked.rules))
                        .await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), set.bucket)])
            }
            CommandResult::BucketSetWebsite(set) => {
                if let Some(Command::BucketSetWebsite(asked)) = command {
                    let website = asked.website.as_ref();
                    self.website(transaction, set.bucket, website).await?;
                    self.want(transaction, set.bucket, Part::Website(website))
                        .await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), set.bucket)])
            }
            CommandResult::BucketAddAlias(added) => {
                self.alias(transaction, added.bucket, &added.name, true)
                    .await?;
                Ok(vec![Change::Bucket(Some(self.account), added.bucket)])
            }
            CommandResult::BucketRemoveAlias(removed) => {
                self.alias(transaction, removed.bucket, &removed.name, false)
                    .await?;
                Ok(vec![Change::Bucket(Some(self.account), removed.bucket)])
            }
            CommandResult::BucketCleanupUploads(cleaned) => {
                // Of an age, only the next reading tells what is left.
                let all = matches!(command, Some(Command::BucketCleanupUploads(p)) if p.older_than_seconds == 0);
                if all {
                    self.no_unfinished(transaction, cleaned.bucket).await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), cleaned.bucket)])
            }
            CommandResult::BucketRestore(set) => {
                if let Some(Command::BucketRestore(asked)) = command {
                    self.restored(transaction, asked).await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), set.bucket)])
            }
            CommandResult::BucketAdopt(adopted) => {
                let asked = match command {
                    Some(Command::BucketAdopt(asked)) => Some(asked),
                    _ => None,
                };
                self.adopted(transaction, asked, adopted).await
            }
            CommandResult::BucketRelease(released) => {
                self.released(transaction, released.bucket).await
            }
            CommandResult::AccountSetQuotas(set) => {
                let asked = match command {
                    Some(Command::AccountSetQuotas(asked)) => &asked.quotas[..],
                    _ => &[],
                };
                self.account_quotas(transaction, asked, &set.gone).await
            }
            CommandResult::KeyCreate(made) => {
                let asked = match command {
                    Some(Command::KeyCreate(asked)) => Some(asked),
                    _ => None,
                };
                let expires_at = asked.and_then(|p| p.expires_at);
                self.key(transaction, &made.key, asked.map(|p| &p.label), expires_at)
                    .await?;
                for given in asked.map_or(&[][..], |p| &p.grants) {
                    self.grant(transaction, &made.key, given).await?;
                }
                let creates = asked.is_some_and(|p| p.create_buckets);
                self.key_kind(transaction, &made.key, creates, false)
                    .await?;
                Ok(vec![Change::Key(Some(self.account), made.key.clone())])
            }
            CommandResult::KeyCreateTemporary(made) => {
                let asked = match command {
                    Some(Command::KeyCreateTemporary(asked)) => Some(asked),
                    _ => None,
                };
                let ends = Some(made.expires_at);
                self.key(transaction, &made.key, asked.map(|p| &p.label), ends)
                    .await?;
                self.key_kind(transaction, &made.key, false, true).await?;
                if let Some(asked) = asked {
                    let given = KeyGrant {
                        bucket: asked.bucket,
                        read: true,
                        write: asked.write,
                        owner: false,
                    };
                    // It ends by itself: nothing is wanted of it for longer.
                    self.found_grant(transaction, &made.key, &given).await?;
                }
                Ok(vec![Change::Key(Some(self.account), made.key.clone())])
            }
            CommandResult::KeyRename(set) => {
                self.key_named(transaction, &set.key, &set.label).await?;
                Ok(vec![Change::Key(Some(self.account), set.key.clone())])
            }
            CommandResult::KeySetExpiry(set) => {
                self.key_works(transaction, &set.key, set.expires_at)
                    .await?;
                Ok(vec![Change::Key(Some(self.account), set.key.clone())])
            }
            CommandResult::KeySuspend(set) => {
                self.key_suspended(transaction, &set.key, set.expires_at)
                    .await?;
                Ok(vec![Change::Key(Some(self.account), set.key.clone())])
            }
            CommandResult::KeyResume(set) => {
                self.key_works(transaction, &set.key, set.expires_at)
                    .await?;
                Ok(vec![Change::Key(Some(self.account), set.key.clone())])
            }
            CommandResult::KeyRevokeLeaked(made) => {
                let asked = match command {
                    Some(Command::KeyRevokeLeaked(asked)) => asked.label.as_ref(),
                    _ => None,
                };
                self.key(transaction, &made.key, asked, None).await?;
                self.take_over(transaction, &made.key, &made.previous, asked.is_none())
                    .await?;
                for given in &made.grants {
                    self.grant(transaction, &made.key, given).await?;
                }
                self.key_gone(transaction, &made.previous).await?;
                Ok(vec![
                    Change::Key(Some(self.account), made.key.clone()),
                    Change::Key(Some(self.account), made.previous.clone()),
                ])
            }
            CommandResult::KeyDelete(gone) => {
                self.key_gone(transaction, &gone.key).await?;
                Ok(vec![Change::Key(Some(self.account), gone.key.clone())])
            }
            CommandResult::KeySetGrant(set) => {
                self.grant(transaction, &set.key, &set.grant).await?;
                Ok(vec![
                    Change::Key(Some(self.account), set.key.clone()),
                    Change::Bucket(Some(self.account), set.grant.bucket),
                ])
            }
            CommandResult::KeyRotate(turned) => {
                let asked = match command {
                    Some(Command::KeyRotate(asked)) => asked.label.as_ref(),
                    _ => None,
                };
                self.key(transaction, &turned.key, asked, None).await?;
                // Before the old one's own end is set below.
                self.take_over(transaction, &turned.key, &turned.previous, asked.is_none())
                    .await?;
                for given in &turned.grants {
                    self.grant(transaction, &turned.key, given).await?;
                }
                self.key_ends(transaction, &turned.previous, turned.previous_expires_at)
                    .await?;
                Ok(vec![
                    Change::Key(Some(self.account), turned.key.clone()),
                    Change::Key(Some(self.account), turned.previous.clone()),
                ])
            }
        }
    }
}
