//! `storm bucket`: what is set on a bucket, its names, and its unfinished uploads.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use storm_protocol::{
    api::{
        Bucket, CheckCorsRequest, CleanupUploadsRequest, CorsVerdict, SetCorsRequest,
        SetLifecycleRequest, SetWebsiteRequest,
    },
    command::CommandResult,
    ident::{BucketName, DocumentName, ObjectKey},
    rules::{CorsMethod, LifecycleRule, Website},
};

use crate::{
    asked::BucketAsked,
    bucket::{Which, name},
    change,
    client::Call,
    errors::{Exit, fault},
    output, rules_file,
    session::{Context, Session},
    units,
};

/// CORS rules.
#[derive(Debug, Args)]
pub(crate) struct SetCors {
    #[command(flatten)]
    which: Which,
    /// A JSON file with all its rules, in our names or in AWS's
    #[arg(required_unless_present_any = ["allow_origin", "none"])]
    file: Option<PathBuf>,
    /// One rule instead: let pages of this origin read and write; repeatable
    #[arg(long, value_name = "ORIGIN", conflicts_with = "file")]
    allow_origin: Vec<storm_protocol::ident::CorsOrigin>,
    /// With --allow-origin: only let them read
    #[arg(long, requires = "allow_origin")]
    read_only: bool,
    /// No rule: no page may use it from a browser
    #[arg(long, conflicts_with_all = ["file", "allow_origin"])]
    none: bool,
}

/// A question about CORS.
#[derive(Debug, Args)]
pub(crate) struct CheckCors {
    #[command(flatten)]
    which: Which,
    /// The page's origin, such as https://example.org
    origin: String,
    /// The method: GET, PUT, POST, DELETE or HEAD
    #[arg(default_value = "GET", value_parser = parse_method)]
    method: CorsMethod,
    /// A header that the page sets; repeatable
    #[arg(long = "header", value_name = "NAME")]
    headers: Vec<String>,
}

/// Lifecycle rules.
#[derive(Debug, Args)]
pub(crate) struct SetLifecycle {
    #[command(flatten)]
    which: Which,
    /// A JSON file with all its rules, in our names or in AWS's
    #[arg(required_unless_present_any = ["expire_after", "abort_uploads_after", "none"])]
    file: Option<PathBuf>,
    /// Delete objects this many days after they were written
    #[arg(long, value_name = "DAYS", conflicts_with = "file", value_parser = parse_days)]
    expire_after: Option<u32>,
    /// With --expire-after: only objects whose key begins so
    #[arg(long, requires = "expire_after")]
    prefix: Option<storm_protocol::ident::ObjectPrefix>,
    /// Remove unfinished uploads this many days after they began
    #[arg(long, value_name = "DAYS", conflicts_with = "file", value_parser = parse_days)]
    abort_uploads_after: Option<u32>,
    /// No rule: it deletes nothing by itself
    #[arg(long, conflicts_with_all = ["file", "expire_after", "abort_uploads_after"])]
    none: bool,
}

/// A website.
#[derive(Debug, Args)]
pub(crate) struct SetWebsite {
    #[command(flatten)]
    which: Which,
    /// The object that stands for a folder
    #[arg(long, value_name = "NAME", default_value = "index.html")]
    index: DocumentName,
    /// The object that is shown when there is none of the name that was asked for
    #[arg(long, value_name = "KEY")]
    error: Option<ObjectKey>,
    /// Stop showing it
    #[arg(long, conflicts_with = "error")]
    off: bool,
}

/// A name of a bucket.
#[derive(Debug, Args)]
pub(crate) struct Alias {
    #[command(flatten)]
    which: Which,
    /// The name
    alias: BucketName,
}

/// Unfinished uploads.
#[derive(Debug, Args)]
pub(crate) struct CleanupUploads {
    #[command(flatten)]
    which: Which,
    /// Only those that began longer ago: 7d, 12h, 0s for all
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = units::parse_duration, allow_hyphen_values = true)]
    older_than: u32,
}

fn parse_method(text: &str) -> Result<CorsMethod, String> {
    let method = serde_json::from_value(text.to_ascii_uppercase().into());
    method.map_err(|_| "expected GET, PUT, POST, DELETE or HEAD".to_owned())
}

/// Days, plain or as `30d`.
fn parse_days(text: &str) -> Result<u32, String> {
    let days = text.strip_suffix('d').unwrap_or(text).parse().ok();
    days.filter(|days| (1..=storm_protocol::rules::MAX_RULE_DAYS).contains(days))
        .ok_or_else(|| "expected 1 to 3650 days, such as 30d".to_owned())
}

