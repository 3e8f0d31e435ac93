//! What the jobs on objects share: a key of their own that lives no longer than they, requests to S3
//! until they are answered, and what of them stands in the journal.
//!
//! The key's id is derived from operation and try like every other. Its secret is in memory alone, so
//! a new process deletes the key of the try that the journal names and takes the next one. What a kill
//! leaves for good ends by itself within a day.

use std::time::Duration;

use storm_protocol::{
    command::Resource,
    error::Failure,
    ident::{AccessKeyId, BucketId, KeyLabel, key_name},
};
use tokio::time::Instant;

use super::{Stop, in_whole_millis, new_key};
use crate::{
    engine::{Backoff, JobGate, Run},
    garage::{AdminRequest, BucketInfo, KeyUpdate, Rights},
    journal::{JobState, Owned, OwnerChange},
    s3::{Page, S3Bucket, S3Error},
    secret::new_secret,
};

/// Seconds after which a job's key ends by itself.
const KEY_LIVES_SECONDS: i64 = 24 * 3600;
/// Seconds after which the key of a job that still runs gets another such time.
const RENEW_SECONDS: u64 = 12 * 3600;
/// Seconds in which a new key may still be unknown to S3.
const KEY_SETTLES_SECONDS: u64 = 30;
/// Seconds for which a job goes on asking an S3 that does not answer.
const SILENT_SECONDS: u64 = 120;
/// Seconds between two writings of how far a job is.
const WRITE_SECONDS: u64 = 2;
/// The label of its key.
const LABEL: &str = "storm job";

/// A job on a bucket's objects that is ready to work.
pub(super) struct Job {
    requests: Requests,
    key: AccessKeyId,
    renewed: Instant,
    written: Instant,
}

/// A job's requests to S3, each sent until it is answered. Cheap to clone.
#[derive(Clone)]
pub(super) struct Requests {
    s3: S3Bucket,
    gate: JobGate,
    granted: Instant,
}

impl Job {
    /// Counts the bucket, and makes the job's key with the right to read it, and to `write`. After a
    /// restart it goes on where the journal says.
    pub(super) async fn open(run: &mut Run, bucket: BucketId, write: bool) -> Result<Self, Stop> {
        let gate = run.job_gate();
        gate.pass().await?;
        let Some(s3) = run.inner.s3.clone() else {
            let words = "This agent is not told where S3 is any more.".to_owned();
            return Err(Stop::failed(Failure::JobBroken, words));
        };
        if run.may_be_begun() {
            still_ours(run, bucket).await?;
        }
        take_up(run, bucket).await?;
        let secret = new_secret();
        let key = loop {
            run.write_job().await?;
            run.tell_job();
            let key = key_of(run);
            let name = key_name(run.account(), &label()?);
            let request = AdminRequest::import_key(&key, &secret, &name);
            let answer = run.change(request).await?;
            match answer.result {
                Ok(_) => break key,
                // The earlier sending of the same call did it.
                Err(no) if no.is("KeyAlreadyExists") && answer.repeated => break key,
                // Somebody else's doing, or ours from before a journal was lost: with another secret.
                Err(no) if no.is("KeyAlreadyExists") => {
                    new_key::delete(run, &key).await?;
                    state(run).key_try += 1;
                }
                Err(no) => return Err(Stop::from(&no)),
            }
        };
        set_end(run, &key).await?;
        let rights = Rights {
            read: true,
            write,
            owner: false,
        };
        run.must(AdminRequest::allow(bucket, key.as_str(), rights))
            .await?;
        let s3 = s3
            .bucket(bucket, &key, &secret)
            .map_err(|error| broken(&error))?;
        let now = Instant::now();
        Ok(Self {
            requests: Requests {
                s3,
                gate,
                granted: now,
            },
            key,
            renewed: now,
            written: now,
        })
    }

    /// Its requests.
    pub(super) const fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Takes in that it is further, and writes that down now and then.
    pub(super) async fn further(
        &mut self,
        run: &mut Run,
        change: impl FnOnce(&mut JobState),
    ) -> Result<(), Stop> {
        change(state(run));
        run.tell_job();
        if self.written.elapsed() >= Duration::from_secs(WRITE_SECONDS) {
            run.write_job().await?;
            self.written = Instant::now();
        }
        if self.renewed.elapsed() >= Duration::from_secs(RENEW_SECONDS) {
            set_end(run, &self.key).await?;
            self.renewed = Instant::now();
        }
        Ok(())
    }
}

/// Ends a job's work: its keys go, unless the next process is to go on.
pub(super) async fn close<T>(run: &mut Run, ended: Result<T, Stop>) -> Result<T, Stop> {
    let ended = ended.and_then(|result| run.finish_job().map(|()| result));
    if run.entry.job.is_none() {
        return ended;
    }
    if let Err(Stop::Halted) = &ended {
        // What is done since the last writing need not be done, and counted, again.
        run.write_job().await?;
        return ended;
    }
    // A cut ImportKey of an earlier try may have come through late.
    for number in 0..=state(run).key_try {
        let key = AccessKeyId::derive(run.entry.operation, number);
        match new_key::delete(run, &key).await {
            Ok(()) => {}
            Err(Stop::Halted) => return Err(Stop::Halted),
            Err(Stop::Failed { message, .. }) => {
                // It ends by itself; what the job did is to be told all the same.
                tracing::error!(%key, message, "a job's key could not be deleted");
            }
        }
        run.owners.push(OwnerChange::Gone(Owned::Key(key)));
    }
    ended
}

