//! `storm bucket`: what a bucket is to be and what it is, and whose it is.

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use storm_protocol::{
    api::{AdoptRequest, BucketSettings, Setting, SettingsValue},
    command::CommandResult,
    ident::{AccountId, BucketId, BucketName, Limit, RegionName},
};

use crate::{
    asked::BucketAsked,
    bucket::{Which, leaves_less, name},
    change,
    client::Call,
    output,
    session::{BucketRef, Context, Session},
    units,
};

/// A bucket of nobody.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// Its name or id, as storm stray list shows it
    bucket: BucketRef,
    /// Its region, when the name is in several
    #[arg(long)]
    region: Option<RegionName>,
    /// Whose it becomes [default: your own account]
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// What it is called when it has no name
    #[arg(long)]
    name: Option<BucketName>,
    /// The most it may hold [default: as it is]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, allow_hyphen_values = true)]
    quota: Option<Limit>,
    /// The most objects it may hold [default: as it is]
    #[arg(long, value_name = "N", value_parser = units::parse_count, allow_hyphen_values = true)]
    max_objects: Option<Limit>,
}

/// A bucket to take from whoever has it.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// Its name or id, whoever's it is
    bucket: BucketRef,
    /// Its region, when the name is in several
    #[arg(long)]
    region: Option<RegionName>,
}

pub(crate) async fn show(session: &Session, which: &Which) -> Result<()> {
    let (bucket, name) = reach(session, which).await?;
    let settings = settings_of(session, bucket).await?;
    session.show(&settings, || {
        let drift = match settings.drift.as_slice() {
            [] => "nothing".to_owned(),
            parts => words(parts),
        };
        output::facts(&[("Bucket", name.clone()), ("Not as asked for", drift)])?;
        if settings.drift.is_empty() {
            output::line("")?;
            value(&settings.wanted)?;
        } else {
            output::line("\nAsked for:")?;
            value(&settings.wanted)?;
            output::line("\nIn the storage:")?;
            value(&settings.found)?;
            hint(&settings, &name);
        }
        if settings.other_rules {
            output::note("It has rules besides, which cannot be shown here; somebody set them by other means.");
        }
        Ok(())
    })
}

/// What can be done about a difference.
fn hint(settings: &BucketSettings, name: &str) {
    if settings.foreign_keys > 0 {
        output::note(&format!(
            "{} keys that are not yours have other rights on it than were given here.",
            units::count(settings.foreign_keys)
        ));
    }
    output::note(&format!(
        "Set it to what was asked for: storm bucket restore {name}\n\
         Or keep it as it is: storm bucket accept {name}"
    ));
}

fn words(parts: &[Setting]) -> String {
    let words: Vec<_> = parts.iter().map(|part| part.as_str()).collect();
    words.join(", ")
}

fn value(value: &SettingsValue) -> Result<()> {
    let website = value.website.as_ref().map(|website| {
        let error = website.error_document.as_ref();
        let error = error.map_or_else(String::new, |key| format!(", errors {key}"));
        format!("on, index {}{error}", website.index_document)
    });
    let quota = value.quota_bytes.map(|limit| units::size(limit.get()));
    let objects = value.quota_objects.map(|limit| units::count(limit.get()));
    output::facts(&[
        ("  Quota", quota.unwrap_or_else(|| "none".to_owned())),
        (
            "  Most objects",
            objects.unwrap_or_else(|| "any".to_owned()),
        ),
        ("  Website", website.unwrap_or_else(|| "off".to_owned())),
    ])?;
    output::line("  CORS rules:")?;
    for rule in &value.cors {
        output::line(&format!("    {}", serde_json::to_string(rule)?))?;
    }
    output::line("  Lifecycle rules:")?;
    for rule in &value.lifecycle {
        output::line(&format!("    {}", serde_json::to_string(rule)?))?;
    }
    output::line("  Keys:")?;
    for grant in &value.grants {
        let rights = output::rights(grant.read, grant.write, grant.owner);
        output::line(&format!("    {rights} {}", grant.key))?;
    }
    Ok(())
}

/// The account's bucket, or for operators anybody's, and what to call it.
async fn reach(session: &Session, which: &Which) -> Result<(BucketId, String)> {
    let unknown = match which.find(session).await {
        Ok(bucket) => return Ok((bucket.id, name(&bucket))),
        Err(unknown) => unknown,
    };
    match which.find_anyones(session).await {
        Ok(id) if settings_of(session, id).await.is_ok() => Ok((id, id.to_string())),
        Ok(_) | Err(_) => Err(unknown),
    }
}

async fn settings_of(session: &Session, bucket: BucketId) -> Result<BucketSettings> {
    let path = format!("/buckets/{bucket}/settings");
    Ok(session.api.get(&path).await?)
}

pub(crate) async fn restore(session: &Session, which: &Which) -> Result<()> {
    let (bucket, name) = reach(session, which).await?;
    let wanted = Box::new(settings_of(session, bucket).await?.wanted);
    let asked = BucketAsked::BucketRestore { bucket, wanted };
    let words = format!("Bucket {name} is as it was asked for.");
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn accept(session: &Session, which: &Which) -> Result<()> {
    let (bucket, name) = reach(session, which).await?;
    let path = format!("/buckets/{bucket}/accept");
    let call = Call {
        method: Method::POST,
        path: &path,
        body: None,
        idempotency_key: None,
    };
    let settings: BucketSettings = session.api.json(&call).await?;
    session.show(&settings, || {
        output::line(&format!(
            "Bucket {name} is wanted as it is in the storage. Nothing was changed there."
        ))
    })
}

pub(crate) async fn adopt(session: &Session, args: Adopt) -> Result<()> {
    let account = match args.account {
        Some(account) => account,
        None => session.account().await?,
    };
    let bucket = session.stray_bucket(&args.bucket, args.region.as_ref());
    let bucket = bucket.await?;
    let asked = BucketAsked::BucketAdopt {
        bucket,
        request: AdoptRequest {
            account,
            name: args.name,
            quota_bytes: args.quota,
            quota_objects: args.max_objects,
        },
    };
    let done = change::make(session, asked).await?;
    let (called, quota) = match &done.proof.result {
        CommandResult::BucketAdopt(adopted) => (adopted.name.clone(), adopted.quota_bytes),
        _ => (None, None),
    };
    let words = match called {
        Some(name) => format!("Bucket {name} belongs to account {account}."),
        None => format!(
            "Bucket {bucket} belongs to account {account}. It has no name: none was given, or it is taken. \
             Give it one: storm bucket add-alias {bucket} NAME"
        ),
    };
    done.say(session, &words)?;
    if let Some(less) = quota.filter(|less| args.quota.is_some_and(|asked| *less < asked)) {
        output::note(&leaves_less(less));
    }
    Ok(())
}

pub(crate) async fn release(context: &Context, session: &Session, args: Release) -> Result<()> {
    let bucket = session.anyones_bucket(&args.bucket, args.region.as_ref());
    let bucket = bucket.await?;
    let called = match &args.bucket {
        BucketRef::Id(id) => id.to_string(),
        BucketRef::Name(name) => name.to_string(),
    };
    let what = format!(
        "Bucket {called} will be taken from its account: every key loses its rights on it, its objects stay."
    );
    context.confirm(&what, &called)?;
    let done = change::make(session, BucketAsked::BucketRelease { bucket }).await?;
    let keys = match &done.proof.result {
        CommandResult::BucketRelease(released) => released.keys,
        _ => 0,
    };
    let words = format!(
        "Bucket {called} belongs to no account. {} keys lost their rights on it.",
        units::count(keys)
    );
    done.say(session, &words)
}
