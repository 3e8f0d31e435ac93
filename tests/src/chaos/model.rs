//! What Garage has to hold, by the agent's receipts in their order and by nothing else. One executor
//! does all changes of a thing one after the other, so the order of receipts is the order of changes.
//! `apply.rs` takes them in, `excuse.rs` says what may fail.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use storm_protocol::{
    command::Command,
    ident::{AccountId, Micros},
    receipt::Receipt,
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
    /// Whether the agent's clock was behind in this round: to it, what was written before it began is newer.
    pub agent_behind: bool,
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
    /// A clearing of it was broken off: any of them may be gone.
    pub fewer: bool,
}

impl Bucket {
    /// Whether it may hold so many objects.
    pub const fn may_hold(&self, objects: u64) -> bool {
        objects == self.objects || self.fewer && objects < self.objects
    }
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
    /// Those that a bucket is made with.
    pub(super) fn first(now: Limits) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    pub(super) fn set(&mut self, receipt: &Receipt, command: &Command, limits: Limits) {
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

    /// Those of `buckets` that have another name than their last.
    pub fn with_names_to_spare<'a>(&self, buckets: &[&'a String]) -> Vec<&'a String> {
        let spare = |id: &&&String| {
            let bucket = self.buckets.get(**id);
            bucket.is_some_and(|bucket| bucket.names.len() > 1)
        };
        buckets.iter().filter(spare).copied().collect()
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

    pub(super) fn bucket(&mut self, id: &impl ToString) -> Result<&mut Bucket> {
        let id = id.to_string();
        let bucket = self.buckets.get_mut(&id);
        bucket.with_context(|| format!("done to bucket {id}, which is not there"))
    }

    pub(super) fn key(&mut self, id: &str) -> Result<&mut Key> {
        let key = self.keys.get_mut(id);
        key.with_context(|| format!("done to key {id}, which is not there"))
    }

    pub(super) fn add_key(
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

    pub(super) fn drop_key(&mut self, id: &str) {
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

    pub(super) fn set(&mut self, bucket: &str, rights: Rights) {
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
