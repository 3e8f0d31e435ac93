//! `storm key`: what happens to a key after it was made, and keys that end soon.

use anyhow::Result;
use clap::Args;
use storm_protocol::{
    api::{CreateTemporaryKeyRequest, RenameKeyRequest, RevokeLeakedRequest, SetKeyExpiryRequest},
    command::MAX_TEMPORARY_SECONDS,
    ident::KeyLabel,
};

use crate::{
    asked::KeyAsked,
    bucket::Which as Bucket,
    change, clock,
    errors::usage,
    key::Which,
    secret::{self, Delivery},
    session::{Context, Session},
    units::{self, Expiry},
};

/// A key that ends soon.
#[derive(Debug, Args)]
pub(crate) struct Temporary {
    #[command(flatten)]
    bucket: Bucket,
    /// Let it write and delete too
    #[arg(long)]
    write: bool,
    /// How long it lives: 1s to 12h
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = units::parse_duration, allow_hyphen_values = true)]
    lives: u32,
    #[command(flatten)]
    delivery: Delivery,
}

/// Another label.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    #[command(flatten)]
    which: Which,
    /// What to call it
    label: KeyLabel,
}

/// Another end.
#[derive(Debug, Args)]
pub(crate) struct Extend {
    #[command(flatten)]
    which: Which,
    /// When it ends: 30d, 12h, a date, an instant, or never
    #[arg(value_name = "WHEN", value_parser = parse_end, allow_hyphen_values = true)]
    end: End,
}

/// A key that others may have.
#[derive(Debug, Args)]
pub(crate) struct RevokeLeaked {
    #[command(flatten)]
    which: Which,
    /// What to call the new key [default: as the old one]
    #[arg(long)]
    label: Option<KeyLabel>,
    #[command(flatten)]
    delivery: Delivery,
}

/// When a key ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// Not by itself.
    Never,
    /// Then.
    At(Expiry),
}

fn parse_end(text: &str) -> Result<End, String> {
    if text == "never" {
        return Ok(End::Never);
    }
    let or_never = |error| format!("{error}, or never");
    units::parse_expiry(text).map(End::At).map_err(or_never)
}

pub(crate) async fn temporary(session: &Session, args: Temporary) -> Result<()> {
    if !(1..=MAX_TEMPORARY_SECONDS).contains(&args.lives) {
        return Err(usage("--for: a temporary key lives 1s to 12h."));
    }
    let bucket = args.bucket.find(session).await?;
    let asked = |seal_to| KeyAsked::KeyCreateTemporary {
        request: CreateTemporaryKeyRequest {
            bucket: bucket.id,
            write: args.write,
            valid_seconds: Some(args.lives),
            seal_to,
        },
    };
    secret::ask(session, &args.delivery, asked).await
}

pub(crate) async fn rename(session: &Session, args: Rename) -> Result<()> {
    let key = session.key(&args.which.key, None).await?;
    let words = format!("Key {} is called {} now.", key.id, args.label);
    let asked = KeyAsked::KeyRename {
        key: key.id,
        request: RenameKeyRequest { label: args.label },
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn extend(session: &Session, args: Extend) -> Result<()> {
    let key = session.key(&args.which.key, None).await?;
    // Garage keeps whole milliseconds, and so does the receipt.
    let expires_at = match args.end {
        End::Never => None,
        End::At(expiry) => {
            let at = expiry.instant(clock::now(), "WHEN")?;
            Some(storm_protocol::ident::Micros(at.0 - at.0.rem_euclid(1000)))
        }
    };
    let words = match expires_at {
        None => format!("Key {} does not end by itself.", key.id),
        Some(at) => format!("Key {} ends at {}.", key.id, units::instant(at)),
    };
    let asked = KeyAsked::KeySetExpiry {
        key: key.id,
        request: SetKeyExpiryRequest { expires_at },
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn suspend(context: &Context, session: &Session, which: Which) -> Result<()> {
    let key = session.key(&which.key, None).await?;
    let what = format!(
        "Key {} ({}) will stop working until it is resumed; whoever uses it loses access.",
        key.id, key.label
    );
    context.confirm(&what, key.label.as_str())?;
    let words = format!(
        "Key {} is suspended. Resume it with: storm key resume {0}",
        key.id
    );
    let asked = KeyAsked::KeySuspend { key: key.id };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn resume(session: &Session, which: Which) -> Result<()> {
    let key = session.key(&which.key, None).await?;
    let words = format!("Key {} works again.", key.id);
    let asked = KeyAsked::KeyResume {
        key: key.id,
        expires_at: key.expires_at,
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn revoke_leaked(
    context: &Context,
    session: &Session,
    args: RevokeLeaked,
) -> Result<()> {
    let key = session.key(&args.which.key, None).await?;
    let what = format!(
        "Key {} ({}) will be deleted at once: whoever uses it loses access, you too, until they have \
         the new one.",
        key.id, key.label
    );
    context.confirm(&what, key.label.as_str())?;
    let asked = |seal_to| KeyAsked::KeyRevokeLeaked {
        key: key.id,
        request: RevokeLeakedRequest {
            label: args.label,
            seal_to,
        },
    };
    secret::ask(session, &args.delivery, asked).await
}
