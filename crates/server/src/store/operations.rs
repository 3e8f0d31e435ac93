//! Operations: the durable record of one intent, from request to receipt. Only a compare-and-set
//! moves one. What the signer and the hub do to them stands in `signing.rs` and `receipts.rs`.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api::{Operation, OperationStatus},
    command::Command,
    envelope::{Actor, Via},
    ident::{Digest, Micros, OperationId, RegionName, TokenId},
    seal::{SealKey, Sealed},
};

use super::{
    Durability, Result, Store, StoreError, Writing, from_json_option, lost::agent_lost, parsed,
    parsed_option, to_json,
};

use crate::auth::audit;

const TABLE: &str = "operations";

/// Operations that an account may have open: asked for, signed or at work. Those that a lost agent
/// left unknown do not count.
pub const MAX_OPEN_OPERATIONS_PER_ACCOUNT: i64 = 1_000;
/// Jobs that an account may ask for and have open. Fewer than what the signer lets it have at a
/// region's agent: jobs take long, and short commands, that cancel them too, must get through.
pub const MAX_OPEN_JOBS_PER_ACCOUNT: i64 = 50;
/// Operations of all accounts that may wait for the signer.
pub const MAX_REQUESTED: i64 = 20_000;
/// Operations that an account may have open even when so many wait: whoever fills the queue, from as many
/// accounts as they like, keeps nobody else out.
pub const ALWAYS_OPEN_PER_ACCOUNT: i64 = 10;

/// The columns that [`read_operation`] reads.
macro_rules! operation_columns {
    () => {
        "id, state, command, parameters, account, \"user\", operator, via, origin, region, agent, \
         attempt, requested_at, give_up_at, finished_at, outcome, receipt"
    };
}
pub(crate) use operation_columns;

/// What the partial index `operations_open` covers; a query has to say it in these words.
macro_rules! counts {
    () => {
        "state IN ('requested', 'signed', 'sent', 'accepted')"
    };
}
pub(crate) use counts;

/// How many wait for the signer, counted up to a bind parameter: no further than it takes to say "full".
macro_rules! waiting {
    ($most:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM (SELECT 1 FROM operations WHERE state = 'requested' LIMIT ",
            $most,
            ") AS waiting)"
        )
    };
}

/// The jobs that people ask for, as they stand in a query.
macro_rules! asked_jobs {
    () => {
        "('bucket.clear', 'bucket.measure_prefix')"
    };
}
/// What the web tier asks for.
pub struct NewOperation {
    /// Its id.
    pub id: OperationId,
    /// Who asks.
    pub actor: Actor,
    /// The address that the request came from.
    pub origin: Option<String>,
    /// The region whose executor is to do it.
    pub region: RegionName,
    /// What to do.
    pub command: Command,
    /// What was asked, where that is something else: a storage limit may leave less than a quota that
    /// was asked for.
    pub asked: Option<Command>,
    /// Where a secret of the answer is sealed to.
    pub seal_to: Option<SealKey>,
    /// The API token it is asked with.
    pub token: Option<TokenId>,
    /// The client's own name for the request.
    pub idempotency_key: Option<String>,
    /// Now.
    pub requested_at: Micros,
    /// When to give up if no agent took it.
    pub give_up_at: Micros,
}

/// What became of a request.
#[derive(Debug)]
pub enum Requested {
    /// A new operation.
    New(Operation),
    /// The same request came before: its operation.
    Same(Operation),
    /// The idempotency key came before with another request.
    Other,
    /// The account has [`MAX_OPEN_OPERATIONS_PER_ACCOUNT`] open, or asks for a job and has
    /// [`MAX_OPEN_JOBS_PER_ACCOUNT`] of those; nothing was written.
    TooMany,
    /// [`MAX_REQUESTED`] of all accounts wait for the signer, and the account has its
    /// [`ALWAYS_OPEN_PER_ACCOUNT`]; nothing was written.
    Full,
}

/// What became of a wish to cancel.
#[derive(Debug)]
pub enum Cancelled {
    /// Cancelled; no agent is asked for it any more.
    Now(Operation),
    /// Signed already, or ended.
    TooLate(Operation),
}

impl Store {
    /// Writes an operation down as requested. Not on disk yet when this returns: the signer's commit
    /// covers it before anything can come of it.
    pub async fn request_operation(&self, new: NewOperation) -> Result<Requested> {
        let digest = digest_of(&new, "");
        let mut change = self.write_one(Durability::Process).await?;
        let inserted = insert(&mut change, &new, digest).await?;
        change.commit().await?;
        match inserted {
            Some(operation) => Ok(Requested::New(operation)),
            None => self.asked_before(&new, digest).await,
        }
    }

