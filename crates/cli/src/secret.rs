//! A new key's secret, from the one-time key to the person's hands: kept request, proof, unsealing,
//! delivery, and only then the acknowledgement that lets the server drop the sealed form.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use storm_protocol::{
    api::{Bucket, Region},
    command::CommandResult,
    ident::{AccessKeyId, BucketId, BucketName, KeyLabel, Micros, OperationId, RegionName},
    seal::{SealContext, SealKey},
};

use crate::{
    asked::{Asked, BucketAsked, KeyAsked},
    change::{self, Done},
    client::Call,
    errors::{ApiError, Exit, Fault, fault, is_operation_code},
    files,
    follow::{self, Patience},
    output,
    output::Waiting,
    pending::Pending,
    profile::{Access, SaveFormat, Saved},
    session::Session,
    units,
    verify::VerifyError,
};

/// Where a new secret goes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Delivery {
    /// Save the secret as a section of FILE (mode 0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    pub(crate) save_to: Option<PathBuf>,
    /// The form of FILE [default: aws for files called config or credentials, else rclone]
    #[arg(long, value_name = "FORMAT", requires = "save_to")]
    format: Option<SaveFormat>,
    /// The section's name in FILE [default: storm-BUCKET]
    #[arg(long, value_name = "NAME", requires = "save_to")]
    profile: Option<String>,
}

/// A key with its secret, once.
pub(crate) struct NewKey {
    id: AccessKeyId,
    secret: SecretString,
    label: Option<KeyLabel>,
    bucket: Option<(BucketId, Option<BucketName>)>,
    region: Region,
    expires_at: Option<Micros>,
    /// The key that this one replaces, and when that one ends; it is gone without an end.
    previous: Option<(AccessKeyId, Option<Micros>)>,
}

/// What `--json` prints. `endpoint` and `region` are what S3 clients want.
#[derive(Serialize)]
struct NewKeyJson<'a> {
    operation: OperationId,
    bucket: Option<&'a BucketName>,
    bucket_id: Option<BucketId>,
    access_key_id: &'a AccessKeyId,
    /// Absent when it was saved to a file.
    secret_access_key: Option<&'a str>,
    endpoint: &'a str,
    region: &'a str,
    storm_region: &'a RegionName,
    label: Option<&'a KeyLabel>,
    expires_at: Option<Micros>,
    previous: Option<&'a AccessKeyId>,
    previous_expires_at: Option<Micros>,
    saved_to: Option<String>,
    profile: Option<String>,
}

/// Asks for a key: the request is kept before it is sent, and seen to its end. `asked` makes it from
/// the one-time key's public half. Where the secret goes is checked first, so that nothing is left
/// to be finished when it could not be saved.
pub(crate) async fn ask<A: Into<Asked>>(
    session: &Session,
    delivery: &Delivery,
    asked: impl FnOnce(SealKey) -> A,
) -> Result<()> {
    delivery.check()?;
    let asked = |seal_key| asked(seal_key).into();
    let pending = Pending::begin(&session.dir, session.config.root_key, asked)?;
    finish(session, pending, delivery, Patience::Usual).await
}

/// Sees a kept request to its end: sends it (again), waits, proves, unseals, delivers, acknowledges
/// and forgets it.
pub(crate) async fn finish(
    session: &Session,
    mut pending: Pending,
    delivery: &Delivery,
    patience: Patience,
) -> Result<()> {
    if pending.root_key != session.config.root_key {
        let text = "This request was sent to another installation than you are signed in to. Name \
                    its configuration with --config.";
        return Err(fault(Exit::Usage, "other_server", text));
    }
    delivery.check()?;
    if pending.resumed {
        let since = units::when(crate::clock::now(), pending.made_at);
        output::note(&format!("Going on with the request of {since}."));
    }
    let done = match obtain(session, &mut pending, patience).await {
        Ok(done) => done,
        Err(error) => {
            if made_nothing(&error, pending.operation.is_some()) {
                pending.forget()?;
            } else if pending.operation.is_none() || !is_unfinished(&error) {
                say_kept(&pending);
            }
            return Err(error);
        }
    };
    let key = unseal(session, &pending, &done).await?;
    key.deliver(session, &pending.asked, &done, delivery)
        .inspect_err(|_| say_kept(&pending))?;
    if let Err(error) = acknowledge(session, done.answer.operation.id).await {
        output::note(&format!(
            "The server was not told that you hold the secret ({error:#}); it drops the sealed form \
             within 24 hours by itself."
        ));
    }
    pending.forget()
}

fn say_kept(pending: &Pending) {
    output::note(&format!(
        "The request is kept. Go on with it: storm op resume {}",
        pending.id
    ));
}

async fn obtain(session: &Session, pending: &mut Pending, patience: Patience) -> Result<Done> {
    let waiting = Waiting::new(&change::title(&pending.asked));
    let answer = match pending.operation {
        Some(operation) => change::get(session, operation).await?,
        None => change::request(session, &pending.asked, &pending.id).await?,
    };
    pending.learn(answer.operation.id)?;
    let answer = follow::to_its_end(session, answer, patience, &waiting).await?;
    change::prove(session, answer, &pending.asked).await
}

