//! Asking for a command: the operation is written down, the signer woken, and the request waits for
//! the end as long as it may.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use storm_protocol::{
    api::{Operation, OperationAnswer, OperationStatus, Role, WAIT_SECONDS},
    command::{Class, Command, CommandResult},
    error::{Failure, Refusal},
    ident::{AccessKeyId, BucketId, OperationId, RegionName},
    receipt::Outcome,
    seal::SealKey,
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Duration, Instant},
};

use crate::{
    app::Change,
    auth::{Caller, Gate, Need, access::Denied},
    clock::random,
    error::ApiError,
    routes::limits,
    store::operations::{
        MAX_OPEN_JOBS_PER_ACCOUNT, MAX_OPEN_OPERATIONS_PER_ACCOUNT, NewOperation, Requested,
    },
    web::Json,
};

/// Seconds after which a change that no agent took is given up.
pub(crate) const GIVE_UP_SECONDS: i64 = 600;
/// Seconds after which a question that no agent took is given up: nobody waits for it any more.
const GIVE_UP_READ_SECONDS: i64 = WAIT_SECONDS.cast_signed();
/// Milliseconds between looks at the database, should a wake be lost.
const POLL_MILLISECONDS: u64 = 1000;
/// Seconds to wait for some of too many operations to end.
const TOO_MANY_RETRY_SECONDS: u64 = 5;
/// What is said when as many operations of everybody's wait as may.
const FULL: &str = "So many operations wait here that no more are taken. Nothing was changed, and buckets keep \
                    serving. Try again in some seconds.";
/// The longest idempotency key, in bytes.
const MAX_IDEMPOTENCY_KEY_BYTES: usize = 128;

/// The header `Idempotency-Key`: the same key and request again is the same operation.
pub(crate) struct IdempotencyKey(Option<String>);

impl FromRequestParts<Gate> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Gate) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let bytes = value.as_bytes();
        let sound = (1..=MAX_IDEMPOTENCY_KEY_BYTES).contains(&bytes.len())
            && bytes.iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(text) if sound => Ok(Self(Some(text.to_owned()))),
            _ => Err(ApiError::field(
                "Idempotency-Key",
                format!("expected 1 to {MAX_IDEMPOTENCY_KEY_BYTES} visible ASCII characters"),
            )),
        }
    }
}

impl IdempotencyKey {
    /// What the caller has asked under this key before.
    pub(crate) async fn asked_before<N: Need>(
        &self,
        caller: &Caller<N>,
    ) -> Result<Option<Operation>, ApiError> {
        let Some(key) = &self.0 else { return Ok(None) };
        let actor = caller.actor();
        Ok(caller
            .store()
            .asked_under(actor.account, actor.user, key)
            .await?)
    }

    /// Whether the caller has asked under this key before.
    pub(crate) async fn is_known<N: Need>(&self, caller: &Caller<N>) -> Result<bool, ApiError> {
        let Some(key) = &self.0 else { return Ok(false) };
        let actor = caller.actor();
        Ok(caller
            .store()
            .was_asked(actor.account, actor.user, key)
            .await?)
    }
}

/// What to ask an agent for.
pub(crate) struct Wish {
    /// Where.
    pub(crate) region: RegionName,
    /// What.
    pub(crate) command: Command,
    /// Where a secret of the answer is sealed to.
    pub(crate) seal_to: Option<SealKey>,
}

/// Asks, waits, and answers with what came of it: `done` when it is done, 202 when it has not ended,
/// a problem when it ended otherwise.
pub(crate) async fn ask<N: Need>(
    caller: &Caller<N>,
    key: IdempotencyKey,
    wish: Wish,
    done: StatusCode,
) -> Result<Response, ApiError> {
    let operation = run(caller, key, wish).await?;
    answer(caller, operation, done).await
}

/// Asks for a job, and answers with it at once.
pub(crate) async fn begin<N: Need>(
    caller: &Caller<N>,
    key: IdempotencyKey,
    wish: Wish,
) -> Result<Response, ApiError> {
    check_region(caller, &wish.region).await?;
    let new = new_operation(caller, key, wish).await?;
    let job = new.command.row().job;
    let requested = caller.store().request_operation(new).await?;
    let operation = begun(caller, requested, job)?;
    // It has ended already when the same request came before.
    answer(caller, operation, StatusCode::OK).await
}