/// How far the job is.
pub(super) fn state(run: &mut Run) -> &mut JobState {
    run.entry.job.get_or_insert_default()
}

impl Requests {
    /// A page of the bucket's objects.
    pub(super) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page, Stop> {
        let mut tries = self.tries();
        loop {
            tries.pass().await?;
            match self.s3.list(prefix, after, most).await {
                Ok(page) => return Ok(page),
                Err(error) => tries.failed(error).await?,
            }
        }
    }

    /// The tries of a deletion, made with [`Requests::s3`].
    pub(super) fn tries(&self) -> Tries<'_> {
        Tries {
            requests: self,
            silent_since: None,
            backoff: Backoff::default(),
        }
    }

    /// S3 itself; each request is to pass [`Tries`].
    pub(super) const fn s3(&self) -> &S3Bucket {
        &self.s3
    }
}

/// The tries of one request. All of ours may be sent again.
pub(super) struct Tries<'a> {
    requests: &'a Requests,
    /// Since when nothing is answered, though it is asked all the time.
    silent_since: Option<Instant>,
    backoff: Backoff,
}

impl Tries<'_> {
    /// Lets the next try start; tells whether that had to wait for the hub.
    pub(super) async fn pass(&mut self) -> Result<bool, Stop> {
        let waited = self.requests.gate.pass().await?;
        if waited {
            // Nobody asked meanwhile.
            self.silent_since = None;
        }
        Ok(waited)
    }

    /// It was answered: what is asked next has its own time.
    pub(super) fn answered(&mut self) {
        self.silent_since = None;
        self.backoff = Backoff::default();
    }

    /// Waits before the next try, or ends the job when another is of no use.
    pub(super) async fn failed(&mut self, error: S3Error) -> Result<(), Stop> {
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        let patient = match &error {
            S3Error::Denied(_) => within(self.requests.granted, KEY_SETTLES_SECONDS),
            S3Error::Unclear(_) => within(since, SILENT_SECONDS),
            S3Error::Refused { code, .. } if code == "NoSuchBucket" => {
                return Err(Stop::because(Failure::NoSuchBucket));
            }
            S3Error::Refused { .. } => false,
        };
        if !patient {
            return Err(broken(&error));
        }
        tracing::warn!(%error, "waiting for S3");
        self.requests.gate.pause(self.backoff.next()).await
    }
}

/// What an earlier process has taken goes on only while the bucket is its account's: it may have
/// waited behind the command that gave the bucket away, and a job has nothing that stands half-way.
async fn still_ours(run: &Run, bucket: BucketId) -> Result<(), Stop> {
    let things = [Resource::Bucket(bucket)];
    let mut backoff = Backoff::default();
    loop {
        match run.inner.still_owns(&things, &run.entry.actor, None).await {
            Ok(()) => return Ok(()),
            Err(Failure::GarageUnavailable) => run.pause(backoff.next()).await?,
            Err(failure) => return Err(Stop::because(failure)),
        }
    }
}

/// Reads what there is to do; of a job that an earlier process began, deletes the key whose secret
/// went with it.
async fn take_up(run: &mut Run, bucket: BucketId) -> Result<(), Stop> {
    if run.entry.job.is_some() {
        let key = key_of(run);
        new_key::delete(run, &key).await?;
        state(run).key_try += 1;
        return Ok(());
    }
    let found: Option<BucketInfo> = run.find(AdminRequest::bucket(bucket)).await?;
    let found = found.ok_or_else(|| Stop::because(Failure::NoSuchBucket))?;
    *state(run) = JobState {
        total_objects: Some(found.objects),
        total_bytes: Some(found.bytes),
        ..JobState::default()
    };
    Ok(())
}

fn key_of(run: &mut Run) -> AccessKeyId {
    let number = state(run).key_try;
    AccessKeyId::derive(run.entry.operation, number)
}

/// Gives the key an end: before its first right, so that none is without.
async fn set_end(run: &mut Run, key: &AccessKeyId) -> Result<(), Stop> {
    let ends = in_whole_millis(run.inner.now().plus_seconds(KEY_LIVES_SECONDS));
    let update = KeyUpdate {
        ends: Some(Some(ends)),
        ..KeyUpdate::default()
    };
    run.must(AdminRequest::update_key(key, &update)).await?;
    Ok(())
}

fn label() -> Result<KeyLabel, Stop> {
    let label = LABEL.parse();
    label.map_err(|_| Stop::failed(Failure::JobBroken, format!("{LABEL} is no label")))
}

fn within(since: Instant, seconds: u64) -> bool {
    since.elapsed() < Duration::from_secs(seconds)
}

fn broken(error: &S3Error) -> Stop {
    Stop::failed(Failure::JobBroken, error.to_string())
}
