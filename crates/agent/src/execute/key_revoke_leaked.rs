//! `key.revoke_leaked`: the key's rights are written down, the key is deleted at once, and a new one
//! gets the same in its place. Once the deletion may have been sent there is no way back: whatever
//! happens, the leaked key never works again.

use storm_protocol::{
    command::{KeyRevokeLeaked, Resource},
    ident::key_name,
    result::KeyReplaced,
};

use super::{Stop, key_rotate, key_settings, new_key};
use crate::{
    engine::Run,
    garage::{AdminRequest, KeyUpdate},
    journal::{KeyRecord, Owned, OwnerChange, Record},
};

pub(super) async fn execute(run: &mut Run, p: &KeyRevokeLeaked) -> Result<KeyReplaced, Stop> {
    match replace(run, p).await {
        Err(failed @ Stop::Failed { .. }) => {
            // Half a replacement is none; the leaked key stays deleted.
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

async fn replace(run: &mut Run, p: &KeyRevokeLeaked) -> Result<KeyReplaced, Stop> {
    let record = match run.entry.record.clone() {
        Some(Record::Key(record)) => record,
        Some(Record::Bucket(_) | Record::Expiry(_) | Record::Ends(_)) | None => {
            take_record(run, p).await?
        }
    };
    new_key::delete(run, &p.key).await?;
    run.owners
        .push(OwnerChange::Gone(Owned::Key(p.key.clone())));

    let name = key_name(record.account, &record.label);
    let key = new_key::ensure(run, &name).await?;
    if record.ends.is_some() || record.create_buckets || run.is_uncertain() {
        let update = KeyUpdate {
            name: Some(&name),
            ends: record.ends.map(Some),
            create_buckets: record.create_buckets,
        };
        run.must(AdminRequest::update_key(&key, &update)).await?;
    }
    let grants = key_rotate::give_all(run, &key, record.grants).await?;
    new_key::delete_given_up(run).await?;
    run.owners
        .push(OwnerChange::Set(Owned::Key(key.clone()), record.account));
    run.touched.push(Resource::Key(key.clone()));
    Ok(KeyReplaced {
        key,
        grants,
        previous: p.key.clone(),
    })
}

/// Reads what the deletion takes away, and writes it down.
async fn take_record(run: &mut Run, p: &KeyRevokeLeaked) -> Result<KeyRecord, Stop> {
    let old = key_settings::find(run, &p.key).await?;
    let grants = key_rotate::grants_of(&old)?;
    let (account, label) = key_rotate::owner_and_label(run, &p.key, p.label.as_ref(), &old)?;
    let record = KeyRecord {
        account,
        label,
        ends: old.expiration,
        create_buckets: old.permissions.create_bucket,
        grants,
    };
    run.record(Record::Key(record.clone())).await?;
    Ok(record)
}
