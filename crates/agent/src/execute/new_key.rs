//! A new key: an id that the operation and the number of the try give, a secret that is made here
//! and written down sealed before Garage gets it. Never one id with two secrets.

use storm_protocol::ident::{AccessKeyId, Micros};

use super::Stop;
use crate::{
    engine::{Backoff, Run},
    garage::{AdminRequest, GarageClient, KeyInfo},
};

/// What recovery does with an id whose secret this process does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The key is there, and the secret that the journal holds sealed is its secret: go on.
    Ours,
    /// The id is dead: the next try.
    Absent,
    /// The key is there with a secret that nobody has: delete it, next try.
    Foreign,
}

/// Sees to it that Garage has the operation's key, called `name`, and that the sealed secret in the
/// journal is that key's. Gives its id.
pub(super) async fn ensure(run: &mut Run, name: &str) -> Result<AccessKeyId, Stop> {
    loop {
        let id = run.key_id();
        let keep = match run.secret.take() {
            Some(secret) => {
                let request = AdminRequest::import_key(&id, &secret, name);
                drop(secret);
                let answer = run.change(request).await?;
                match answer.result {
                    Ok(_) => true,
                    // The earlier sending of the same call did it.
                    Err(no) if no.is("KeyAlreadyExists") => answer.repeated,
                    Err(no) => return Err(Stop::from(&no)),
                }
            }
            None => {
                let wanted = id.clone();
                let read = |garage: GarageClient| {
                    let wanted = wanted.clone();
                    async move { garage.key(wanted.as_str()).await }
                };
                let key = run.read(read).await?;
                match judge(key.as_ref(), run.entry.key.is_some(), run.since()) {
                    Found::Ours => true,
                    Found::Absent => {
                        run.next_try().await?;
                        continue;
                    }
                    Found::Foreign => false,
                }
            }
        };
        if keep {
            return Ok(id);
        }
        delete(run, &id).await?;
        run.next_try().await?;
    }
}

/// Deletes a key; that it is gone already is fine.
pub(super) async fn delete(run: &mut Run, id: &AccessKeyId) -> Result<(), Stop> {
    let answer = run.change(AdminRequest::delete_key(id)).await?;
    match answer.result {
        Ok(_) => Ok(()),
        Err(no) if no.is("NoSuchAccessKey") => {
            if answer.repeated || run.may_be_begun() {
                see_gone(run, id).await?;
            }
            Ok(())
        }
        Err(no) => Err(Stop::from(&no)),
    }
}

/// Waits until a key is gone that a deletion without an answer took.
///
/// A cut deletion may have reached a single node. Garage then refuses another, since the answer
/// merges what a majority says, while S3 on the other nodes still takes the key; they even out
/// within seconds. The listing shows a key as long as any node that it asks has it.
pub(super) async fn see_gone(run: &mut Run, id: &AccessKeyId) -> Result<(), Stop> {
    let mut backoff = Backoff::default();
    loop {
        let read = |garage: GarageClient| async move { garage.key(id.as_str()).await };
        if run.read(read).await?.is_none() {
            return Ok(());
        }
        run.pause(backoff.next()).await?;
    }
}

/// Deletes the ids that were given up: a cut ImportKey may have come through late.
pub(super) async fn delete_given_up(run: &mut Run) -> Result<(), Stop> {
    for number in 0..run.tries() {
        delete(run, &AccessKeyId::derive(run.entry.operation, number)).await?;
    }
    Ok(())
}

fn judge(key: Option<&KeyInfo>, sealed: bool, since: Micros) -> Found {
    match key {
        None => Found::Absent,
        // A key from before this operation cannot have its secret.
        Some(key) if sealed && key.created.is_none_or(|created| created >= since) => Found::Ours,
        Some(_) => Found::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::Micros;

    use super::{Found, judge};
    use crate::garage::{KeyInfo, KeyPermissions};

    fn key(created: Option<i64>) -> KeyInfo {
        KeyInfo {
            access_key_id: "GK000000000000000000000001".to_owned(),
            name: String::new(),
            created: created.map(Micros),
            expiration: None,
            permissions: KeyPermissions::default(),
            buckets: vec![],
        }
    }

    #[test]
    fn a_key_is_ours_only_with_its_sealed_secret_and_made_since() {
        let since = Micros(1000);
        assert_eq!(judge(None, true, since), Found::Absent);
        assert_eq!(judge(None, false, since), Found::Absent);
        assert_eq!(judge(Some(&key(Some(1000))), true, since), Found::Ours);
        assert_eq!(judge(Some(&key(Some(999))), true, since), Found::Foreign);
        assert_eq!(judge(Some(&key(Some(2000))), false, since), Found::Foreign);
        assert_eq!(judge(Some(&key(None)), true, since), Found::Ours);
    }
}
