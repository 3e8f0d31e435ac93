//! `storm env`: a bucket's configuration for an S3 tool.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use storm_protocol::{
    api::{Bucket, Grant, GrantPage},
    ident::{AccessKeyId, RegionName},
};

use crate::{
    bucket,
    errors::{Exit, fault, usage},
    output,
    profile::{self, Access, Format, SaveFormat},
    session::{BucketRef, Context, KeyRef, Session},
    tools::{self, SECRET_VARIABLE},
};

/// What `storm env` takes.
#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    /// The bucket's name or id
    bucket: BucketRef,
    /// The tool
    #[arg(long)]
    format: Format,
    /// The key's id or label [default: the one that has rights on the bucket]
    #[arg(long)]
    key: Option<KeyRef>,
    /// A file (mode 0600) with the secret, as --save-to writes it
    #[arg(long, value_name = "FILE")]
    profile_file: Option<PathBuf>,
    /// The profile's or remote's name [default: storm-BUCKET]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Save as a section of FILE (mode 0600; rclone and aws) instead of printing
    #[arg(long, value_name = "FILE", requires = "profile_file")]
    save_to: Option<PathBuf>,
    /// The bucket's region, when the name is in several
    #[arg(long)]
    region: Option<RegionName>,
}

/// Prints or saves the configuration.
pub(crate) async fn run(context: &Context, args: EnvArgs) -> Result<()> {
    let save_format = match (args.save_to.is_some(), args.format) {
        (false, _) | (true, Format::Rclone) => SaveFormat::Rclone,
        (true, Format::Aws) => SaveFormat::Aws,
        (true, Format::S3cmd | Format::Restic | Format::Boto3 | Format::Terraform) => {
            return Err(usage(
                "--save-to adds a section to a file of rclone or aws. For this tool, send the \
                 output to a file of its own.",
            ));
        }
    };
    let session = context.session()?;
    let bucket = session.bucket(&args.bucket, args.region.as_ref()).await?;
    let region = session.region(Some(&bucket.region), "--region").await?;
    let key = key(&session, &bucket, &args).await?;
    let secret = match &args.profile_file {
        None => None,
        Some(path) => match profile::find_secret(path, &key)? {
            Some(secret) => Some(secret),
            None => {
                let text = format!("{} does not hold the secret of key {key}.", path.display());
                return Err(fault(Exit::NotFound, "no_such_secret", text));
            }
        },
    };
    let unknown = secret.is_none();
    let name = bucket::name(&bucket);
    let access = Access::new(
        &region,
        bucket.name.clone(),
        key,
        secret,
        args.profile.as_deref(),
        &name,
    )?;
    if let Some(path) = &args.save_to {
        let saved = access.save(path, save_format)?;
        output::note(&format!("Saved to {}. Use it:", saved.place()));
        return output::line(&access.commands(Some(&saved)));
    }
    let text = tools::render(&access, args.format);
    if session.json {
        output::json(&json!({
            "bucket": bucket.name, "access_key_id": access.key, "endpoint": access.endpoint(),
            "region": access.region, "text": text,
        }))?;
    } else {
        output::line(text.trim_end())?;
    }
    if unknown {
        output::note(&format!(
            "The secret of key {} is known to you alone. Put it where {SECRET_VARIABLE} stands, or \
             name the file that holds it with --profile-file.",
            access.key
        ));
    }
    Ok(())
}

/// The key that was named, or the only one with rights on the bucket, or the only one of these in
/// the file.
async fn key(session: &Session, bucket: &Bucket, args: &EnvArgs) -> Result<AccessKeyId> {
    if let Some(key) = &args.key {
        return Ok(session.key(key, Some(&bucket.region)).await?.id);
    }
    let path = format!("/buckets/{}/grants", bucket.id);
    let mut grants = session.api.list::<GrantPage>(&path, &[]).await?;
    grants.retain(|grant| grant.read || grant.write);
    if let Some(path) = &args.profile_file {
        let mut held = Vec::new();
        for grant in grants {
            if profile::find_secret(path, &grant.key)?.is_some() {
                held.push(grant);
            }
        }
        grants = held;
    }
    match grants.as_slice() {
        [only] => Ok(only.key.clone()),
        [] if args.profile_file.is_some() => Err(fault(
            Exit::NotFound,
            "no_such_secret",
            "The file holds no secret of a key that may use this bucket.",
        )),
        [] => {
            let name = bucket::name(bucket);
            let text = format!(
                "No key may use bucket {name}. Make one: storm key create LABEL --grant {name}:rw"
            );
            Err(fault(Exit::NotFound, "no_key", text))
        }
        several => {
            let ids: Vec<_> = several.iter().map(named).collect();
            Err(usage(format!(
                "More than one key may use this bucket: {}. Name one with --key.",
                ids.join(", ")
            )))
        }
    }
}

fn named(grant: &Grant) -> String {
    format!("{} ({})", grant.key, grant.label)
}