/// Whether the request surely made nothing, so that there is no secret to wait for. Once the server
/// has made an operation of it, only the operation's own end says so.
fn made_nothing(error: &anyhow::Error, has_operation: bool) -> bool {
    if let Some(error) = error.downcast_ref::<ApiError>() {
        return error.is_operation_end() || (!has_operation && error.is_final());
    }
    error
        .downcast_ref::<Fault>()
        .is_some_and(|fault| is_operation_code(fault.code))
}

/// Whether the error itself says how to go on with the operation.
fn is_unfinished(error: &anyhow::Error) -> bool {
    let fault = error.downcast_ref::<Fault>();
    fault.is_some_and(|fault| fault.exit == Exit::Unfinished)
}

async fn unseal(session: &Session, pending: &Pending, done: &Done) -> Result<NewKey> {
    let (receipt, answer) = (&done.proof.receipt, &done.answer);
    let Some(id) = done.proof.key.clone() else {
        return Err(VerifyError::Mismatch("there is no key").into());
    };
    let Some(sealed) = &answer.sealed else {
        let text = format!(
            "Key {id} was made, but the server no longer keeps its sealed secret: it was fetched \
             before, or 24 hours have passed. Replace the key with: storm key rotate {id} --grace 0s \
             and forget this request with: storm op resume --forget {}",
            pending.id
        );
        return Err(fault(Exit::Failed, "secret_gone", text));
    };
    let context = SealContext {
        operation: receipt.operation,
        account: receipt.account,
        region: &receipt.region,
        agent: receipt.agent,
        key: &id,
    };
    let secret = sealed
        .open(&pending.open_key, &context)
        .map_err(|error| VerifyError::Secret(error.to_string()))?;
    // It goes into other tools' files and onto the screen.
    let plain = secret
        .expose_secret()
        .bytes()
        .all(|b| b.is_ascii_alphanumeric());
    if !plain || secret.expose_secret().is_empty() {
        let text = "what it holds is no S3 secret".to_owned();
        return Err(VerifyError::Secret(text).into());
    }
    let region = session.region(Some(&receipt.region), "--region").await?;
    NewKey::new(session, pending, done, id, secret, region).await
}

async fn acknowledge(session: &Session, operation: OperationId) -> Result<(), ApiError> {
    let path = format!("/operations/{operation}/acknowledge");
    let key = format!("acknowledge-{operation}");
    let call = Call {
        method: Method::POST,
        path: &path,
        body: None,
        // Acknowledging twice is the same as once.
        idempotency_key: Some(&key),
    };
    session.api.send(&call).await.map(|_| ())
}

impl Delivery {
    /// Fails before the request when the secret could not be saved after it.
    fn check(&self) -> Result<()> {
        let Some(path) = &self.save_to else {
            return Ok(());
        };
        files::check_can_write(path)?;
        if let Some(name) = &self.profile {
            crate::profile::check_name(name)?;
        }
        crate::profile::check_file(path, self.save_format(path))
    }

    fn save_format(&self, path: &std::path::Path) -> SaveFormat {
        self.format.unwrap_or_else(|| SaveFormat::of_file(path))
    }

    fn save(&self, access: &Access) -> Result<Option<Saved>> {
        let Some(path) = &self.save_to else {
            return Ok(None);
        };
        access.save(path, self.save_format(path)).map(Some)
    }
}

impl NewKey {
    async fn new(
        session: &Session,
        pending: &Pending,
        done: &Done,
        id: AccessKeyId,
        secret: SecretString,
        region: Region,
    ) -> Result<Self> {
        let mut key = Self {
            id,
            secret,
            label: None,
            bucket: None,
            region,
            expires_at: None,
            previous: None,
        };
        match (&pending.asked, &done.proof.result) {
            (
                Asked::Bucket(BucketAsked::BucketCreate { request }),
                CommandResult::BucketCreate(made),
            ) => {
                key.label.clone_from(&request.key);
                key.bucket = Some((made.bucket, Some(made.name.clone())));
            }
            (Asked::Key(KeyAsked::KeyCreate { request }), _) => {
                key.label = Some(request.label.clone());
                key.expires_at = request.expires_at;
                if let [grant] = request.grants.as_slice() {
                    key.bucket = Some((grant.bucket, name_of(session, grant.bucket).await));
                }
            }
            (
                Asked::Key(KeyAsked::KeyCreateTemporary { request }),
                CommandResult::KeyCreateTemporary(made),
            ) => {
                key.expires_at = Some(made.expires_at);
                key.bucket = Some((request.bucket, name_of(session, request.bucket).await));
            }
            (Asked::Key(KeyAsked::KeyRotate { request, .. }), CommandResult::KeyRotate(made)) => {
                key.take_over(request.label.as_ref(), done);
                key.previous = Some((made.previous.clone(), Some(made.previous_expires_at)));
                if let [grant] = made.grants.as_slice() {
                    key.bucket = Some((grant.bucket, name_of(session, grant.bucket).await));
                }
            }
            (
                Asked::Key(KeyAsked::KeyRevokeLeaked { request, .. }),
                CommandResult::KeyRevokeLeaked(made),
            ) => {
                key.take_over(request.label.as_ref(), done);
                key.previous = Some((made.previous.clone(), None));
                if let [grant] = made.grants.as_slice() {
                    key.bucket = Some((grant.bucket, name_of(session, grant.bucket).await));
                }
            }
            _ => return Err(VerifyError::Mismatch("there is no key").into()),
        }
        Ok(key)
    }

