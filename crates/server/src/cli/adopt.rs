//! `storm-buckets adopt`

use anyhow::{bail, ensure};
use clap::Args;
use storm_protocol::ident::RegionName;

use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    output::line,
    serve::open_store,
    store::{
        audit::{DONE, Entry},
        orphans::Orphans,
    },
};

#[derive(Args)]
pub(super) struct Adopt {
    /// The region whose cluster tells.
    #[arg(long)]
    region: RegionName,
    /// Do it. Without this, only what would be done is shown.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(asked: &Adopt, config: &Config) -> anyhow::Result<()> {
    let place = config.place()?;
    ensure!(
        place.is_known().await?,
        "there is no database in {place} yet: `storm-buckets serve` makes it at its first start"
    );
    let store = open_store(config).await?;
    let region = &asked.region;
    if store.region(region).await?.is_none() {
        bail!("there is no region {region}: make it with `storm region create`");
    }
    ensure!(
        store.has_inventory(region).await?,
        "no agent of {region} has told of its cluster yet: enrol one, and see that it is connected (`storm agent \
         list`)"
    );
    let orphans = if asked.yes {
        let now = SystemClock.now();
        let entry = Entry {
            at: now,
            via: "server".to_owned(),
            act: "account.adopt".to_owned(),
            thing: Some(region.to_string()),
            result: DONE.to_owned(),
            count: 1,
            ..Entry::default()
        };
        store.adopt_orphans(region, &entry, now).await?
    } else {
        store.orphans(region).await?
    };
    show(&orphans, asked)
}

fn show(orphans: &Orphans, asked: &Adopt) -> anyhow::Result<()> {
    if orphans.accounts.is_empty() {
        line(format_args!(
            "Nothing in {} is to be given back.",
            asked.region
        ))?;
    } else {
        line(format_args!(
            "{:<36}  {:<8}  {:>7}  {:>7}",
            "account", "", "keys", "buckets"
        ))?;
    }
    for (account, belongings) in &orphans.accounts {
        line(format_args!(
            "{account}  {:<8}  {:>7}  {:>7}",
            if belongings.known {
                "is there"
            } else {
                "is made"
            },
            belongings.keys.len(),
            belongings.buckets.len()
        ))?;
    }
    for contested in &orphans.contested {
        let accounts: Vec<_> = contested.accounts.iter().map(ToString::to_string).collect();
        line(format_args!(
            "The bucket {} ({}) stays nobody's: keys of {} own it. `storm bucket adopt` gives it to one.",
            contested.name.as_deref().unwrap_or("without a name"),
            contested.bucket,
            accounts.join(" and ")
        ))?;
    }
    if orphans.others > 0 {
        line(format_args!(
            "{} more buckets and keys say nothing of an account: `storm stray list` shows them.",
            orphans.others
        ))?;
    }
    if orphans.accounts.is_empty() {
        return Ok(());
    }
    if !asked.yes {
        return line("Nothing was done. With --yes it is.");
    }
    line(
        "Done; the agents hear of the buckets within seconds. These accounts have no limits, and nobody in them: ask \
         the owner of each in with `storm-buckets user invite-owner ACCOUNT EMAIL --name NAME`.",
    )
}