/// The answer for an operation that was waited for.
pub(crate) async fn answer<N: Need>(
    caller: &Caller<N>,
    operation: Operation,
    done: StatusCode,
) -> Result<Response, ApiError> {
    let id = operation.id;
    if operation.state == OperationStatus::Done {
        let answer = with_results(caller, operation).await?;
        return Ok((done, Json(answer)).into_response());
    }
    check_end(&operation)?;
    Ok(later(
        id,
        OperationAnswer {
            operation,
            bucket: None,
            key: None,
            sealed: None,
        },
    ))
}

/// Asks and waits; the operation as it is then.
pub(crate) async fn run<N: Need>(
    caller: &Caller<N>,
    key: IdempotencyKey,
    wish: Wish,
) -> Result<Operation, ApiError> {
    check_region(caller, &wish.region).await?;
    // Before the insert: no wake is missed.
    let changes = caller.app().bus.listen();
    let new = new_operation(caller, key, wish).await?;
    let job = new.command.row().job;
    let requested = caller.store().request_operation(new).await?;
    let operation = begun(caller, requested, job)?;
    wait(caller, operation, changes).await
}

/// The operation of a wish, before it is written down.
pub(crate) async fn new_operation<N: Need>(
    caller: &Caller<N>,
    key: IdempotencyKey,
    wish: Wish,
) -> Result<NewOperation, ApiError> {
    if !caller.person.rights().reach_all(&wish.command) {
        return Err(ApiError::forbidden(Denied::Buckets.sentence()));
    }
    let now = caller.now();
    let give_up = match wish.command.row().class {
        Class::Read => GIVE_UP_READ_SECONDS,
        Class::Write | Class::Access | Class::Destructive | Class::Operator => GIVE_UP_SECONDS,
    };
    let (command, asked) = limits::apply(caller, &key, &wish.region, wish.command).await?;
    Ok(NewOperation {
        id: OperationId::new(now, random()),
        actor: caller.actor(),
        origin: caller.origin.clone(),
        region: wish.region,
        command,
        asked,
        seal_to: wish.seal_to,
        token: caller.person.token.as_ref().map(|token| token.id),
        idempotency_key: key.0,
        requested_at: now,
        give_up_at: now.plus_seconds(give_up),
    })
}

/// Wakes who has to do with a request that was written down, and waits; the operation as it is then.
pub(crate) async fn go_on<N: Need>(
    caller: &Caller<N>,
    requested: Requested,
    changes: Receiver<Change>,
) -> Result<Operation, ApiError> {
    let operation = begun(caller, requested, false)?;
    wait(caller, operation, changes).await
}

/// Wakes who has to do with a request that was written down; `job`: it is for one.
fn begun<N: Need>(
    caller: &Caller<N>,
    requested: Requested,
    job: bool,
) -> Result<Operation, ApiError> {
    let app = caller.app();
    match requested {
        Requested::New(operation) => {
            tracing::info!(operation = %operation.id, command = operation.command, "requested");
            app.bus.signer.notify_one();
            app.bus
                .tell(Change::Operation(caller.person.account, operation.id));
            Ok(operation)
        }
        Requested::Same(operation) => Ok(operation),
        Requested::TooMany => Err(ApiError::RateLimited {
            retry_after_seconds: TOO_MANY_RETRY_SECONDS,
            message: too_many(job),
        }),
        Requested::Full => Err(ApiError::Busy {
            retry_after_seconds: TOO_MANY_RETRY_SECONDS,
            message: FULL.to_owned(),
        }),
        Requested::Other => Err(ApiError::refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_conflict",
            "This Idempotency-Key came before with another request. Nothing was changed. Take a new \
             key for a new request.",
        )),
    }
}

