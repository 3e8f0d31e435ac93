//! `key.rename`, `key.set_expiry`, `key.suspend` and `key.resume`: UpdateKey with the full value; the
//! same again is the same. A suspended key is one whose end lies at the beginning of time, so that
//! Garage alone tells it; the end that it had stands in the receipt.

use storm_protocol::{
    command::{KeyRename, KeyResume, KeySetExpiry, KeySuspend},
    error::Failure,
    frame::SUSPENDED_UNTIL,
    ident::{AccessKeyId, Micros, key_name, parse_key_name},
    result::{KeyExpirySet, KeyRenamed, KeyResumed, KeySuspended},
};

use super::{Stop, in_whole_millis};
use crate::{
    engine::Run,
    garage::{AdminRequest, GarageClient, KeyInfo, KeyUpdate},
    journal::{Owned, Record},
};

/// The end of a suspended key: a second after 1970 began.
const SUSPENDED_AT: Micros = Micros(Micros::SECOND);

pub(super) async fn rename(run: &mut Run, p: &KeyRename) -> Result<KeyRenamed, Stop> {
    let key = find(run, &p.key).await?;
    // The key stays whose it is, whoever asks.
    let account = match parse_key_name(&key.name) {
        Some((account, _)) => account,
        None => {
            let owner = run.inner.journal.owner(&Owned::Key(p.key.clone()));
            owner.ok().flatten().unwrap_or(run.account())
        }
    };
    let name = key_name(account, &p.label);
    let update = KeyUpdate {
        name: Some(&name),
        ..KeyUpdate::default()
    };
    run.must(AdminRequest::update_key(&p.key, &update)).await?;
    Ok(KeyRenamed {
        key: p.key.clone(),
        label: p.label.clone(),
    })
}

pub(super) async fn set_expiry(run: &mut Run, p: &KeySetExpiry) -> Result<KeyExpirySet, Stop> {
    let expires_at = p.expires_at.map(in_whole_millis);
    end(run, &p.key, expires_at).await?;
    Ok(KeyExpirySet {
        key: p.key.clone(),
        expires_at,
    })
}

pub(super) async fn suspend(run: &mut Run, p: &KeySuspend) -> Result<KeySuspended, Stop> {
    let before = match run.entry.record {
        Some(Record::Ends(before)) => before,
        Some(Record::Bucket(_) | Record::Expiry(_) | Record::Key(_)) | None => {
            let before = find(run, &p.key).await?.expiration;
            // Suspended already: what it had is in the receipt of the first time.
            let before = before.filter(|ends| *ends > SUSPENDED_UNTIL);
            run.record(Record::Ends(before)).await?;
            before
        }
    };
    end(run, &p.key, Some(SUSPENDED_AT)).await?;
    Ok(KeySuspended {
        key: p.key.clone(),
        expires_at: before,
    })
}

pub(super) async fn resume(run: &mut Run, p: &KeyResume) -> Result<KeyResumed, Stop> {
    let expires_at = p.expires_at.map(in_whole_millis);
    end(run, &p.key, expires_at).await?;
    Ok(KeyResumed {
        key: p.key.clone(),
        expires_at,
    })
}

async fn end(run: &mut Run, key: &AccessKeyId, ends: Option<Micros>) -> Result<(), Stop> {
    let update = KeyUpdate {
        ends: Some(ends),
        ..KeyUpdate::default()
    };
    run.must(AdminRequest::update_key(key, &update))
        .await
        .map(|_| ())
}

/// The key, without its secret.
pub(super) async fn find(run: &mut Run, key: &AccessKeyId) -> Result<KeyInfo, Stop> {
    let read = |garage: GarageClient| async move { garage.key(key.as_str()).await };
    let found = run.read(read).await?;
    found.ok_or_else(|| Stop::because(Failure::NoSuchKey))
}
