//! `key.rotate`: a new key with the old one's rights and end; last, the old one's end. The old key
//! is untouched until the new one is whole.

use storm_protocol::{
    command::{KeyGrant, KeyRotate, Resource},
    error::Failure,
    ident::{AccessKeyId, AccountId, KeyLabel, Micros, key_name, parse_key_name},
    result::KeyRotated,
};

use super::{Stop, in_whole_millis, key_settings, new_key};
use crate::{
    engine::Run,
    garage::{AdminRequest, GarageClient, KeyInfo, KeyUpdate, Rights},
    journal::{Owned, OwnerChange, Record},
};

/// The label of a key whose predecessor's name is not ours.
const PLAIN_LABEL: &str = "key";
/// The most rights that a rotation takes over. Its receipt lists each in 120 bytes, and must fit
/// [`crate::receipts::MAX_RECEIPT_BYTES`] with room to spare; rights given one by one know no such bound.
pub(crate) const MAX_ROTATED_GRANTS: usize = 300;
/// Seconds that the clocks of two agents may be apart.
const CLOCKS_APART_SECONDS: i64 = 5;
/// Ids of a new key that are looked for when another agent may have begun: it gave up an id for each
/// of its own restarts in the middle.
const MAX_TRIES_LOOKED_AT: u32 = 8;

pub(super) async fn execute(run: &mut Run, p: &KeyRotate) -> Result<KeyRotated, Stop> {
    match make(run, p).await {
        Err(failed @ Stop::Failed { .. }) => {
            if run.may_have_left() {
                let key = run.key_id();
                new_key::delete(run, &key).await?;
                new_key::delete_given_up(run).await?;
            }
            Err(failed)
        }
        ended => ended,
    }
}

async fn make(run: &mut Run, p: &KeyRotate) -> Result<KeyRotated, Stop> {
    let old = key_settings::find(run, &p.key).await?;
    let grants = grants_of(&old)?;
    let ends = end_of_old(run, p, &old, &grants).await?;
    // Written down before anything changes: afterwards the old key's end is our own.
    if let (Some(before), None) = (ends.before, &run.entry.record) {
        run.record(Record::Expiry(before)).await?;
    }

    let (account, label) = owner_and_label(run, &p.key, p.label.as_ref(), &old)?;
    let name = key_name(account, &label);
    let key = new_key::ensure(run, &name).await?;
    let create_buckets = old.permissions.create_bucket;
    if ends.before.is_some() || create_buckets || run.is_uncertain() {
        let update = KeyUpdate {
            name: Some(&name),
            ends: ends.before.map(Some),
            create_buckets,
        };
        run.must(AdminRequest::update_key(&key, &update)).await?;
    }
    let taken_over = give_all(run, &key, grants).await?;
    new_key::delete_given_up(run).await?;

    let update = KeyUpdate {
        ends: Some(Some(ends.old)),
        ..KeyUpdate::default()
    };
    let end_old = AdminRequest::update_key(&p.key, &update);
    match run.change(end_old).await?.result {
        Ok(_) => {}
        // Gone by other hands: it has ended.
        Err(no) if no.is("NoSuchAccessKey") => {}
        Err(no) => return Err(Stop::from(&no)),
    }
    run.owners
        .push(OwnerChange::Set(Owned::Key(key.clone()), account));
    run.touched.push(Resource::Key(key.clone()));
    Ok(KeyRotated {
        key,
        grants: taken_over,
        previous: p.key.clone(),
        previous_expires_at: ends.old,
    })
}

/// Gives a new key the rights of the one that it replaces; gives those that it got.
pub(super) async fn give_all(
    run: &mut Run,
    key: &AccessKeyId,
    grants: Vec<KeyGrant>,
) -> Result<Vec<KeyGrant>, Stop> {
    let mut given = Vec::with_capacity(grants.len());
    for grant in grants {
        let allow = AdminRequest::allow(grant.bucket, key.as_str(), Rights::from(&grant));
        match run.change(allow).await?.result {
            Ok(_) => given.push(grant),
            // Deleted meanwhile: no right on it is left to take over.
            Err(no) if no.is("NoSuchBucket") => {}
            Err(no) => return Err(Stop::from(&no)),
        }
    }
    Ok(given)
}

