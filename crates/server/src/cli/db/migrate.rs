//! `storm-buckets db migrate`

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;

use super::place;
use crate::{
    clock::SystemClock,
    config::Config,
    first_operator::FirstOperator,
    keys::Files,
    output::line,
    serve::{set_up, unusable},
    store::{Place, Store},
};

#[derive(Args)]
pub(in crate::cli) struct Migrate {
    /// The database as its owner signs in to it: `postgres://USER@HOST/DATABASE`. What the configuration names
    /// unless it is said.
    #[arg(long, value_name = "URL", conflicts_with = "owner_file")]
    owner: Option<String>,
    /// A file (mode 0600) that holds such a URL, with a password in it perhaps.
    #[arg(long, value_name = "FILE")]
    owner_file: Option<PathBuf>,
}

pub(super) async fn run(asked: &Migrate, config: &Config) -> anyhow::Result<()> {
    let url = asked.owner.as_deref();
    let place = match place("--owner", url, asked.owner_file.as_deref())? {
        Some(place) => place,
        None => config.place()?,
    };
    ensure!(
        matches!(place, Place::Server(_)),
        "{place} is SQLite, which `storm-buckets serve` sets up by itself"
    );
    let failed = |error| unusable(&place, error);
    place.require_owner().await.map_err(failed)?;
    let store = Store::open(place.clone()).await.map_err(failed)?;
    if !store.has_users().await? {
        FirstOperator::from_environment()?;
        let files = Files::new(&config.data_dir);
        set_up(&place, false, &files, &SystemClock).await?;
    }
    line(format_args!("{place} is set up for this version"))?;
    if store.renew_grants().await? {
        return line("The grants of storm_web, storm_signer and storm_hub are in force");
    }
    line(
        "Nothing is granted to others than the owner. To run the roles under logins of their own: storm-buckets \
         db roles | psql --single-transaction --set ON_ERROR_STOP=1 DATABASE",
    )
}
