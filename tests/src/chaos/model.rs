//! What Garage has to hold, by the agent's receipts in their order and by nothing else. One executor
//! does all changes of a thing one after the other, so the order of receipts is the order of changes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use storm_protocol::{
    command::{Command, CommandResult, KeyGrant},
    error::{Failure, Refusal},
    ident::{AccountId, Limit, Micros},
    receipt::{Outcome, Receipt},
};

use crate::harness::{api::Credential, node_admin::Rights};

/// All that there is.
#[derive(Clone, Default)]
pub struct Model {
    /// By id.
    pub buckets: BTreeMap<String, Bucket>,
    /// By id.
    pub keys: BTreeMap<String, Key>,
    /// Secrets that came to a client, by key.
    pub secrets: BTreeMap<String, Credential>,
    /// Keys that were deleted: their secrets open nothing.
    pub gone: Vec<String>,
}

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Whose it is; nobody's after it was released.
    pub account: Option<AccountId>,
    /// Its global aliases.
    pub names: BTreeSet<String>,
    /// Its limits.
    pub quota: Quota,
    /// The age of each CORS rule.
    pub cors: Vec<Option<u32>>,
    /// The days of each lifecycle rule.
    pub lifecycle: Vec<Option<u32>>,
    /// The front page of its website.
    pub website: Option<String>,
    /// How many objects were put into it.
    pub objects: u64,
}

/// Limits on bytes and objects. The agent sets an account's quotas beside those of single buckets, in no
/// order: of two changes that overlapped, either may be the later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// What the last receipt says.
    pub now: Limits,
    /// What the one before says, if both were made at the same time.
    pub or: Option<Limits>,
    finished_at: Option<Micros>,
    of_account: bool,
}

/// The most bytes and the most objects.
pub type Limits = (Option<u64>, Option<u64>);

impl Quota {
    fn set(&mut self, receipt: &Receipt, command: &Command, limits: Limits) {
        let of_account = matches!(command, Command::AccountSetQuotas(_));
        let overlapped = self.finished_at.is_some_and(|at| at >= receipt.accepted_at);
        let unordered = overlapped && of_account != self.of_account;
        *self = Self {
            now: limits,
            or: unordered.then_some(self.now),
            finished_at: Some(receipt.finished_at),
            of_account,
        };
    }

    /// Whether this is what Garage may have.
    pub fn allows(&self, found: Limits) -> bool {
        found == self.now || Some(found) == self.or
    }
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whose it is.
    pub account: AccountId,
    /// Its label.
    pub label: String,
    /// When it ends.
    pub ends: Option<Micros>,
    /// Whether it works until it is resumed.
    pub suspended: bool,
    /// Its rights, by bucket.
    pub grants: BTreeMap<String, Rights>,
}

impl Model {
    /// The buckets of an account, and of nobody for `None`.
    pub fn buckets_of(&self, account: Option<AccountId>) -> Vec<&String> {
        let own = self.buckets.iter();
        let own = own.filter(|(_, bucket)| bucket.account == account);
        own.map(|(id, _)| id).collect()
    }

    /// The keys of an account.
    pub fn keys_of(&self, account: AccountId) -> Vec<&String> {
        let own = self.keys.iter().filter(|(_, key)| key.account == account);
        own.map(|(id, _)| id).collect()
    }

    /// A key with a secret that may write to a bucket.
    pub fn writer_of(&self, bucket: &str) -> Option<&Credential> {
        let mut keys = self.keys.iter().filter(|(_, key)| {
            let rights = key.grants.get(bucket).copied().unwrap_or_default();
            rights.write && rights.read && key.works_at(crate::harness::now())
        });
        keys.find_map(|(id, _)| self.secrets.get(id))
    }

