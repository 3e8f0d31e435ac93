//! `storm key`.

use std::str::FromStr;

use anyhow::Result;
use clap::{Args, Subcommand};
use storm_protocol::{
    api::{CreateKeyRequest, Key, KeyPage, RotateKeyRequest},
    command::KeyGrant,
    ident::{KeyLabel, RegionName},
};

use crate::key_life as life;
use crate::{
    asked::{Asked, KeyAsked},
    change, clock,
    output::{self, Column, Sheet},
    pending::Pending,
    secret::{self, Delivery},
    session::{BucketRef, Context, KeyRef, Session},
    units::{self, Expiry},
};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys
    List(List),
    /// Show a key with its rights
    Show(Which),
    /// Make a key
    Create(Create),
    /// Delete a key at once; whoever holds it loses access
    Delete(Which),
    /// Make a new key with the same rights; the old one ends after a grace time
    Rotate(Rotate),
    /// Make a key for one bucket that ends by itself soon
    Temporary(life::Temporary),
    /// Call a key something else
    Rename(life::Rename),
    /// Set when a key ends
    Extend(life::Extend),
    /// Stop a key from working until it is resumed
    Suspend(Which),
    /// Let a suspended key work again
    Resume(Which),
    /// Delete a key that others may have at once, and make one in its place
    RevokeLeaked(life::RevokeLeaked),
}

/// Which keys.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this region only
    #[arg(long)]
    region: Option<RegionName>,
    /// Those that vanished within 90 days without having been deleted here
    #[arg(long)]
    vanished: bool,
}

/// A key.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id or label
    pub(crate) key: KeyRef,
}

/// A new key.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it
    label: KeyLabel,
    /// A bucket on which it gets the rights of --tier; repeatable
    #[arg(long = "bucket", value_name = "BUCKET")]
    buckets: Vec<BucketRef>,
    /// What it may do with each --bucket
    #[arg(long, value_enum, default_value = "read-write", requires = "buckets")]
    tier: Tier,
    /// A right: BUCKET:RIGHTS, where RIGHTS is of r (read), w (write) and o (owner); repeatable
    #[arg(long = "grant", value_name = "BUCKET:RIGHTS")]
    grants: Vec<GrantArg>,
    /// When it ends: 30d, 12h, a date or an instant [default: never]
    #[arg(long, value_name = "WHEN", value_parser = units::parse_expiry, allow_hyphen_values = true)]
    expires: Option<Expiry>,
    /// Let it make buckets over S3; they become yours
    #[arg(long)]
    create_buckets: bool,
    /// Its region [default: the configured or only one]
    #[arg(long)]
    region: Option<RegionName>,
    #[command(flatten)]
    delivery: Delivery,
}

/// A usual set of rights.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Tier {
    /// Read, write, and change the bucket itself
    Owner,
    /// Read, write and delete objects
    ReadWrite,
    /// List and read objects
    ReadOnly,
}

impl Tier {
    fn on(self, bucket: storm_protocol::ident::BucketId) -> KeyGrant {
        KeyGrant {
            bucket,
            read: true,
            write: matches!(self, Self::Owner | Self::ReadWrite),
            owner: matches!(self, Self::Owner),
        }
    }
}

/// A key to replace.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    which: Which,
    /// How long the old key keeps working: 0s to 90d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = units::parse_duration, allow_hyphen_values = true)]
    grace: u32,
    /// What to call the new key [default: as the old one]
    #[arg(long)]
    label: Option<KeyLabel>,
    #[command(flatten)]
    delivery: Delivery,
}

/// `photos:rw`
#[derive(Debug, Clone)]
pub(crate) struct GrantArg {
    bucket: BucketRef,
    read: bool,
    write: bool,
    owner: bool,
}

impl FromStr for GrantArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (bucket, rights) = text
            .rsplit_once(':')
            .ok_or("expected BUCKET:RIGHTS, such as photos:rw")?;
        if rights.is_empty() || !rights.chars().all(|c| "rwo".contains(c)) {
            return Err(format!(
                "{rights:?} are no rights: expected letters of r (read), w (write), o (owner)"
            ));
        }
        Ok(Self {
            bucket: bucket.parse()?,
            read: rights.contains('r'),
            write: rights.contains('w'),
            owner: rights.contains('o'),
        })
    }
}

/// Does it.
pub(crate) async fn run(context: &Context, command: KeyCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        KeyCommand::List(args) => list(&session, args).await,
        KeyCommand::Show(which) => {
            let key = session.key(&which.key, None).await?;
            session.show(&key, || facts(&key))
        }
        KeyCommand::Create(args) => create(&session, args).await,
        KeyCommand::Delete(which) => delete(context, &session, which).await,
        KeyCommand::Rotate(args) => rotate(&session, args).await,
        KeyCommand::Temporary(args) => life::temporary(&session, args).await,
        KeyCommand::Rename(args) => life::rename(&session, args).await,
        KeyCommand::Extend(args) => life::extend(&session, args).await,
        KeyCommand::Suspend(which) => life::suspend(context, &session, which).await,
        KeyCommand::Resume(which) => life::resume(&session, which).await,
        KeyCommand::RevokeLeaked(args) => life::revoke_leaked(context, &session, args).await,
    }
}

