//! `storm stray`: what belongs to no account.

use std::str::FromStr;

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use storm_protocol::{
    api::{IgnoreStrayRequest, Stray, StrayPage},
    ident::{AccessKeyId, AccountId, BucketId, RegionName},
};

use crate::{
    client::Call,
    clock,
    errors::Thing,
    output::{self, Column, Sheet},
    session::{Context, Session},
    units,
};

/// What can be done with strays.
#[derive(Debug, Subcommand)]
pub(crate) enum StrayCommand {
    /// List the buckets and keys that belong to no account
    List(List),
    /// Leave one alone: it is not listed any more
    Ignore(Which),
    /// List one again
    Unignore(Which),
}

/// Which strays.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this region only
    #[arg(long)]
    region: Option<RegionName>,
    /// Those that are left alone too
    #[arg(long)]
    all: bool,
}

/// A stray.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The id of a bucket or key
    id: StrayRef,
}

/// A stray on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StrayRef {
    /// A bucket.
    Bucket(BucketId),
    /// A key.
    Key(AccessKeyId),
}

impl FromStr for StrayRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(bucket) = text.parse() {
            return Ok(Self::Bucket(bucket));
        }
        text.parse().map(Self::Key).map_err(|_| {
            "expected the id of a bucket (64 lower-case hex digits) or of a key (GK and 24)"
                .to_owned()
        })
    }
}

/// Does it.
pub(crate) async fn run(context: &Context, command: StrayCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        StrayCommand::List(args) => list(&session, args).await,
        StrayCommand::Ignore(which) => ignore(&session, which.id, true).await,
        StrayCommand::Unignore(which) => ignore(&session, which.id, false).await,
    }
}

async fn list(session: &Session, args: List) -> Result<()> {
    let region = args.region.as_ref().or(session.config.region.as_ref());
    let filters = [
        ("region", region.map(RegionName::as_str)),
        ("ignored", (!args.all).then_some("false")),
    ];
    let strays = session.api.list::<StrayPage>("/strays", &filters).await?;
    session.show(&strays, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Kind"),
            Column::Text("Id"),
            Column::Text("Region"),
            Column::Text("Name"),
            Column::Number("Size"),
            Column::Number("Objects"),
            Column::Text("Created"),
            Column::Text("Accounts with keys"),
            Column::Text("Left alone"),
        ]);
        let now = clock::now();
        for stray in &strays {
            let accounts: Vec<_> = stray.claimed_by.iter().map(AccountId::to_string).collect();
            sheet.row([
                if stray.bucket.is_some() {
                    "bucket"
                } else {
                    "key"
                }
                .to_owned(),
                id(stray),
                stray.region.to_string(),
                output::maybe(stray.name.clone(), |name| name),
                output::maybe(stray.bytes, units::size),
                output::maybe(stray.objects, units::count),
                units::when(now, stray.created_at),
                accounts.join(", "),
                output::yes_no(stray.ignored),
            ]);
        }
        sheet.print("All buckets and keys belong to somebody, or are left alone.")
    })
}

fn id(stray: &Stray) -> String {
    let bucket = stray.bucket.map(|bucket| bucket.to_string());
    let key = || stray.key.as_ref().map(AccessKeyId::to_string);
    bucket.or_else(key).unwrap_or_default()
}

async fn ignore(session: &Session, which: StrayRef, ignored: bool) -> Result<()> {
    let (bucket, key) = match which {
        StrayRef::Bucket(bucket) => (Some(bucket), None),
        StrayRef::Key(key) => (None, Some(key)),
    };
    let request = IgnoreStrayRequest {
        bucket,
        key,
        ignored,
    };
    let body = serde_json::to_value(&request)?;
    let call = Call {
        method: Method::POST,
        path: "/strays/ignore",
        body: Some(&body),
        idempotency_key: None,
    };
    let name = bucket.map_or_else(
        || {
            request
                .key
                .as_ref()
                .map(AccessKeyId::to_string)
                .unwrap_or_default()
        },
        |bucket| bucket.to_string(),
    );
    let stray = session.api.json::<Stray>(&call).await;
    let stray = stray.map_err(Thing::Stray.named(&name))?;
    session.show(&stray, || {
        output::line(&if ignored {
            format!("{name} is left alone. List it all the same: storm stray list --all")
        } else {
            format!("{name} is listed again.")
        })
    })
}
