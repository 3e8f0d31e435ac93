//! `storm-buckets trust remove-key`

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::SigningKey;
use storm_protocol::{
    envelope::{Envelope, PayloadType, VerifyKey},
    ident::Micros,
    trust::{AgentStatement, KeyRole, TrustDocument},
};

use super::{publish, read_root, role_name};
use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    keys::{Files, PublicTrust, read_signing_key, trusted_dispatch, write_signing_key},
    output::line,
    serve::open_store,
    store::Store,
};

/// Removes `key`. The trust document comes last: cut short anywhere, the same command goes on.
pub(super) async fn run(
    config: &Config,
    files: &Files,
    trust: PublicTrust,
    key: VerifyKey,
    replacement: Option<&Path>,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let known = trust.document.keys.iter().find(|known| known.key == key);
    let role = known.map(|known| known.role).with_context(|| {
        format!(
            "{key} does not stand in the trust document; `storm-buckets trust show` lists the keys that do"
        )
    })?;
    let mut document = trust.document.clone();
    document.keys.retain(|known| known.key != key);
    let dispatch = read_signing_key(&files.dispatch_key())?;
    let is_covered = dispatches(&document, VerifyKey::of(&dispatch));
    let root = read_root(files, &trust)?;
    // Held to the end: whoever serves has the key in memory and would go on signing with it.
    let mut _lock = None;
    let dispatch = match (is_covered, replacement) {
        (true, None) => dispatch,
        (true, Some(_)) => {
            bail!("--replacement is for the dispatch key in use, and {key} is not it; leave it out")
        }
        (false, None) => bail!(
            "{key} is the dispatch key in use, without which no command can be signed; make another with \
             `storm offline keygen FILE` and name it with --replacement FILE"
        ),
        (false, Some(file)) => {
            _lock = Some(files.lock()?);
            let new = read_signing_key(file)?;
            replace(files, &mut document, key, &new, now)?;
            new
        }
    };
    if role == KeyRole::Dispatch && config.place()?.is_known().await? {
        let store = open_store(config).await?;
        sign_statements(&store, &trust.document, &document, &dispatch, now).await?;
    }
    publish(files, document, now, &root)?;
    line(format_args!("{} key {key} is removed", role_name(role)))?;
    if let Some(file) = replacement {
        line(format_args!(
            "{} signs from now on, as {}; start `storm-buckets serve` again, and delete {}",
            VerifyKey::of(&dispatch),
            files.dispatch_key().display(),
            file.display()
        ))?;
    }
    Ok(())
}

/// Puts `new` in the place of the dispatch key `old`, on disk and in `document`.
fn replace(
    files: &Files,
    document: &mut TrustDocument,
    old: VerifyKey,
    new: &SigningKey,
    now: Micros,
) -> anyhow::Result<()> {
    let key = VerifyKey::of(new);
    ensure!(
        key != old,
        "--replacement holds the very key that is to be removed; make another with `storm offline keygen \
         FILE`"
    );
    if !dispatches(document, key) {
        ensure!(
            document.keys.iter().all(|known| known.key != key),
            "{key} stands in the trust document as an offline key; make another with `storm offline keygen \
             FILE`"
        );
        document.keys.push(trusted_dispatch(key, now));
    }
    write_signing_key(&files.dispatch_key(), new)
}

fn dispatches(document: &TrustDocument, key: VerifyKey) -> bool {
    document.all_keys(KeyRole::Dispatch).contains(&key)
}