    /// What it takes over from the key in whose place it is, the server knows.
    fn take_over(&mut self, label: Option<&KeyLabel>, done: &Done) {
        let shown = done.answer.key.as_ref();
        let kept = || shown.map(|shown| shown.label.clone());
        self.label = label.cloned().or_else(kept);
        self.expires_at = shown.and_then(|shown| shown.expires_at);
    }

    fn access(&self, profile: Option<&str>) -> Result<Access> {
        let bucket = self.bucket.as_ref().and_then(|(_, name)| name.clone());
        let default = match (&bucket, &self.label) {
            (Some(bucket), _) => bucket.to_string(),
            (None, Some(label)) => label.to_string(),
            (None, None) => self.id.to_string(),
        };
        Access::new(
            &self.region,
            bucket,
            self.id.clone(),
            Some(self.secret.clone()),
            profile,
            &default,
        )
    }

    /// Gives the secret to the person: into the file, or onto the screen.
    fn deliver(
        &self,
        session: &Session,
        asked: &Asked,
        done: &Done,
        delivery: &Delivery,
    ) -> Result<()> {
        let access = self.access(delivery.profile.as_deref())?;
        let saved = delivery.save(&access)?;
        if session.json {
            return self.print_json(done, saved.as_ref());
        }
        let name = self.bucket.as_ref().and_then(|(_, name)| name.as_ref());
        match (&done.answer.operation.command[..], name) {
            ("bucket.create", Some(name)) => output::line(&format!(
                "Bucket {name} is ready in region {}.",
                self.region.name
            ))?,
            _ => output::line(&format!("Key {} is ready.", self.id))?,
        }
        output::note(&done.proven());
        output::line("")?;
        let mut facts = vec![
            ("Access key id", self.id.to_string()),
            ("Endpoint", self.region.s3_endpoint.clone()),
            ("S3 region", self.region.s3_region.clone()),
        ];
        if let Some((previous, ends)) = &self.previous {
            let ends = ends.map(units::instant).map_or_else(
                || "is gone".to_owned(),
                |instant| format!("ends at {instant}"),
            );
            facts.push(("Replaces", format!("{previous}, which {ends}")));
        }
        if let Some(ends) = self.expires_at {
            facts.push(("Ends", units::instant(ends)));
        }
        match &saved {
            Some(saved) => facts.push(("Secret", format!("saved to {}", saved.place()))),
            None => facts.insert(1, ("Secret", self.secret.expose_secret().to_owned())),
        }
        output::facts(&facts)?;
        if saved.is_none() {
            output::line("\nTake the secret now. It is shown once.")?;
        }
        if let (Asked::Key(KeyAsked::KeyCreate { request }), true) = (asked, self.bucket.is_none())
            && request.grants.is_empty()
        {
            return output::line(&format!(
                "\nIt has no right on any bucket yet. Give it some: storm grant set {} BUCKET --read --write",
                self.id
            ));
        }
        output::line("\nUse it:")?;
        output::line(&access.commands(saved.as_ref()))
    }

    fn print_json(&self, done: &Done, saved: Option<&Saved>) -> Result<()> {
        let secret = saved.is_none().then(|| self.secret.expose_secret());
        output::json(&NewKeyJson {
            operation: done.answer.operation.id,
            bucket: self.bucket.as_ref().and_then(|(_, name)| name.as_ref()),
            bucket_id: self.bucket.as_ref().map(|(id, _)| *id),
            access_key_id: &self.id,
            secret_access_key: secret,
            endpoint: &self.region.s3_endpoint,
            region: &self.region.s3_region,
            storm_region: &self.region.name,
            label: self.label.as_ref(),
            expires_at: self.expires_at,
            previous: self.previous.as_ref().map(|(key, _)| key),
            previous_expires_at: self.previous.as_ref().and_then(|(_, ends)| *ends),
            saved_to: saved.map(|saved| saved.file().display().to_string()),
            profile: saved.map(|saved| saved.profile().to_owned()),
        })
    }
}

/// The bucket's name, for people; the secret must not wait for it.
async fn name_of(session: &Session, bucket: BucketId) -> Option<BucketName> {
    let bucket: Result<Bucket, _> = session.api.get(&format!("/buckets/{bucket}")).await;
    bucket.ok()?.name
}