    /// Takes what a receipt says to have been done.
    pub fn apply(&mut self, receipt: &Receipt, command: &Command) -> Result<()> {
        match &receipt.outcome {
            Outcome::Done(result) => self.done(receipt, command, result),
            Outcome::Failed { code, message } => self
                .may_fail(receipt.account, command, *code, message)
                .with_context(|| format!("{command:?} failed: {message}")),
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
                    quota: Quota {
                        now: limits(asked.quota_bytes, asked.quota_objects),
                        ..Quota::default()
                    },
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
                    ensure!(gone.objects == 0, "{id} was deleted with {gone:?} in it");
                }
                for key in self.keys.values_mut() {
                    key.grants.remove(&id);
                }
            }
            (Command::BucketClear(asked), CommandResult::BucketClear(cleared)) => {
                let bucket = self.bucket(&asked.bucket)?;
                ensure!(
                    cleared.objects == bucket.objects,
                    "{} objects were there: {cleared:?}",
                    bucket.objects
                );
                bucket.objects = 0;
            }
            (Command::BucketMeasurePrefix(asked), CommandResult::BucketMeasurePrefix(found)) => {
                let bucket = self.bucket(&asked.bucket)?;
                ensure!(
                    found.objects == bucket.objects && found.complete,
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
                let old = self.key(asked.key.as_str())?.clone();
                let label = asked.label.as_ref().map_or(old.label, ToString::to_string);
                let grants = granted(&made.grants);
                ensure!(
                    grants == old.grants,
                    "{old:?} became {made:?}",
                    old = old.grants
                );
                // One that is suspended stays so, and so is what replaces it.
                if !old.suspended {
                    self.key(asked.key.as_str())?.ends = Some(made.previous_expires_at);
                }
                self.add_key(made.key.as_str(), account, label, old.ends, grants)?;
                self.key(made.key.as_str())?.suspended = old.suspended;
            }
            (Command::KeyRevokeLeaked(asked), CommandResult::KeyRevokeLeaked(made)) => {
                let old = self.key(asked.key.as_str())?.clone();
                let label = asked.label.as_ref().map_or(old.label, ToString::to_string);
                let grants = granted(&made.grants);
                ensure!(
                    grants == old.grants,
                    "{old:?} became {made:?}",
                    old = old.grants
                );
                self.drop_key(asked.key.as_str());
                self.add_key(made.key.as_str(), account, label, old.ends, grants)?;
                self.key(made.key.as_str())?.suspended = old.suspended;
            }
            (command, other) => bail!("{command:?} answered {other:?}"),
        }
        Ok(())
    }

    /// Whether a command may come to that: what faults do, and what the things that are there do.
    fn may_fail(
        &self,
        account: AccountId,
        command: &Command,
        code: Failure,
        message: &str,
    ) -> Result<()> {
        // To an account, a bucket that was released before it is not there.
        let bucket_there = command_bucket(command)
            .and_then(|id| self.buckets.get(&id))
            .is_some_and(|bucket| bucket.account == Some(account));
        match code {
            Failure::NoSuchBucket => ensure!(!bucket_there, "the bucket is there"),
            // The agent's clock alone went back by two days, Garage's did not: no signature of then is good.
            Failure::JobBroken if message.ends_with("Date is too old") => {}
            Failure::GarageRefused | Failure::AgentLost | Failure::JobBroken => {
                bail!("nothing here leads to {code:?}")
            }
            _ => {}
        }
        Ok(())
    }

    fn may_be_refused(&self, account: AccountId, command: &Command, code: Refusal) -> Result<()> {
        match code {
            // Garage, disk or clocks were away.
            Refusal::Busy | Refusal::Expired | Refusal::NotYetValid | Refusal::Replayed => {}
            Refusal::NotYours => {
                let own = command_bucket(command)
                    .and_then(|id| self.buckets.get(&id))
                    .is_some_and(|bucket| bucket.account == Some(account));
                ensure!(!own, "the bucket is the account's own");
            }
            other => bail!("nothing here leads to {other:?}"),
        }
        Ok(())
    }

    fn bucket(&mut self, id: &impl ToString) -> Result<&mut Bucket> {
        let id = id.to_string();
        let bucket = self.buckets.get_mut(&id);
        bucket.with_context(|| format!("done to bucket {id}, which is not there"))
    }

    fn key(&mut self, id: &str) -> Result<&mut Key> {
        let key = self.keys.get_mut(id);
        key.with_context(|| format!("done to key {id}, which is not there"))
    }

    fn add_key(
        &mut self,
        id: &str,
        account: AccountId,
        label: String,
        ends: Option<Micros>,
        grants: BTreeMap<String, Rights>,
    ) -> Result<()> {
        let key = Key {
            account,
            label,
            ends,
            suspended: false,
            grants,
        };
        let before = self.keys.insert(id.to_owned(), key);
        ensure!(before.is_none(), "key {id} was made twice");
        Ok(())
    }

    fn drop_key(&mut self, id: &str) {
        if self.keys.remove(id).is_some() {
            self.gone.push(id.to_owned());
        }
    }
}

impl Key {
    /// Whether it opens anything at this time.
    pub fn works_at(&self, now: Micros) -> bool {
        !self.suspended && self.ends.is_none_or(|ends| ends > now)
    }

    fn set(&mut self, bucket: &str, rights: Rights) {
        if rights == Rights::default() {
            self.grants.remove(bucket);
        } else {
            self.grants.insert(bucket.to_owned(), rights);
        }
    }
}

/// Rights as one value.
pub const fn rights(read: bool, write: bool, owner: bool) -> Rights {
    Rights { read, write, owner }
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

/// The bucket that a command is about.
fn command_bucket(command: &Command) -> Option<String> {
    let raw = command.to_raw();
    let parameters: serde_json::Value = serde_json::from_str(raw.parameters.get()).ok()?;
    // Of `bucket.create` it is a name.
    let id = parameters["bucket"].as_str()?.to_owned();
    (command.name() != "bucket.create").then_some(id)
}
