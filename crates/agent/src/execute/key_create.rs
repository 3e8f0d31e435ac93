//! `key.create` and `key.create_temporary`: ImportKey, when it ends and what else it may, then its
//! grants: never a right without the end that was asked for.

use storm_protocol::{
    command::{KeyCreate, KeyCreateTemporary, KeyGrant, Resource},
    ident::{AccessKeyId, Micros, key_name},
    result::{KeyCreated, TemporaryKeyCreated},
};

use super::{Stop, in_whole_millis, new_key};
use crate::{
    engine::Run,
    garage::{AdminRequest, KeyUpdate, Rights},
    journal::{Owned, OwnerChange},
};

/// A key to make.
struct Wanted<'a> {
    name: String,
    expires_at: Option<Micros>,
    create_buckets: bool,
    grants: &'a [KeyGrant],
}

pub(super) async fn execute(run: &mut Run, p: &KeyCreate) -> Result<KeyCreated, Stop> {
    let wanted = Wanted {
        name: key_name(run.account(), &p.label),
        expires_at: p.expires_at,
        create_buckets: p.create_buckets,
        grants: &p.grants,
    };
    let key = create(run, &wanted).await?;
    Ok(KeyCreated { key })
}

pub(super) async fn temporary(
    run: &mut Run,
    p: &KeyCreateTemporary,
) -> Result<TemporaryKeyCreated, Stop> {
    let lives = i64::from(p.valid_seconds);
    let expires_at = in_whole_millis(run.entry.accepted_at.plus_seconds(lives));
    let grant = KeyGrant {
        bucket: p.bucket,
        read: true,
        write: p.write,
        owner: false,
    };
    let wanted = Wanted {
        name: key_name(run.account(), &p.label),
        expires_at: Some(expires_at),
        create_buckets: false,
        grants: &[grant],
    };
    let key = create(run, &wanted).await?;
    Ok(TemporaryKeyCreated { key, expires_at })
}

async fn create(run: &mut Run, wanted: &Wanted<'_>) -> Result<AccessKeyId, Stop> {
    match make(run, wanted).await {
        Ok(key) => {
            run.owners
                .push(OwnerChange::Set(Owned::Key(key.clone()), run.account()));
            run.touched.push(Resource::Key(key.clone()));
            Ok(key)
        }
        Err(Stop::Halted) => Err(Stop::Halted),
        Err(failed) => {
            if run.may_have_left() {
                let key = run.key_id();
                new_key::delete(run, &key).await?;
                new_key::delete_given_up(run).await?;
            }
            Err(failed)
        }
    }
}

async fn make(run: &mut Run, wanted: &Wanted<'_>) -> Result<AccessKeyId, Stop> {
    let key = new_key::ensure(run, &wanted.name).await?;
    // After a cut ImportKey, writing the key again brings it to every node.
    if wanted.expires_at.is_some() || wanted.create_buckets || run.is_uncertain() {
        let update = KeyUpdate {
            name: Some(&wanted.name),
            ends: wanted.expires_at.map(Some),
            create_buckets: wanted.create_buckets,
        };
        run.must(AdminRequest::update_key(&key, &update)).await?;
    }
    for grant in wanted.grants {
        let rights = Rights::from(grant);
        if rights.any() {
            run.must(AdminRequest::allow(grant.bucket, key.as_str(), rights))
                .await?;
        }
    }
    new_key::delete_given_up(run).await?;
    Ok(key)
}
