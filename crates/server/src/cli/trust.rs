//! `storm-buckets trust`: the only user of the root key after the first start.

mod remove_key;

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use ed25519_dalek::SigningKey;
use storm_protocol::{
    envelope::VerifyKey,
    ident::Micros,
    trust::{KeyRole, TrustDocument},
};

use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    keys::{Files, PublicTrust, read_signing_key, trusted, write_trust},
    output::line,
};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show the root key's digest and who may sign commands.
    Show,
    /// Let a key sign commands offline, for nodes' spools. Needs the root key.
    AddOfflineKey {
        /// The public key that `storm offline keygen` printed (base64).
        key: VerifyKey,
        /// Days that it is accepted.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Let a key sign commands no more. Needs the root key.
    RemoveKey {
        /// The public key, as `storm-buckets trust show` has it (base64).
        key: VerifyKey,
        /// For the dispatch key in use: the private key that signs from now on, as `storm offline
        /// keygen` makes it. `serve` has to be stopped for that.
        #[arg(long, value_name = "FILE")]
        replacement: Option<PathBuf>,
    },
    /// Write the signed trust document to a new file, for `storm-pulse trust add` on a node.
    Export {
        /// The file, which must not exist yet.
        file: PathBuf,
    },
}

pub(super) async fn run(verb: &Verb, config: &Config) -> anyhow::Result<()> {
    let files = Files::new(&config.data_dir);
    ensure!(
        files.trust().exists(),
        "there is no trust document in {} yet: `storm-buckets serve` makes it at its first start",
        config.data_dir.display()
    );
    let trust = PublicTrust::load(&files)?;
    match verb {
        Verb::Show => show(&trust),
        Verb::AddOfflineKey { key, days } => add_offline_key(&files, trust, *key, *days),
        Verb::RemoveKey { key, replacement } => {
            remove_key::run(config, &files, trust, *key, replacement.as_deref()).await
        }
        Verb::Export { file } => export(&trust, file),
    }
}

fn show(trust: &PublicTrust) -> anyhow::Result<()> {
    line(format_args!("root key digest  {}", trust.root_key.id()))?;
    line(format_args!("CA key digest    {}", trust.ca_key))?;
    line(format_args!("serial           {}", trust.document.serial))?;
    for key in &trust.document.keys {
        line(format_args!(
            "{:<8} {}  from {} until {}",
            role_name(key.role),
            key.key,
            day(key.not_before),
            day(key.not_after)
        ))?;
    }
    Ok(())
}

fn role_name(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Dispatch => "dispatch",
        KeyRole::Offline => "offline",
    }
}

fn add_offline_key(
    files: &Files,
    trust: PublicTrust,
    key: VerifyKey,
    days: u16,
) -> anyhow::Result<()> {
    ensure!(
        trust.document.keys.iter().all(|known| known.key != key),
        "that key stands in the trust document already"
    );
    let root = read_root(files, &trust)?;
    let now = SystemClock.now();
    let mut document = trust.document;
    let days = i64::from(days);
    document
        .keys
        .push(trusted(key, KeyRole::Offline, now, days));
    publish(files, document, now, &root)
}

fn read_root(files: &Files, trust: &PublicTrust) -> anyhow::Result<SigningKey> {
    let root = read_signing_key(&files.root_key()).context(
        "the root key is needed for this; when it is kept elsewhere, put it back for a moment",
    )?;
    ensure!(
        VerifyKey::of(&root) == trust.root_key,
        "{} is another key than the one that agents trust",
        files.root_key().display()
    );
    Ok(root)
}

/// Signs the next trust document and puts it in force.
fn publish(
    files: &Files,
    mut document: TrustDocument,
    now: Micros,
    root: &SigningKey,
) -> anyhow::Result<()> {
    document.serial += 1;
    document.issued_at = now;
    write_trust(files, &document, root)?;
    line(format_args!(
        "trust document {} is in place; connected agents get it within seconds, others with \
         `storm-buckets trust export` and `storm-pulse trust add`",
        document.serial
    ))
}

fn export(trust: &PublicTrust, file: &std::path::Path) -> anyhow::Result<()> {
    let text = serde_json::to_vec(&trust.envelope)?;
    let cannot = || {
        format!(
            "{} cannot be written; name a file that does not exist yet",
            file.display()
        )
    };
    let mut new = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(file)
        .with_context(cannot)?;
    if let Err(error) = new.write_all(&text).and_then(|()| new.sync_all()) {
        let _ = fs::remove_file(file);
        return Err(error).with_context(cannot);
    }
    line(format_args!(
        "trust document {} is in {}",
        trust.document.serial,
        file.display()
    ))
}

fn day(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}