/// The rights to take over; too many are refused before anything has changed.
pub(super) fn grants_of(old: &KeyInfo) -> Result<Vec<KeyGrant>, Stop> {
    let grants = all_grants(old);
    if grants.len() <= MAX_ROTATED_GRANTS {
        return Ok(grants);
    }
    let words = format!(
        "The key has rights on {} buckets, and a new one takes over {MAX_ROTATED_GRANTS} at most. \
         Nothing was changed. Make new keys for parts of the buckets, then delete this one.",
        grants.len()
    );
    Err(Stop::failed(Failure::GaveUp, words))
}

fn all_grants(key: &KeyInfo) -> Vec<KeyGrant> {
    let grants = key.buckets.iter().map(|bucket| KeyGrant {
        bucket: bucket.id,
        read: bucket.permissions.read,
        write: bucket.permissions.write,
        owner: bucket.permissions.owner,
    });
    grants.filter(|grant| Rights::from(grant).any()).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    /// When the old key was to end before this operation: the new one's end too.
    before: Option<Micros>,
    /// When the old key ends now: after the grace, never later than before.
    old: Micros,
}

async fn end_of_old(
    run: &mut Run,
    p: &KeyRotate,
    old: &KeyInfo,
    grants: &[KeyGrant],
) -> Result<Ends, Stop> {
    let grace = i64::from(p.grace_seconds);
    let grace_ends = run.entry.accepted_at.plus_seconds(grace);
    if run.entry.begun_elsewhere {
        let before = match run.entry.record {
            Some(Record::Ends(before)) => before,
            Some(Record::Bucket(_) | Record::Key(_) | Record::Expiry(_)) | None => {
                let before = end_before_another(run, grace, old, grants).await?;
                run.record(Record::Ends(before)).await?;
                before
            }
        };
        return Ok(ends_after_another(grace_ends, before, old.expiration));
    }
    let recorded = match run.entry.record {
        Some(Record::Expiry(before)) => Some(before),
        Some(Record::Bucket(_) | Record::Key(_) | Record::Ends(_)) | None => None,
    };
    Ok(ends(
        grace_ends,
        recorded,
        old.expiration,
        run.may_be_begun(),
    ))
}

/// When the old key was to end before another agent, which is lost, may have set its end, the last of
/// its calls: if it did, its own new key has all the rights, and the end from before.
async fn end_before_another(
    run: &mut Run,
    grace: i64,
    old: &KeyInfo,
    grants: &[KeyGrant],
) -> Result<Option<Micros>, Stop> {
    // By that agent's clock, at some time between the asking and now.
    let first = run.since().plus_seconds(grace);
    let last = run
        .inner
        .now()
        .plus_seconds(grace.saturating_add(CLOCKS_APART_SECONDS));
    let Some(end) = old.expiration.filter(|end| (first..=last).contains(end)) else {
        return Ok(old.expiration);
    };
    for number in 0..MAX_TRIES_LOOKED_AT {
        let id = AccessKeyId::derive(run.entry.operation, number);
        let read = |garage: GarageClient| {
            let id = id.clone();
            async move { garage.key(id.as_str()).await }
        };
        let made = run.read(read).await?;
        let whole = |made: &KeyInfo| {
            let has = all_grants(made);
            grants.iter().all(|grant| has.contains(grant))
        };
        if let Some(made) = made.filter(whole) {
            return Ok(made.expiration);
        }
    }
    Ok(Some(end))
}

/// The old key's end never moves back from where another agent may have set it.
fn ends_after_another(grace: Micros, before: Option<Micros>, seen: Option<Micros>) -> Ends {
    let grace = in_whole_millis(grace);
    let known = [before, seen].into_iter().flatten();
    Ends {
        before,
        old: known.fold(grace, Micros::min),
    }
}