async fn list(session: &Session, args: List) -> Result<()> {
    let region = args.region.as_ref().or(session.config.region.as_ref());
    let filters = [
        ("region", region.map(RegionName::as_str)),
        ("vanished", args.vanished.then_some("true")),
    ];
    let keys = session.api.list::<KeyPage>("/keys", &filters).await?;
    session.show(&keys, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Key"),
            Column::Text("Label"),
            Column::Text("Region"),
            Column::Number("Buckets"),
            Column::Text("Created"),
            Column::Text("Ends"),
            Column::Text("Secret"),
        ]);
        let now = clock::now();
        for key in &keys {
            sheet.row([
                key.id.to_string(),
                key.label.to_string(),
                key.region.to_string(),
                units::count(key.grants.len() as u64),
                units::when(now, key.created_at),
                key.vanished_at.map_or_else(
                    || ends(key, |at| units::when(now, at)),
                    |at| format!("vanished {}", units::when(now, at)),
                ),
                held(key).to_owned(),
            ]);
        }
        sheet.print(if args.vanished {
            "No key has vanished."
        } else {
            "No keys yet. Make one: storm key create LABEL"
        })
    })
}

fn ends(key: &Key, shown: impl Fn(storm_protocol::ident::Micros) -> String) -> String {
    if key.suspended {
        "suspended".to_owned()
    } else {
        output::maybe(key.expires_at, shown)
    }
}

fn held(key: &Key) -> &'static str {
    if key.acknowledged {
        "taken"
    } else {
        "never taken: rotate it"
    }
}

fn facts(key: &Key) -> Result<()> {
    output::facts(&[
        ("Key", key.id.to_string()),
        ("Label", key.label.to_string()),
        ("Region", key.region.to_string()),
        ("Created", units::instant(key.created_at)),
        ("Ends", ends(key, units::instant)),
        ("Secret", held(key).to_owned()),
        ("Makes buckets", output::yes_no(key.create_buckets)),
    ])?;
    output::line("")?;
    let mut sheet = Sheet::new(&[Column::Text("Rights"), Column::Text("Bucket")]);
    for grant in &key.grants {
        sheet.row([
            output::rights(grant.read, grant.write, grant.owner),
            grant.bucket.to_string(),
        ]);
    }
    sheet.print("It has no rights on any bucket. Give it some: storm grant set")
}

async fn create(session: &Session, args: Create) -> Result<()> {
    let mut grants = Vec::new();
    for bucket in &args.buckets {
        let bucket = session.bucket(bucket, args.region.as_ref()).await?;
        grants.push(args.tier.on(bucket.id));
    }
    for grant in &args.grants {
        let bucket = session.bucket(&grant.bucket, args.region.as_ref()).await?;
        grants.push(KeyGrant {
            bucket: bucket.id,
            read: grant.read,
            write: grant.write,
            owner: grant.owner,
        });
    }
    let expires_at = kept_expiry(session, &args.label, args.expires)?;
    let region = session.region(args.region.as_ref(), "--region").await?;
    let asked = |seal_to| KeyAsked::KeyCreate {
        request: CreateKeyRequest {
            region: Some(region.name),
            label: args.label,
            expires_at,
            create_buckets: args.create_buckets,
            grants,
            seal_to,
        },
    };
    secret::ask(session, &args.delivery, asked).await
}

/// When the key ends. A duration counts from now, but a request of the same label that is not
/// finished keeps its own end: it is the same request.
fn kept_expiry(
    session: &Session,
    label: &KeyLabel,
    expires: Option<Expiry>,
) -> Result<Option<storm_protocol::ident::Micros>> {
    let earlier = Pending::all(&session.dir)?.into_iter().find_map(|pending| {
        match (&pending.asked, expires) {
            (Asked::Key(KeyAsked::KeyCreate { request }), Some(Expiry::After(_)))
                if request.label == *label =>
            {
                request.expires_at
            }
            _ => None,
        }
    });
    match (earlier, expires) {
        (None, Some(expiry)) => expiry.instant(clock::now(), "--expires").map(Some),
        (earlier, _) => Ok(earlier),
    }
}

async fn delete(context: &Context, session: &Session, which: Which) -> Result<()> {
    let key = session.key(&which.key, None).await?;
    let what = format!(
        "Key {} ({}) will be deleted; whoever holds it loses access at once.",
        key.id, key.label
    );
    context.confirm(&what, key.label.as_str())?;
    let asked = KeyAsked::KeyDelete {
        key: key.id.clone(),
    };
    let done = change::make(session, asked).await?;
    done.say(session, &format!("Key {} is deleted.", key.id))
}

async fn rotate(session: &Session, args: Rotate) -> Result<()> {
    let key = session.key(&args.which.key, None).await?.id;
    let asked = |seal_to| KeyAsked::KeyRotate {
        key,
        request: RotateKeyRequest {
            label: args.label,
            grace_seconds: args.grace,
            seal_to,
        },
    };
    secret::ask(session, &args.delivery, asked).await
}
