//! `storm-buckets db`

mod migrate;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    config::{Config, database},
    keys::{Files, read_secret},
    output::line,
    roles::GRANTS,
    serve::unusable,
    store::{
        Place,
        dump::{Source, Target, copy, newest_schema},
    },
};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Copy everything into another, empty database: a file of SQLite or a PostgreSQL server, either
    /// way. Every storm-buckets that uses one of the two has to be stopped. All rows are read back and
    /// compared before they count; the old database stays as it is.
    Copy(Copy),
    /// Set a database up, or change it for this version, as the owner of its tables: what `serve` does at its
    /// start where it may. Makes keys and the operator's account where there are none yet, as the first
    /// `serve` does. The roles' grants, where they are in force, are put in force for new tables, too.
    Migrate(migrate::Migrate),
    /// Print what web, signer and hub may each do in a database on PostgreSQL (SQL), to be run by psql.
    Roles,
}

#[derive(Args)]
pub(super) struct Copy {
    /// Where from: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`. What the configuration names
    /// unless it is said.
    #[arg(long, value_name = "URL", conflicts_with = "from_file")]
    from: Option<String>,
    /// A file (mode 0600) that holds such a URL, with a password in it perhaps.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Where to: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "to_file",
        conflicts_with = "to_file"
    )]
    to: Option<String>,
    /// A file (mode 0600) that holds such a URL, with a password in it perhaps.
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

pub(super) async fn run(verb: &Verb, config: &Config) -> anyhow::Result<()> {
    match verb {
        Verb::Copy(asked) => run_copy(asked, config).await,
        Verb::Migrate(asked) => migrate::run(asked, config).await,
        Verb::Roles => line(GRANTS.trim_end()),
    }
}

async fn run_copy(asked: &Copy, config: &Config) -> anyhow::Result<()> {
    let from = match place("--from", asked.from.as_deref(), asked.from_file.as_deref())? {
        Some(place) => place,
        None => config.place()?,
    };
    let to = place("--to", asked.to.as_deref(), asked.to_file.as_deref())?
        .context("--to or --to-file says where to")?;
    if let Place::File(file) = &from {
        ensure!(file.exists(), "{} does not exist", file.display());
    }
    let _locks = lock(config, [&from, &to])?;
    let failed = |place: &Place| {
        let place = place.clone();
        move |error| unusable(&place, error)
    };
    let mut source = Source::open(&from).await.map_err(failed(&from))?;
    source.stop_writers().await.map_err(failed(&from))?;
    let mut target = Target::open(&to, newest_schema())
        .await
        .map_err(failed(&to))?;
    let mut said = vec![];
    copy(&mut source, &mut target, |table, sum| {
        said.push(format!(
            "{:<24} {:>10}  {}",
            table.name, sum.rows, sum.sha256
        ));
    })
    .await
    .map_err(failed(&to))?;
    target.commit().await.map_err(failed(&to))?;
    line(format_args!(
        "{:<24} {:>10}  SHA-256 over all rows, the same in both",
        "table", "rows"
    ))?;
    for table in said {
        line(table)?;
    }
    next(config, asked, &to)
}

/// What to put into the configuration.
fn next(config: &Config, asked: &Copy, to: &Place) -> anyhow::Result<()> {
    let usual = config.data_dir.join("storm.db");
    let words = match (to, &asked.to_file, &asked.to) {
        (Place::File(file), ..) if *file == usual => {
            "Take the section [database] out of the configuration".to_owned()
        }
        (Place::File(file), ..) => format!(
            "Move {} to {}, and take the section [database] out of the configuration",
            file.display(),
            usual.display()
        ),
        (Place::Server(_), Some(file), _) => {
            format!("Put into the configuration:\n\n[database]\nurl_file = {file:?}\n\n")
        }
        (Place::Server(_), None, url) => format!(
            "Put into the configuration:\n\n[database]\nurl = {:?}\n\n",
            url.as_deref().unwrap_or_default()
        ),
    };
    let words = words.trim_end_matches(' ');
    let and = if words.ends_with('\n') {
        "Then"
    } else {
        ", then"
    };
    line(format_args!(
        "\n{words}{and} start the service. The old database is as it was; put it away once the new one serves."
    ))
}

/// Reads where a database is. A password is not taken from the command line, which others can see.
fn place(option: &str, url: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<Place>> {
    let text = match (url, file) {
        (Some(url), _) => SecretString::from(url),
        (None, Some(file)) => {
            let text = read_secret(file).with_context(|| format!("{option}-file"))?;
            SecretString::from(text.expose_secret().trim())
        }
        (None, None) => return Ok(None),
    };
    if let Some(file) = text.expose_secret().strip_prefix("sqlite:") {
        let file = file.strip_prefix("//").unwrap_or(file);
        ensure!(!file.is_empty(), "{option} names no file: sqlite:FILE");
        return Ok(Some(Place::File(std::path::absolute(file)?)));
    }
    let parsed = database::read(text.expose_secret()).map_err(|_| {
        anyhow::anyhow!("{option} is neither sqlite:FILE nor postgres://USER@HOST/DATABASE")
    })?;
    if url.is_some() && parsed.password().is_some() {
        bail!(
            "{option} holds a password, and others on this machine can read a command line: put the URL into a \
             file of mode 0600 and name it with {option}-file"
        );
    }
    Ok(Some(Place::Server(text)))
}

/// No `serve` runs from the configuration's data directory, or from a file's, meanwhile.
pub(super) fn lock<const N: usize>(
    config: &Config,
    places: [&Place; N],
) -> anyhow::Result<Vec<fs::File>> {
    let mut directories = BTreeSet::new();
    if config.data_dir.exists() {
        directories.insert(fs::canonicalize(&config.data_dir)?);
    }
    for place in places {
        if let Place::File(file) = place {
            let directory = file.parent().unwrap_or(Path::new("/"));
            let found = fs::canonicalize(directory)
                .with_context(|| format!("{} is no directory", directory.display()))?;
            directories.insert(found);
        }
    }
    directories
        .iter()
        .map(|directory| Files::new(directory).lock())
        .collect()
}

#[cfg(test)]
mod tests;