fn ends(grace: Micros, recorded: Option<Micros>, seen: Option<Micros>, resumed: bool) -> Ends {
    // In whole milliseconds, as Garage keeps it, so that the receipt says the same.
    let grace = in_whole_millis(grace);
    // Without a record, an end at the end of the grace is the one that we set before a crash.
    let own = resumed && recorded.is_none() && seen == Some(grace);
    let before = recorded.or(seen.filter(|_| !own));
    Ends {
        before,
        old: before.map_or(grace, |before| before.min(grace)),
    }
}

/// The new key belongs to whom the old one belongs, whoever asks.
pub(super) fn owner_and_label(
    run: &Run,
    key: &AccessKeyId,
    wanted: Option<&KeyLabel>,
    old: &KeyInfo,
) -> Result<(AccountId, KeyLabel), Stop> {
    let (account, label) = match parse_key_name(&old.name) {
        Some((account, label)) => (account, Some(label)),
        None => {
            let owner = run.inner.journal.owner(&Owned::Key(key.clone()));
            let plain = old.name.parse().ok().or_else(|| PLAIN_LABEL.parse().ok());
            (owner.ok().flatten().unwrap_or(run.account()), plain)
        }
    };
    let label = wanted
        .cloned()
        .or(label)
        .ok_or_else(|| Stop::because(Failure::GaveUp))?;
    Ok((account, label))
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::{BucketId, Micros};

    use super::{Ends, MAX_ROTATED_GRANTS, ends, grants_of};
    use crate::{
        execute::Stop,
        garage::{KeyBucket, KeyInfo, KeyPermissions, Permissions},
    };

    #[test]
    fn a_key_with_more_rights_than_a_receipt_holds_is_refused_and_empty_rights_do_not_count() {
        let bucket = |n: usize, read| KeyBucket {
            id: BucketId([u8::try_from(n % 256).unwrap(); 32]),
            permissions: Permissions {
                read,
                ..Permissions::default()
            },
        };
        let mut key = KeyInfo {
            access_key_id: "GK000000000000000000000001".to_owned(),
            name: String::new(),
            created: None,
            expiration: None,
            permissions: KeyPermissions::default(),
            buckets: (0..MAX_ROTATED_GRANTS).map(|n| bucket(n, true)).collect(),
        };
        key.buckets.push(bucket(0, false));
        assert_eq!(grants_of(&key).unwrap().len(), MAX_ROTATED_GRANTS);
        key.buckets.push(bucket(1, true));
        let Err(Stop::Failed { message, .. }) = grants_of(&key) else {
            panic!("one too many is taken")
        };
        assert!(message.contains("301 buckets"), "{message}");
    }

    #[test]
    fn the_old_key_never_lives_longer_and_the_new_one_inherits_its_end() {
        let grace = Micros(5_000_500);
        let whole = Micros(5_000_000);
        let early = Some(Micros(1_000_000));
        let late = Some(Micros(9_000_000));
        let no_end = Ends {
            before: None,
            old: whole,
        };
        assert_eq!(ends(grace, None, None, false), no_end);
        assert_eq!(
            ends(grace, None, early, false),
            Ends {
                before: early,
                old: Micros(1_000_000)
            }
        );
        assert_eq!(
            ends(grace, None, late, false),
            Ends {
                before: late,
                old: whole
            }
        );
        // After a crash behind the last call, the end that is seen is our own.
        assert_eq!(ends(grace, None, Some(whole), true), no_end);
        assert_eq!(
            ends(grace, late, Some(whole), true),
            Ends {
                before: late,
                old: whole
            }
        );
        // Not our own: it was there before and no record was needed yet.
        assert_eq!(
            ends(grace, None, early, true),
            Ends {
                before: early,
                old: Micros(1_000_000)
            }
        );
    }
}
