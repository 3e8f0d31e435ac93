//! Takes receipts into the model.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use storm_protocol::{
    command::{Command, CommandResult, KeyGrant},
    ident::{AccessKeyId, KeyLabel, Limit},
    receipt::{Outcome, Receipt},
};

use super::model::{Bucket, Key, Limits, Model, Quota, rights};
use crate::harness::node_admin::Rights;

impl Model {
    /// Takes what a receipt says to have been done.
    pub fn apply(&mut self, receipt: &Receipt, command: &Command) -> Result<()> {
        match &receipt.outcome {
            Outcome::Done(result) => self.done(receipt, command, result),
            Outcome::Failed { code, message } => {
                self.may_fail(receipt.account, command, *code, message)
                    .with_context(|| format!("{command:?} failed: {message}"))?;
                self.failed(command);
                Ok(())
            }
            Outcome::Refused { code, message } => self
                .may_be_refused(receipt.account, command, *code)
                .with_context(|| format!("{command:?} was refused: {message}")),
        }
    }

    fn done(&mut self, receipt: &Receipt, command: &Command, result: &CommandResult) -> Result<()> {
        let account = receipt.account;
        match (command, result) {
            (Command::AgentPing(_), CommandResult::AgentPing(_))
            | (Command::ClusterHealthCommand(_), CommandResult::ClusterHealthCommand(_))
            | (Command::InventoryRefresh(_), CommandResult::InventoryRefresh(_))
            | (Command::ExecutorRelease(_), CommandResult::ExecutorRelease(_))
            | (Command::JobCancel(_), CommandResult::JobCancel(_))
            | (Command::BucketCleanupUploads(_), CommandResult::BucketCleanupUploads(_)) => {}
            (Command::BucketCreate(asked), CommandResult::BucketCreate(made)) => {
                let id = made.bucket.to_string();
                let lifecycle = asked.abort_uploads_after_days.map(|_| None);
                let bucket = Bucket {
                    account: Some(account),
                    names: BTreeSet::from([asked.bucket.to_string()]),
                    quota: Quota::first(limits(asked.quota_bytes, asked.quota_objects)),
                    lifecycle: lifecycle.into_iter().collect(),
                    ..Bucket::default()
                };
                let before = self.buckets.insert(id.clone(), bucket);
                ensure!(before.is_none(), "bucket {id} was made twice");
                ensure!(asked.key.is_some() == made.key.is_some(), "{made:?}");
                if let (Some(key), Some(label)) = (&made.key, &asked.key) {
                    let all = rights(true, true, true);
                    let grants = BTreeMap::from([(id, all)]);
                    self.add_key(key.as_str(), account, label.to_string(), None, grants)?;
                }
            }
            (Command::BucketDelete(asked), CommandResult::BucketDelete(_)) => {
                let id = asked.bucket.to_string();
                // One that was gone already is as well deleted.
                if let Some(gone) = self.buckets.remove(&id) {
                    ensure!(gone.may_hold(0), "{id} was deleted with {gone:?} in it");
                }
                for key in self.keys.values_mut() {
                    key.grants.remove(&id);
                }
            }
            (Command::BucketClear(asked), CommandResult::BucketClear(cleared)) => {
                let behind = self.agent_behind;
                let bucket = self.bucket(&asked.bucket)?;
                ensure!(
                    bucket.may_hold(cleared.objects + cleared.kept),
                    "{} objects were there: {cleared:?}",
                    bucket.objects
                );
                (bucket.objects, bucket.fewer) = (cleared.kept, false);
                ensure!(cleared.kept == 0 || behind, "kept for nothing: {cleared:?}");
            }
            (Command::BucketMeasurePrefix(asked), CommandResult::BucketMeasurePrefix(found)) => {
                let bucket = self.bucket(&asked.bucket)?;
                ensure!(
                    bucket.may_hold(found.objects) && found.complete,
                    "{} objects are there: {found:?}",
                    bucket.objects
                );
            }
            (Command::BucketSetQuota(asked), CommandResult::BucketSetQuota(_)) => {
                let bucket = self.bucket(&asked.bucket)?;
                let limits = limits(asked.quota_bytes, asked.quota_objects);
                bucket.quota.set(receipt, command, limits);
            }
            (Command::BucketSetCors(asked), CommandResult::BucketSetCors(_)) => {
                let ages = asked.rules.iter().map(|rule| rule.max_age_seconds);
                self.bucket(&asked.bucket)?.cors = ages.collect();
            }
            (Command::BucketSetLifecycle(asked), CommandResult::BucketSetLifecycle(_)) => {
                let days = asked.rules.iter().map(|rule| rule.expire_after_days);
                self.bucket(&asked.bucket)?.lifecycle = days.collect();
            }
            (Command::BucketSetWebsite(asked), CommandResult::BucketSetWebsite(_)) => {
                let page = asked.website.as_ref();
                self.bucket(&asked.bucket)?.website =
                    page.map(|website| website.index_document.to_string());
            }
            (Command::BucketAddAlias(asked), CommandResult::BucketAddAlias(_)) => {
                let names = &mut self.bucket(&asked.bucket)?.names;
                names.insert(asked.name.to_string());
            }
            (Command::BucketRemoveAlias(asked), CommandResult::BucketRemoveAlias(_)) => {
                let names = &mut self.bucket(&asked.bucket)?.names;
                names.remove(asked.name.as_str());
            }
            (Command::BucketRestore(asked), CommandResult::BucketRestore(_)) => {
                let id = asked.bucket.to_string();
                let bucket = self.bucket(&asked.bucket)?;
                let limits = limits(asked.quota_bytes, asked.quota_objects);
                bucket.quota.set(receipt, command, limits);
                bucket.cors = asked.cors.iter().map(|rule| rule.max_age_seconds).collect();
                let days = asked.lifecycle.iter().map(|rule| rule.expire_after_days);
                bucket.lifecycle = days.collect();
                let page = asked.website.as_ref();
                bucket.website = page.map(|website| website.index_document.to_string());
                for grant in &asked.grants {
                    let given = rights(grant.read, grant.write, grant.owner);
                    // A key that is gone has no rights to restore.
                    if let Some(key) = self.keys.get_mut(grant.key.as_str()) {
                        key.set(&id, given);
                    }
                }
            }
            (Command::BucketAdopt(asked), CommandResult::BucketAdopt(taken)) => {
                let bucket = self.bucket(&asked.bucket)?;
                bucket.account = Some(taken.account);
                bucket
                    .names
                    .extend(taken.name.iter().map(ToString::to_string));
                let limits = limits(taken.quota_bytes, taken.quota_objects);
                bucket.quota.set(receipt, command, limits);
            }
            (Command::BucketRelease(asked), CommandResult::BucketRelease(_)) => {
                let id = asked.bucket.to_string();
                self.bucket(&asked.bucket)?.account = None;
                for key in self.keys.values_mut() {
                    key.grants.remove(&id);
                }
            }
            (Command::AccountSetQuotas(asked), CommandResult::AccountSetQuotas(set)) => {
                let there = asked.quotas.iter();
                let there = there.filter(|quota| !set.gone.contains(&quota.bucket));
                for quota in there {
                    let bucket = self.bucket(&quota.bucket)?;
                    let limits = limits(quota.quota_bytes, quota.quota_objects);
                    bucket.quota.set(receipt, command, limits);
                }
            }
            (Command::KeyCreate(asked), CommandResult::KeyCreate(made)) => {
                let grants = granted(&asked.grants);
                let label = asked.label.to_string();
                self.add_key(made.key.as_str(), account, label, asked.expires_at, grants)?;
            }
            (Command::KeyCreateTemporary(asked), CommandResult::KeyCreateTemporary(made)) => {
                let given = rights(true, asked.write, false);
                let grants = BTreeMap::from([(asked.bucket.to_string(), given)]);
                let (label, ends) = (asked.label.to_string(), Some(made.expires_at));
                self.add_key(made.key.as_str(), account, label, ends, grants)?;
            }
            (Command::KeyRename(asked), CommandResult::KeyRename(_)) => {
                self.key(asked.key.as_str())?.label = asked.label.to_string();
            }
            (Command::KeySetExpiry(asked), CommandResult::KeySetExpiry(_)) => {
                let key = self.key(asked.key.as_str())?;
                key.ends = asked.expires_at;
                key.suspended = false;
            }
            (Command::KeySuspend(asked), CommandResult::KeySuspend(_)) => {
                self.key(asked.key.as_str())?.suspended = true;
            }
            (Command::KeyResume(asked), CommandResult::KeyResume(_)) => {
                let key = self.key(asked.key.as_str())?;
                key.ends = asked.expires_at;
                key.suspended = false;
            }
            (Command::KeyDelete(asked), CommandResult::KeyDelete(_)) => {
                self.drop_key(asked.key.as_str());
            }
            (Command::KeySetGrant(asked), CommandResult::KeySetGrant(_)) => {
                let given = rights(asked.read, asked.write, asked.owner);
                self.key(asked.key.as_str())?
                    .set(&asked.bucket.to_string(), given);
            }
            (Command::KeyRotate(asked), CommandResult::KeyRotate(made)) => {
                let old = self.replaced(&asked.key, &made.grants)?;
                // One that is suspended stays so, and so is what replaces it.
                if !old.suspended {
                    self.key(asked.key.as_str())?.ends = Some(made.previous_expires_at);
                }
                self.replace(old, &made.key, asked.label.as_ref())?;
            }
            (Command::KeyRevokeLeaked(asked), CommandResult::KeyRevokeLeaked(made)) => {
                let old = self.replaced(&asked.key, &made.grants)?;
                self.drop_key(asked.key.as_str());
                self.replace(old, &made.key, asked.label.as_ref())?;
            }
            (command, other) => bail!("{command:?} answered {other:?}"),
        }
        Ok(())
    }

