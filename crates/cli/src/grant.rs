//! `storm grant`.

use anyhow::Result;
use clap::{Args, Subcommand};
use storm_protocol::{
    api::{GrantPage, SetGrantRequest},
    ident::RegionName,
};

use crate::{
    asked::KeyAsked,
    bucket, change,
    errors::usage,
    output::{self, Column, Sheet},
    session::{BucketRef, Context, KeyRef, Session},
};

/// What can be done with rights.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// List the keys that have rights on a bucket
    List(List),
    /// Set a key's rights on a bucket to exactly these
    Set(Set),
    /// Take all of a key's rights on a bucket
    Remove(Pair),
}

/// A bucket.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Its name or id
    bucket: BucketRef,
    /// Its region, when the name is in several
    #[arg(long)]
    region: Option<RegionName>,
}

/// A key and a bucket.
#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The key's id or label
    key: KeyRef,
    /// The bucket's name or id
    bucket: BucketRef,
    /// The region, when the name is in several
    #[arg(long)]
    region: Option<RegionName>,
}

/// Rights; what is not given is taken.
#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pair: Pair,
    /// List and read objects
    #[arg(long)]
    read: bool,
    /// Write and delete objects
    #[arg(long)]
    write: bool,
    /// Delete the bucket; change its CORS, website and lifecycle
    #[arg(long)]
    owner: bool,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: GrantCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        GrantCommand::List(args) => list(&session, args).await,
        GrantCommand::Set(args) => {
            if !(args.read || args.write || args.owner) {
                return Err(usage(
                    "Say which rights: --read, --write, --owner. To take all: storm grant remove",
                ));
            }
            let rights = SetGrantRequest {
                read: args.read,
                write: args.write,
                owner: args.owner,
            };
            set(&session, &args.pair, rights).await
        }
        GrantCommand::Remove(pair) => {
            let rights = SetGrantRequest {
                read: false,
                write: false,
                owner: false,
            };
            set(&session, &pair, rights).await
        }
    }
}

async fn list(session: &Session, args: List) -> Result<()> {
    let bucket = session.bucket(&args.bucket, args.region.as_ref()).await?;
    let path = format!("/buckets/{}/grants", bucket.id);
    let grants = session.api.list::<GrantPage>(&path, &[]).await?;
    session.show(&grants, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Rights"),
            Column::Text("Key"),
            Column::Text("Label"),
        ]);
        for grant in &grants {
            sheet.row([
                output::rights(grant.read, grant.write, grant.owner),
                grant.key.to_string(),
                grant.label.to_string(),
            ]);
        }
        sheet.print("No key has rights on it. Give one some: storm grant set KEY BUCKET --read")
    })
}

async fn set(session: &Session, pair: &Pair, request: SetGrantRequest) -> Result<()> {
    let bucket = session.bucket(&pair.bucket, pair.region.as_ref()).await?;
    let key = session.key(&pair.key, Some(&bucket.region)).await?;
    let words = format!(
        "Key {} ({}) now has {} on bucket {}.",
        key.id,
        key.label,
        output::rights(request.read, request.write, request.owner),
        bucket::name(&bucket)
    );
    let asked = KeyAsked::KeySetGrant {
        key: key.id,
        bucket: bucket.id,
        request,
    };
    change::make(session, asked).await?.say(session, &words)
}