    /// Why [`insert`] wrote nothing.
    pub(super) async fn asked_before(
        &self,
        new: &NewOperation,
        digest: Digest,
    ) -> Result<Requested> {
        let Some(key) = &new.idempotency_key else {
            return self.full_or_too_many().await;
        };
        let before = sqlx::query(concat!(
            "SELECT request_digest, ",
            operation_columns!(),
            " FROM operations WHERE account = $1 AND \"user\" = $2 AND idempotency_key = $3"
        ))
        .bind(new.actor.account.to_string())
        .bind(new.actor.user.to_string())
        .bind(key)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(match before {
            None => return self.full_or_too_many().await,
            Some(row) if parsed::<Digest>(TABLE, row.try_get("request_digest")?)? == digest => {
                Requested::Same(read_operation(&row)?)
            }
            Some(_) => Requested::Other,
        })
    }

    async fn full_or_too_many(&self) -> Result<Requested> {
        let waiting: i64 = sqlx::query_scalar(concat!("SELECT ", waiting!("$1")))
            .bind(MAX_REQUESTED)
            .fetch_one(&mut *self.read().await?)
            .await?;
        Ok(match waiting >= MAX_REQUESTED {
            true => Requested::Full,
            false => Requested::TooMany,
        })
    }

    /// One operation, whoever's it is and however old.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            operation_columns!(),
            " FROM operations WHERE id = $1"
        ))
        .bind(id.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        match row {
            Some(row) => read_operation(&row).map(Some),
            None => self.archived_operation(id).await,
        }
    }

    /// The API token that an operation was asked for with.
    pub async fn operation_token(&self, id: OperationId) -> Result<Option<TokenId>> {
        let token: Option<Option<String>> =
            sqlx::query_scalar("SELECT token FROM operations WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        parsed_option(TABLE, token.flatten().as_deref())
    }

    /// The sealed secret of an operation, as long as it is kept.
    pub async fn operation_sealed(&self, id: OperationId) -> Result<Option<Sealed>> {
        let text: Option<Option<String>> =
            sqlx::query_scalar("SELECT sealed FROM operations WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        from_json_option(TABLE, text.flatten().as_deref())
    }

    /// Cancels an operation that is not signed. One that a lost agent had taken ends as failed: what
    /// was done of it nobody knows. On disk when this returns.
    pub async fn cancel_operation(
        &self,
        id: OperationId,
        now: Micros,
    ) -> Result<Option<Cancelled>> {
        let mut transaction = self.write(Durability::Machine).await?;
        let row = sqlx::query(concat!(
            "UPDATE operations SET finished_at = $2, \
             state = CASE WHEN lost_agent IS NULL THEN 'cancelled' ELSE 'failed' END, \
             outcome = CASE WHEN lost_agent IS NULL THEN outcome ELSE $3 END \
             WHERE id = $1 AND state = 'requested' RETURNING ",
            operation_columns!()
        ))
        .bind(id.to_string())
        .bind(now.0)
        .bind(to_json(TABLE, &agent_lost())?)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if let Some(row) = row {
            return Ok(Some(Cancelled::Now(read_operation(&row)?)));
        }
        Ok(self.operation(id).await?.map(Cancelled::TooLate))
    }

    /// The client holds the secret: drops the sealed form and marks the key. `false`: there is no
    /// such operation.
    pub async fn acknowledge_secret(&self, id: OperationId, now: Micros) -> Result<bool> {
        let mut transaction = self.write(Durability::Process).await?;
        let known = sqlx::query(
            "UPDATE operations SET sealed = NULL, acknowledged_at = COALESCE(acknowledged_at, $2) \
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(now.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        sqlx::query(
            "UPDATE keys SET acknowledged_at = $2 WHERE operation = $1 AND acknowledged_at IS NULL",
        )
        .bind(id.to_string())
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(known)
    }

    /// Drops sealed forms that nobody fetched and that came before `before`, by our own clock.
    pub async fn drop_sealed(&self, before: Micros) -> Result<u64> {
        let mut transaction = self.write(Durability::Process).await?;
        let dropped = sqlx::query(
            "UPDATE operations SET sealed = NULL WHERE sealed IS NOT NULL AND sealed_at < $1",
        )
        .bind(before.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit().await?;
        Ok(dropped)
    }
}

/// Writes an operation down as requested; `None`: the account has too many open, or asked under the
/// same idempotency key before.
pub(super) async fn insert(
    change: &mut Writing,
    new: &NewOperation,
    digest: Digest,
) -> Result<Option<Operation>> {
    let raw = new.command.to_raw();
    let asked = new.asked.as_ref().map(Command::to_raw);
    let rows = sqlx::query(concat!(
        "INSERT INTO operations (id, state, account, \"user\", operator, via, origin, region, \
         command, parameters, asked, seal_to, idempotency_key, request_digest, requested_at, give_up_at, \
         token) \
         SELECT $1, 'requested', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $18 \
         WHERE (SELECT COUNT(*) FROM operations WHERE account = $2 AND ",
        counts!(),
        ") < $16 AND ($8 NOT IN ",
        asked_jobs!(),
        " OR (SELECT COUNT(*) FROM operations WHERE account = $2 AND ",
        counts!(),
        " AND command IN ",
        asked_jobs!(),
        ") < $17) AND ((SELECT COUNT(*) FROM operations WHERE account = $2 AND ",
        counts!(),
        ") < $20 OR ",
        waiting!("$19"),
        " < $19) ON CONFLICT (account, \"user\", idempotency_key) \
         WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING ",
        operation_columns!()
    ))
    .bind(new.id.to_string())
    .bind(new.actor.account.to_string())
    .bind(new.actor.user.to_string())
    .bind(i64::from(new.actor.operator))
    .bind(via_as_str(new.actor.via))
    .bind(&new.origin)
    .bind(new.region.as_str())
    .bind(&raw.name)
    .bind(raw.parameters.get())
    .bind(asked.as_ref().map(|asked| asked.parameters.get()))
    .bind(new.seal_to.map(|key| key.to_string()))
    .bind(&new.idempotency_key)
    .bind(digest.to_string())
    .bind(new.requested_at.0)
    .bind(new.give_up_at.0)
    .bind(MAX_OPEN_OPERATIONS_PER_ACCOUNT)
    .bind(MAX_OPEN_JOBS_PER_ACCOUNT)
    .bind(new.token.map(|token| token.to_string()))
    .bind(MAX_REQUESTED)
    .bind(ALWAYS_OPEN_PER_ACCOUNT)
    .fetch_all(&mut **change)
    .await?;
    if !rows.is_empty() {
        audit::note_operation(new.id);
    }
    rows.first().map(read_operation).transpose()
}

/// The digest of a request; `besides`: what it says that is not in the command.
pub(super) fn digest_of(new: &NewOperation, besides: &str) -> Digest {
    let raw = new.asked.as_ref().unwrap_or(&new.command).to_raw();
    let parameters = format!("{}{besides}", raw.parameters.get());
    request_digest(&new.region, &raw.name, &parameters)
}

/// Reads a row of [`operation_columns`].
pub(crate) fn read_operation(row: &Record) -> Result<Operation> {
    let outcome: Option<&str> = row.try_get("outcome")?;
    let receipt: Option<&str> = row.try_get("receipt")?;
    let attempt: i64 = row.try_get("attempt")?;
    let parameters: &str = row.try_get("parameters")?;
    let state = status(row.try_get("state")?)?;
    let waits = matches!(state, OperationStatus::Requested | OperationStatus::Signed);
    let give_up_at = Micros(row.try_get("give_up_at")?);
    Ok(Operation {
        id: parsed(TABLE, row.try_get("id")?)?,
        state,
        command: row.try_get("command")?,
        parameters: super::from_json(TABLE, parameters)?,
        actor: read_actor(row)?,
        origin: row.try_get("origin")?,
        region: parsed(TABLE, row.try_get("region")?)?,
        agent: parsed_option(TABLE, row.try_get("agent")?)?,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        requested_at: Micros(row.try_get("requested_at")?),
        gives_up_at: waits.then_some(give_up_at),
        progress: None,
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(Micros),
        outcome: from_json_option(TABLE, outcome)?,
        receipt: from_json_option(TABLE, receipt)?,
    })
}

/// Reads the columns account, user, operator and via.
pub(crate) fn read_actor(row: &Record) -> Result<Actor> {
    let via = match row.try_get("via")? {
        "web" => Via::Web,
        "cli" => Via::Cli,
        "api" => Via::Api,
        "offline" => Via::Offline,
        "system" => Via::System,
        other => return Err(unknown("via", other)),
    };
    Ok(Actor {
        account: parsed(TABLE, row.try_get("account")?)?,
        user: parsed(TABLE, row.try_get("user")?)?,
        operator: row.try_get::<i64, _>("operator")? != 0,
        via,
    })
}

/// The way a request came, as the column has it.
pub(crate) const fn via_as_str(via: Via) -> &'static str {
    match via {
        Via::Web => "web",
        Via::Cli => "cli",
        Via::Api => "api",
        Via::Offline => "offline",
        Via::System => "system",
    }
}

/// What makes two requests under one idempotency key the same; `seal_to` is left out.
pub(crate) fn request_digest(region: &RegionName, command: &str, parameters: &str) -> Digest {
    Digest::of_parts(&[
        command.as_bytes(),
        region.as_str().as_bytes(),
        parameters.as_bytes(),
    ])
}

fn status(text: &str) -> Result<OperationStatus> {
    const ALL: [OperationStatus; 10] = [
        OperationStatus::Requested,
        OperationStatus::Signed,
        OperationStatus::Sent,
        OperationStatus::Accepted,
        OperationStatus::Done,
        OperationStatus::Failed,
        OperationStatus::Refused,
        OperationStatus::Expired,
        OperationStatus::Cancelled,
        OperationStatus::Unknown,
    ];
    let found = ALL.into_iter().find(|status| status.as_str() == text);
    found.ok_or_else(|| unknown("state", text))
}

fn unknown(column: &str, text: &str) -> StoreError {
    StoreError::Row {
        table: TABLE,
        what: format!("{column} is {text:?}"),
    }
}
