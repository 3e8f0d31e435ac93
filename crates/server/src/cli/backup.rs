//! `storm-buckets backup` and `storm-buckets restore`

use std::path::PathBuf;

use clap::Args;
use storm_protocol::ident::Micros;

use crate::{
    backup::{
        lock::{To, With},
        restore::restore,
        write::write,
    },
    clock::{Clock as _, SystemClock},
    config::Config,
    output::line,
};

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write. It must not exist yet.
    #[arg(long = "to", value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
pub(super) struct Restore {
    /// The backup.
    file: PathBuf,
    #[command(flatten)]
    with: With,
}

pub(super) async fn run(asked: &Backup, config: &Config) -> anyhow::Result<()> {
    let place = config.place()?;
    let now = SystemClock.now();
    let (head, end) = write(&config.data_dir, &place, &asked.file, &asked.to, now).await?;
    line(format_args!(
        "{} holds {} rows of {} tables and {} files, as of {}",
        asked.file.display(),
        end.rows(),
        end.tables.len(),
        end.files.len(),
        instant(head.made_at)
    ))?;
    line(root_key(end.has_root_key()))?;
    line("Not in it: the configuration, and what it names (passwords, secrets of [[oidc]]).")
}

pub(super) async fn run_restore(asked: &Restore, config: &Config) -> anyhow::Result<()> {
    let place = config.place()?;
    let key = asked.with.key()?;
    let contents = restore(&asked.file, &key, &config.data_dir, &place).await?;
    let (head, end) = (&contents.head, &contents.end);
    line(format_args!(
        "{} rows of {} tables and {} files are in place, as of {}, from version {} on {}",
        end.rows(),
        end.tables.len(),
        end.files.len(),
        instant(head.made_at),
        head.version,
        head.database
    ))?;
    line(format_args!(
        "root key digest: {} (compare it)",
        head.root_key
    ))?;
    line(root_key(end.has_root_key()))?;
    line(
        "Make sure that the old one never starts again, then start the service. Agents bring what happened since. \
         People sign in anew. What was taken away since the backup (API tokens, members, passkeys) is there \
         again: take it away again.",
    )
}

fn instant(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

fn root_key(is_there: bool) -> &'static str {
    if is_there {
        "The root key is in it: whoever opens this file can replace every key of the installation."
    } else {
        "The root key is not in it: keep the copy that you took away from here safe."
    }
}
