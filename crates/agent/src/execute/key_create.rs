//! `key.create`: ImportKey, when it ends, then its grants: never a right without the end that was
//! asked for.

use storm_protocol::{
    command::{KeyCreate, Resource},
    ident::{AccessKeyId, key_name},
    result::KeyCreated,
};

use super::{Stop, new_key};
use crate::{
    engine::Run,
    garage::{AdminRequest, Rights},
    journal::{Owned, OwnerChange},
};

pub(super) async fn execute(run: &mut Run, p: &KeyCreate) -> Result<KeyCreated, Stop> {
    match make(run, p).await {
        Ok(key) => {
            run.owners
                .push(OwnerChange::Set(Owned::Key(key.clone()), run.account()));
            run.touched.push(Resource::Key(key.clone()));
            Ok(KeyCreated { key })
        }
        Err(Stop::Halted) => Err(Stop::Halted),
        Err(failed) => {
            if run.may_have_changed() {
                let key = run.key_id();
                new_key::delete(run, &key).await?;
                new_key::delete_given_up(run).await?;
            }
            Err(failed)
        }
    }
}

async fn make(run: &mut Run, p: &KeyCreate) -> Result<AccessKeyId, Stop> {
    let name = key_name(run.account(), &p.label);
    let key = new_key::ensure(run, &name).await?;
    // After a cut ImportKey, writing the key again brings it to every node.
    if p.expires_at.is_some() || run.is_uncertain() {
        run.must(AdminRequest::update_key(&key, Some(&name), p.expires_at))
            .await?;
    }
    for grant in &p.grants {
        let rights = Rights::from(grant);
        if rights.any() {
            run.must(AdminRequest::allow(grant.bucket, key.as_str(), rights))
                .await?;
        }
    }
    new_key::delete_given_up(run).await?;
    Ok(key)
}
