//! `storm-buckets trust`: the only user of the root key after the first start.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use storm_protocol::{
    envelope::VerifyKey,
    ident::Micros,
    trust::{KeyRole, TrustedKey},
};

use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    keys::{Files, PublicTrust, read_signing_key, write_trust},
};

const DAY_SECONDS: i64 = 24 * 3600;
/// Seconds before now from which a new key counts: nodes' clocks may be behind.
const BACKDATE_SECONDS: i64 = 3600;

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
    /// Write the signed trust document to a new file, for `storm-pulse trust add` on a node.
    Export {
        /// The file, which must not exist yet.
        file: PathBuf,
    },
}

pub(super) fn run(verb: &Verb, config: &Config) -> anyhow::Result<()> {
    let files = Files::new(&config.data_dir);
    ensure!(
        files.trust().exists(),
        "there is no trust document in {} yet: `storm-buckets serve` makes it at its first start",
        config.data_dir.display()
    );
    let trust = PublicTrust::load(&files)?;
    match verb {
        Verb::Show => {
            show(&trust);
            Ok(())
        }
        Verb::AddOfflineKey { key, days } => add_offline_key(&files, trust, *key, *days),
        Verb::Export { file } => export(&trust, file),
    }
}

fn show(trust: &PublicTrust) {
    println!("root key digest  {}", trust.root_key.id());
    println!("CA key digest    {}", trust.ca_key);
    println!("serial           {}", trust.document.serial);
    for key in &trust.document.keys {
        let role = match key.role {
            KeyRole::Dispatch => "dispatch",
            KeyRole::Offline => "offline",
        };
        println!(
            "{role:<8} {}  from {} until {}",
            key.key,
            day(key.not_before),
            day(key.not_after)
        );
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
    let root = read_signing_key(&files.root_key()).context(
        "the root key is needed for this; when it is kept elsewhere, put it back for a moment",
    )?;
    ensure!(
        VerifyKey::of(&root) == trust.root_key,
        "{} is another key than the one that agents trust",
        files.root_key().display()
    );
    let now = SystemClock.now();
    let mut document = trust.document;
    document.serial += 1;
    document.issued_at = now;
    document.keys.push(TrustedKey {
        key,
        role: KeyRole::Offline,
        not_before: now.plus_seconds(-BACKDATE_SECONDS),
        not_after: now.plus_seconds(i64::from(days) * DAY_SECONDS),
    });
    write_trust(files, &document, &root)?;
    println!(
        "trust document {} is in place; connected agents get it within seconds, others with \
         `storm-buckets trust export` and `storm-pulse trust add`",
        document.serial
    );
    Ok(())
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
    println!(
        "trust document {} is in {}",
        trust.document.serial,
        file.display()
    );
    Ok(())
}

fn day(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}