/// Signs the agents' statements again whose dispatch key `new` does not have: without a statement
/// that holds, nobody can check an agent's receipts.
async fn sign_statements(
    store: &Store,
    old: &TrustDocument,
    new: &TrustDocument,
    dispatch: &SigningKey,
    now: Micros,
) -> anyhow::Result<()> {
    for envelope in store.agent_statements().await? {
        if AgentStatement::open(&envelope, new).is_ok() {
            continue;
        }
        let mut statement = AgentStatement::open(&envelope, old).map_err(|refusal| {
            anyhow::anyhow!(
                "an agent's statement in the database does not hold ({}): restore the database from a backup",
                refusal.code()
            )
        })?;
        statement.issued_at = now;
        let envelope = Envelope::sign_json(PayloadType::Agent, &statement, dispatch)?;
        store.replace_statement(statement.agent, &envelope).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ed25519_dalek::SigningKey;
    use storm_protocol::{
        envelope::{Envelope, PayloadType, VERSION, VerifyKey},
        ident::{AgentId, Micros},
        seal::OpenKey,
        trust::{AgentStatement, KeyRole},
    };

    use super::run;
    use crate::{
        clock::random,
        keys::{PublicTrust, read_signing_key, trusted, write_signing_key, write_trust},
        testing::World,
    };

    fn load(world: &World) -> PublicTrust {
        PublicTrust::load(&world.files).unwrap()
    }

    async fn remove(world: &World, key: VerifyKey, replacement: Option<&PathBuf>) -> String {
        let replacement = replacement.map(PathBuf::as_path);
        let removed = run(
            &world.app.config,
            &world.files,
            load(world),
            key,
            replacement,
        )
        .await;
        removed.map_or_else(|error| format!("{error:#}"), |()| String::new())
    }

    fn dispatch(world: &World) -> VerifyKey {
        VerifyKey::of(&read_signing_key(&world.files.dispatch_key()).unwrap())
    }

    /// A key in a file, as an operator brings it.
    fn new_key(world: &World) -> (PathBuf, VerifyKey) {
        let (path, key) = (
            world.app.config.data_dir.join("new.key"),
            SigningKey::from_bytes(&random()),
        );
        write_signing_key(&path, &key).unwrap();
        (path, VerifyKey::of(&key))
    }

    #[tokio::test]
    async fn an_offline_key_goes_and_the_others_stay() {
        let world = World::new().await;
        let [leaves, stays] = [(); 2].map(|()| VerifyKey::of(&SigningKey::from_bytes(&random())));
        let mut document = load(&world).document;
        for key in [leaves, stays] {
            document
                .keys
                .push(trusted(key, KeyRole::Offline, Micros(0), 1));
        }
        let root = read_signing_key(&world.files.root_key()).unwrap();
        write_trust(&world.files, &document, &root).unwrap();
        let serial = document.serial;

        assert_eq!(remove(&world, leaves, None).await, "");
        let document = load(&world).document;
        assert_eq!(document.serial, serial + 1);
        assert_eq!(document.all_keys(KeyRole::Offline), [stays]);
        assert_eq!(document.all_keys(KeyRole::Dispatch), [dispatch(&world)]);
        let words = remove(&world, leaves, None).await;
        assert!(
            words.contains("does not stand in the trust document"),
            "{words}"
        );
        let words = remove(&world, stays, Some(&new_key(&world).0)).await;
        assert!(words.contains("leave it out"), "{words}");
        assert_eq!(load(&world).document, document);
    }

    #[tokio::test]
    async fn the_dispatch_key_in_use_goes_only_for_another() {
        let world = World::new().await;
        let (before, old) = (load(&world), dispatch(&world));
        let (file, new) = new_key(&world);
        let agent = AgentId::new(Micros(1), random());
        let statement = AgentStatement {
            version: VERSION,
            agent,
            region: world.region.clone(),
            receipt_key: new,
            seal_key: OpenKey::generate().seal_key(),
            issued_at: Micros(1),
        };
        let signer = read_signing_key(&world.files.dispatch_key()).unwrap();
        let signed = Envelope::sign_json(PayloadType::Agent, &statement, &signer).unwrap();
        let signed = serde_json::to_string(&signed).unwrap();
        world
            .sql(&format!(
                "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at)
                 VALUES ('{agent}', 'home', 'node', 'x', 'x', 'x', '{signed}', 0)"
            ))
            .await;

        let words = remove(&world, old, None).await;
        assert!(words.contains("--replacement"), "{words}");
        let serving = world.files.lock().unwrap();
        let words = remove(&world, old, Some(&file)).await;
        assert!(words.contains("stop it first"), "{words}");
        drop(serving);
        let same = world.files.dispatch_key();
        let words = remove(&world, old, Some(&same)).await;
        assert!(words.contains("the very key"), "{words}");
        assert_eq!((load(&world), dispatch(&world)), (before.clone(), old));

        // Cut short after the key's file was written, it is taken up where it was.
        let key = read_signing_key(&file).unwrap();
        write_signing_key(&world.files.dispatch_key(), &key).unwrap();
        assert_eq!(remove(&world, old, Some(&file)).await, "");
        let after = load(&world).document;
        assert_eq!(after.serial, before.document.serial + 1);
        assert_eq!(
            (after.all_keys(KeyRole::Dispatch), dispatch(&world)),
            (vec![new], new)
        );
        let statements = world.app.store.agent_statements().await.unwrap();
        let statement = AgentStatement::open(&statements[0], &after).unwrap();
        assert_eq!((statement.agent, statement.receipt_key), (agent, new));
        assert_eq!(statements.len(), 1);
    }

    #[tokio::test]
    async fn nothing_is_removed_without_the_root_key() {
        let world = World::new().await;
        let before = load(&world);
        std::fs::remove_file(world.files.root_key()).unwrap();
        let words = remove(&world, dispatch(&world), Some(&new_key(&world).0)).await;
        assert!(words.contains("the root key is needed"), "{words}");
        assert_eq!(load(&world), before);
    }
}
