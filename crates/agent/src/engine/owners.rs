//! Whose a bucket or key is: what the journal knows, and failing that what the names of Garage's
//! keys say (`<account>/<label>`): of a bucket, those that own it. What nobody can tell is nobody's,
//! and so not yours.

use std::{sync::Arc, time::Duration};

use storm_protocol::{
    command::{Command, Resource},
    envelope::Actor,
    error::{Failure, Refusal},
    ident::{AccessKeyId, AccountId, BucketId, parse_key_name},
};

use tokio::time::Instant;

use super::{Engine, Inner, JournalError, lock};
use crate::{
    garage::{AdminRequest, BucketInfo, CallError},
    journal::{Owned, OwnerChange, Tx},
};

/// Seconds in which Garage has to say whose the things of a command are.
pub(super) const OWNERS_SECONDS: u64 = 5;
/// Seconds for which Garage's own tables may still show rights that it has taken away.
const SETTLED_SECONDS: u64 = 10;

/// What Garage says of a thing's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// There is no such thing: the command will find that out itself.
    Nothing,
    /// It belongs to the account.
    Owner(AccountId),
    /// It is an empty bucket that no key owns.
    Bare,
    /// It is there and cannot be told.
    Unclear,
}

impl Engine {
    /// Learns whose things are from their keys' names in Garage, as they were at `seen_at` or later.
    /// What the journal knows stands, and so does that a bucket was given up since.
    pub(crate) async fn learn_owners(
        &self,
        buckets: Vec<(BucketId, AccountId)>,
        keys: Vec<(AccessKeyId, AccountId)>,
        seen_at: Instant,
    ) -> Result<(), JournalError> {
        let buckets = buckets
            .into_iter()
            .map(|(id, account)| (Owned::Bucket(id), account));
        let keys = keys
            .into_iter()
            .map(|(id, account)| (Owned::Key(id), account));
        let mut new = Vec::new();
        for (thing, account) in buckets.chain(keys) {
            if self.0.journal.owner(&thing)?.is_none() {
                new.push(OwnerChange::Learn(thing, account));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let inner = Arc::clone(&self.0);
        let learn = move |tx: &mut Tx<'_>| {
            // Asked in here: what is given up is marked before its own commit, and commits have an
            // order.
            inner.drop_given_up(&mut new, seen_at);
            tx.change_owners(&new)
        };
        self.0.journal.commit("settings", learn).await
    }
}

impl Inner {
    /// These changes are about to be written down: a sweep that began before knows nothing of what
    /// they give up.
    pub(super) fn mark_given_up(&self, changes: &[OwnerChange]) {
        let mut given_up = lock(&self.given_up);
        for change in changes {
            match change {
                OwnerChange::Gone(Owned::Bucket(bucket)) => {
                    given_up.insert(*bucket, Instant::now());
                }
                OwnerChange::Gone(Owned::Key(_))
                | OwnerChange::Set(..)
                | OwnerChange::Learn(..) => {}
            }
        }
    }

    /// Takes out what was learnt of buckets that were given up since it was seen.
    fn drop_given_up(&self, learnt: &mut Vec<OwnerChange>, seen_at: Instant) {
        let mut given_up = lock(&self.given_up);
        // Sweeps come one after another: what is older than this one is older than the next.
        let settled = Duration::from_secs(SETTLED_SECONDS);
        given_up.retain(|_, at| *at + settled >= seen_at);
        learnt.retain(|change| match change {
            OwnerChange::Learn(Owned::Bucket(bucket), _) => !given_up.contains_key(bucket),
            OwnerChange::Learn(Owned::Key(_), _) | OwnerChange::Set(..) | OwnerChange::Gone(_) => {
                true
            }
        });
    }

    /// Whether a command that has waited for its turn may still touch its things: what stood before
    /// it in line may have taken them from its account.
    pub(crate) async fn still_owns(
        &self,
        resources: &[Resource],
        actor: &Actor,
        stripped: Option<BucketId>,
    ) -> Result<(), Failure> {
        let asked = self.check_owners(resources, actor, stripped);
        let limit = Duration::from_secs(OWNERS_SECONDS);
        match tokio::time::timeout(limit, asked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(Refusal::Busy)) | Err(_) => Err(Failure::GarageUnavailable),
            Ok(Err(_))
                if resources
                    .iter()
                    .any(|thing| matches!(thing, Resource::Bucket(_))) =>
            {
                Err(Failure::NoSuchBucket)
            }
            Ok(Err(_)) => Err(Failure::NoSuchKey),
        }
    }

    /// Whether `actor` may touch all `resources`. Gives what was learnt on the way. Of a bucket that
    /// is [`stripped`] no key says whose it is any more.
    ///
    /// Errors: [`Refusal::NotYours`]; [`Refusal::Busy`] when neither journal nor Garage can be
    /// asked.
    pub(super) async fn check_owners(
        &self,
        resources: &[Resource],
        actor: &Actor,
        stripped: Option<BucketId>,
    ) -> Result<Vec<OwnerChange>, Refusal> {
        let mut learnt = Vec::new();
        if actor.operator {
            return Ok(learnt);
        }
        for thing in resources.iter().filter_map(Owned::of) {
            let known = self.journal.owner(&thing).map_err(|error| {
                tracing::error!(%error, "the owner of a thing cannot be read");
                Refusal::Busy
            })?;
            let owner = match known {
                Some(owner) => owner,
                None => match self.ask_garage(&thing).await? {
                    Said::Nothing => continue,
                    Said::Owner(owner) => {
                        learnt.push(OwnerChange::Learn(thing, owner));
                        owner
                    }
                    Said::Bare if stripped.map(Owned::Bucket).as_ref() == Some(&thing) => continue,
                    Said::Bare | Said::Unclear => return Err(Refusal::NotYours),
                },
            };
            if owner != actor.account {
                return Err(Refusal::NotYours);
            }
        }
        Ok(learnt)
    }

    async fn ask_garage(&self, thing: &Owned) -> Result<Said, Refusal> {
        let said = match thing {
            Owned::Bucket(id) => match self.garage.ask(AdminRequest::bucket(*id)).await {
                Ok(bucket) => Ok(of_bucket(&bucket)),
                Err(CallError::Rejected(no)) if no.is("NoSuchBucket") => Ok(Said::Nothing),
                Err(error) => Err(error),
            },
            Owned::Key(id) => self.garage.key(id.as_str()).await.map(|key| match key {
                None => Said::Nothing,
                Some(key) => parse_key_name(&key.name)
                    .map_or(Said::Unclear, |(account, _)| Said::Owner(account)),
            }),
        };
        said.map_err(|error| {
            tracing::warn!(%error, "the owner of a thing cannot be told");
            Refusal::Busy
        })
    }
}

fn of_bucket(bucket: &BucketInfo) -> Said {
    match bucket.owner() {
        Some(account) => Said::Owner(account),
        None if bucket.objects == 0 && !bucket.keys.iter().any(|key| key.permissions.owner) => {
            Said::Bare
        }
        None => Said::Unclear,
    }
}

/// The bucket whose keys another agent may have taken away already: DeleteBucket takes them first, and
/// may be cut after that. That agent had checked whose it is.
pub(super) fn stripped(command: &Command, begun_elsewhere: bool) -> Option<BucketId> {
    let Command::BucketDelete(delete) = command else {
        return None;
    };
    begun_elsewhere.then_some(delete.bucket)
}