    /// A key that another one replaces, which has the same rights.
    fn replaced(&mut self, id: &AccessKeyId, given: &[KeyGrant]) -> Result<Key> {
        let old = self.key(id.as_str())?.clone();
        let grants = granted(given);
        ensure!(grants == old.grants, "{:?} became {grants:?}", old.grants);
        Ok(old)
    }

    /// What replaces it.
    fn replace(&mut self, old: Key, id: &AccessKeyId, label: Option<&KeyLabel>) -> Result<()> {
        let label = label.map_or(old.label, ToString::to_string);
        self.add_key(id.as_str(), old.account, label, old.ends, old.grants)?;
        self.key(id.as_str())?.suspended = old.suspended;
        Ok(())
    }

    /// What a command that failed may have done.
    fn failed(&mut self, command: &Command) {
        if let Command::BucketClear(asked) = command
            && let Some(bucket) = self.buckets.get_mut(&asked.bucket.to_string())
        {
            bucket.fewer = true;
        }
    }
}

fn limits(bytes: Option<Limit>, objects: Option<Limit>) -> Limits {
    (bytes.map(Limit::get), objects.map(Limit::get))
}

fn granted(grants: &[KeyGrant]) -> BTreeMap<String, Rights> {
    let grants = grants.iter().map(|grant| {
        let given = rights(grant.read, grant.write, grant.owner);
        (grant.bucket.to_string(), given)
    });
    grants
        .filter(|(_, given)| *given != Rights::default())
        .collect()
}