fn too_many(job: bool) -> String {
    let or_jobs = if job {
        format!(", or {MAX_OPEN_JOBS_PER_ACCOUNT} jobs,")
    } else {
        String::new()
    };
    format!(
        "The account has {MAX_OPEN_OPERATIONS_PER_ACCOUNT} operations{or_jobs} that have not ended. \
         Nothing was changed. Wait for some to end, or cancel them."
    )
}

/// An error unless the operation is done or may still end well.
pub(crate) fn check_end(operation: &Operation) -> Result<(), ApiError> {
    let (code, message) = match (&operation.state, &operation.outcome) {
        (OperationStatus::Failed, Some(Outcome::Failed { code, message })) => {
            (code.code(), said(code.sentence(), message))
        }
        (OperationStatus::Refused, Some(Outcome::Refused { code, message })) => {
            (code.code(), said(code.sentence(), message))
        }
        (OperationStatus::Failed, _) => ("failed", "The agent could not do it.".to_owned()),
        (OperationStatus::Refused, _) => ("refused", "It was refused.".to_owned()),
        (OperationStatus::Expired, _) => {
            let words = "No agent took it in time. Nothing was changed. Look whether the region's \
                         agent is connected, then ask again.";
            ("expired", words.to_owned())
        }
        (OperationStatus::Cancelled, _) => (
            "cancelled",
            "It was cancelled. Nothing was changed.".to_owned(),
        ),
        (
            OperationStatus::Requested
            | OperationStatus::Signed
            | OperationStatus::Sent
            | OperationStatus::Accepted
            | OperationStatus::Done
            | OperationStatus::Unknown,
            _,
        ) => return Ok(()),
    };
    let message = format!("{message} (operation {})", operation.id);
    Err(ApiError::refused(status_of(code), code, message))
}

/// 202: the operation goes on, and here is where to look.
pub(crate) fn later<T: serde::Serialize>(id: OperationId, body: T) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/operations/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// The operation with the things that it made or changed, and its sealed secret for those who may
/// have it.
pub(crate) async fn with_results<N: Need>(
    caller: &Caller<N>,
    operation: Operation,
) -> Result<OperationAnswer, ApiError> {
    let store = caller.store();
    let account = caller.person.account;
    let (bucket, key) = touched(&operation);
    let may_have = caller.person.role >= Role::Member && operation.actor.account == account;
    // At once: somebody waits for the answer.
    let (bucket, key, sealed) = tokio::try_join!(
        async {
            match bucket {
                Some(id) => store.bucket(account, id).await,
                None => Ok(None),
            }
        },
        async {
            match &key {
                Some(id) => store.key(account, id).await,
                None => Ok(None),
            }
        },
        async {
            match may_have {
                true => store.operation_sealed(operation.id).await,
                false => Ok(None),
            }
        },
    )?;
    Ok(OperationAnswer {
        operation,
        bucket,
        key,
        sealed,
    })
}

async fn check_region<N: Need>(caller: &Caller<N>, name: &RegionName) -> Result<(), ApiError> {
    let region = caller.store().region_to_ask(name).await?;
    let (region, unstarted) = region.ok_or_else(|| ApiError::no_region(name))?;
    let message = match region.executor {
        // What was asked for before an agent's journal was there, the agent takes for a repetition.
        Some(_) if unstarted => format!(
            "The agent of region {name} has enrolled and never started, so nothing can be changed there \
             yet. Start it on its server and ask again."
        ),
        Some(_) => return Ok(()),
        // One that had an executor gets another, and what is asked meanwhile waits for it as for one that is
        // away. Where there never was one, nobody comes by waiting.
        None if region.epoch > 0 => return Ok(()),
        None => format!(
            "Region {name} has no agent yet, so nothing can be changed there. An operator enrols one with \
             `storm agent enrol-token create --region {name}`."
        ),
    };
    Err(ApiError::refused(StatusCode::CONFLICT, "no_agent", message))
}