pub(crate) async fn set_cors(session: &Session, args: SetCors) -> Result<()> {
    let rules = match (&args.file, args.none) {
        (Some(file), _) => rules_file::read_cors(file)?,
        (None, true) => vec![],
        (None, false) => {
            let methods = if args.read_only {
                vec![CorsMethod::Get, CorsMethod::Head]
            } else {
                use CorsMethod::{Delete, Get, Head, Post, Put};
                vec![Get, Head, Put, Post, Delete]
            };
            let rule = serde_json::json!({
                "allowed_origins": args.allow_origin, "allowed_methods": methods,
                "allowed_headers": ["*"], "expose_headers": ["etag"], "max_age_seconds": 3600,
            });
            vec![serde_json::from_value(rule)?]
        }
    };
    let bucket = args.which.find(session).await?;
    let words = match rules.len() {
        0 => format!("No page may use bucket {} from a browser.", name(&bucket)),
        count => format!("Bucket {} has {count} CORS rules now.", name(&bucket)),
    };
    let asked = BucketAsked::BucketSetCors {
        bucket: bucket.id,
        request: SetCorsRequest { rules },
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn check_cors(session: &Session, args: CheckCors) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let question = CheckCorsRequest {
        origin: args.origin,
        method: args.method,
        headers: args.headers,
    };
    let body = serde_json::to_value(question)?;
    let path = format!("/buckets/{}/cors/check", bucket.id);
    let call = Call {
        method: Method::POST,
        path: &path,
        body: Some(&body),
        idempotency_key: None,
    };
    let verdict: CorsVerdict = session.api.json(&call).await?;
    session.show(&verdict, || {
        let word = if verdict.allowed { "Yes" } else { "No" };
        output::line(&format!("{word}. {}", verdict.why))
    })?;
    if verdict.allowed {
        return Ok(());
    }
    Err(fault(
        Exit::Failed,
        "not_allowed",
        "The page may not.".to_owned(),
    ))
}

pub(crate) async fn set_lifecycle(session: &Session, args: SetLifecycle) -> Result<()> {
    let rules = match (&args.file, args.none) {
        (Some(file), _) => rules_file::read_lifecycle(file)?,
        (None, true) => vec![],
        (None, false) => {
            let none = LifecycleRule {
                id: None,
                enabled: true,
                prefix: None,
                size_greater_than: None,
                size_less_than: None,
                expire_after_days: None,
                expire_on: None,
                abort_uploads_after_days: None,
            };
            let expire = args.expire_after.map(|days| LifecycleRule {
                prefix: args.prefix.clone(),
                expire_after_days: Some(days),
                ..none.clone()
            });
            let abort = args.abort_uploads_after.map(|days| LifecycleRule {
                abort_uploads_after_days: Some(days),
                ..none.clone()
            });
            expire.into_iter().chain(abort).collect()
        }
    };
    let bucket = args.which.find(session).await?;
    let words = match rules.len() {
        0 => format!("Bucket {} deletes nothing by itself.", name(&bucket)),
        count => format!("Bucket {} has {count} lifecycle rules now.", name(&bucket)),
    };
    let asked = BucketAsked::BucketSetLifecycle {
        bucket: bucket.id,
        request: SetLifecycleRequest { rules },
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn set_website(session: &Session, args: SetWebsite) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let website = (!args.off).then_some(Website {
        index_document: args.index,
        error_document: args.error,
    });
    let words = match &website {
        None => format!("Bucket {} is not shown as a website.", name(&bucket)),
        Some(_) => format!(
            "Bucket {} is shown as a website{}.",
            name(&bucket),
            place(session, &bucket).await
        ),
    };
    let asked = BucketAsked::BucketSetWebsite {
        bucket: bucket.id,
        request: SetWebsiteRequest { website },
    };
    change::make(session, asked).await?.say(session, &words)
}

/// Where a bucket's website is, when its region says so.
async fn place(session: &Session, bucket: &Bucket) -> String {
    let region = session.region(Some(&bucket.region), "--region").await.ok();
    let domain = region.and_then(|region| region.website_domain);
    match (domain, &bucket.name) {
        (Some(domain), Some(name)) => format!(" at {name}.{domain}"),
        _ => String::new(),
    }
}

pub(crate) async fn add_alias(session: &Session, args: Alias) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let words = format!("Bucket {} is called {} too.", name(&bucket), args.alias);
    let asked = BucketAsked::BucketAddAlias {
        bucket: bucket.id,
        name: args.alias,
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn remove_alias(context: &Context, session: &Session, args: Alias) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let what = format!(
        "Bucket {} will not be called {} any more; whoever uses that name loses access.",
        bucket.id, args.alias
    );
    context.confirm(&what, args.alias.as_str())?;
    let words = format!("The bucket is not called {} any more.", args.alias);
    let asked = BucketAsked::BucketRemoveAlias {
        bucket: bucket.id,
        name: args.alias,
    };
    change::make(session, asked).await?.say(session, &words)
}

pub(crate) async fn cleanup_uploads(
    context: &Context,
    session: &Session,
    args: CleanupUploads,
) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let name = name(&bucket);
    if args.older_than == 0 {
        let what = format!("Uploads into bucket {name} that are under way now will be broken off.");
        context.confirm(&what, &name)?;
    }
    let asked = BucketAsked::BucketCleanupUploads {
        bucket: bucket.id,
        request: CleanupUploadsRequest {
            older_than_seconds: u64::from(args.older_than),
        },
    };
    let done = change::make(session, asked).await?;
    let count = match &done.proof.result {
        CommandResult::BucketCleanupUploads(cleaned) => cleaned.uploads,
        _ => 0,
    };
    let words = format!(
        "{} unfinished uploads of bucket {name} are removed.",
        units::count(count)
    );
    done.say(session, &words)
}
