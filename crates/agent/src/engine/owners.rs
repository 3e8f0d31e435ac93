//! Whose a bucket or key is: what the journal knows, and failing that what the names of Garage's
//! keys say (`<account>/<label>`): of a bucket, those that own it. What nobody can tell is nobody's,
//! and so not yours.

use storm_protocol::{
    command::Resource,
    envelope::Actor,
    error::Refusal,
    ident::{AccessKeyId, AccountId, BucketId, parse_key_name},
};

use super::{Engine, Inner, JournalError};
use crate::{
    garage::{AdminRequest, BucketInfo, CallError},
    journal::{Owned, OwnerChange},
};

/// What Garage says of a thing's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// There is no such thing: the command will find that out itself.
    Nothing,
    /// It belongs to the account.
    Owner(AccountId),
    /// It is there and cannot be told.
    Unclear,
}

impl Engine {
    /// Learns whose things are from their keys' names in Garage. What the journal knows stands.
    pub(crate) async fn learn_owners(
        &self,
        buckets: Vec<(BucketId, AccountId)>,
        keys: Vec<(AccessKeyId, AccountId)>,
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
        self.0
            .journal
            .commit("settings", move |tx| tx.change_owners(&new))
            .await
    }
}

impl Inner {
    /// Whether `actor` may touch all `resources`. Gives what was learnt on the way.
    ///
    /// Errors: [`Refusal::NotYours`]; [`Refusal::Busy`] when neither journal nor Garage can be
    /// asked.
    pub(super) async fn check_owners(
        &self,
        resources: &[Resource],
        actor: &Actor,
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
                    Said::Unclear => return Err(Refusal::NotYours),
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
    bucket.owner().map_or(Said::Unclear, Said::Owner)
}