async fn wait<N: Need>(
    caller: &Caller<N>,
    mut operation: Operation,
    mut changes: Receiver<Change>,
) -> Result<Operation, ApiError> {
    let id = operation.id;
    let deadline = Instant::now() + caller.wait();
    while !operation.state.is_final() {
        tokio::select! {
            () = heard_of(&mut changes, id) => {}
            () = tokio::time::sleep(Duration::from_millis(POLL_MILLISECONDS)) => {}
            () = tokio::time::sleep_until(deadline) => return Ok(operation),
            () = caller.app().bus.stopping.cancelled() => return Ok(operation),
        }
        let read = caller.store().operation(id).await?;
        operation = read.ok_or_else(|| ApiError::Internal(format!("operation {id} is gone")))?;
    }
    Ok(operation)
}

/// Returns when the operation may have moved.
async fn heard_of(changes: &mut Receiver<Change>, wanted: OperationId) {
    loop {
        match changes.recv().await {
            Ok(Change::Operation(_, id)) if id == wanted => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn touched(operation: &Operation) -> (Option<BucketId>, Option<AccessKeyId>) {
    let Some(Outcome::Done(result)) = &operation.outcome else {
        return (None, None);
    };
    match result {
        CommandResult::BucketCreate(made) => (Some(made.bucket), made.key.clone()),
        CommandResult::BucketClear(cleared) => (Some(cleared.bucket), None),
        CommandResult::BucketMeasurePrefix(measured) => (Some(measured.bucket), None),
        CommandResult::BucketSetQuota(set) => (Some(set.bucket), None),
        CommandResult::BucketSetCors(set) => (Some(set.bucket), None),
        CommandResult::BucketSetLifecycle(set) => (Some(set.bucket), None),
        CommandResult::BucketSetWebsite(set) => (Some(set.bucket), None),
        CommandResult::BucketAddAlias(added) => (Some(added.bucket), None),
        CommandResult::BucketRemoveAlias(removed) => (Some(removed.bucket), None),
        CommandResult::BucketCleanupUploads(cleaned) => (Some(cleaned.bucket), None),
        CommandResult::BucketRestore(set) => (Some(set.bucket), None),
        CommandResult::BucketAdopt(adopted) => (Some(adopted.bucket), None),
        CommandResult::KeyCreate(made) => (None, Some(made.key.clone())),
        CommandResult::KeyCreateTemporary(made) => (None, Some(made.key.clone())),
        CommandResult::KeyRename(set) => (None, Some(set.key.clone())),
        CommandResult::KeySetExpiry(set) => (None, Some(set.key.clone())),
        CommandResult::KeySuspend(set) => (None, Some(set.key.clone())),
        CommandResult::KeyResume(set) => (None, Some(set.key.clone())),
        CommandResult::KeyRevokeLeaked(made) => (None, Some(made.key.clone())),
        CommandResult::KeySetGrant(set) => (Some(set.grant.bucket), Some(set.key.clone())),
        CommandResult::KeyRotate(made) => (None, Some(made.key.clone())),
        CommandResult::AgentPing(_)
        | CommandResult::ClusterHealthCommand(_)
        | CommandResult::InventoryRefresh(_)
        | CommandResult::ExecutorRelease(_)
        | CommandResult::JobCancel(_)
        | CommandResult::BucketDelete(_)
        | CommandResult::BucketRelease(_)
        | CommandResult::AccountSetQuotas(_)
        | CommandResult::KeyDelete(_) => (None, None),
    }
}

/// Our sentence, and the agent's words when they say more.
fn said(sentence: &str, words: &str) -> String {
    if words.is_empty() || words == sentence {
        sentence.to_owned()
    } else {
        format!("{sentence} {words}")
    }
}

fn status_of(code: &str) -> StatusCode {
    const CONFLICT: [&str; 7] = [
        Refusal::LimitReached.code(),
        Failure::NameTaken.code(),
        Failure::BucketNotEmpty.code(),
        Failure::LastAlias.code(),
        Failure::JobsRunning.code(),
        Failure::TooLate.code(),
        Failure::Cancelled.code(),
    ];
    const ABSENT: [&str; 4] = [
        Failure::NoSuchBucket.code(),
        Failure::NoSuchAlias.code(),
        Failure::NoSuchKey.code(),
        Refusal::NotYours.code(),
    ];
    if CONFLICT.contains(&code) {
        StatusCode::CONFLICT
    } else if ABSENT.contains(&code) {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::BAD_GATEWAY
    }
}
