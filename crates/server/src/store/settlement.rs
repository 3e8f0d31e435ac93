//! What a receipt does to the operation that it answers, in the transaction that stores it.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api::OperationStatus,
    command::{CommandResult, RawCommand},
    envelope::{Audience, CommandPayload, VERSION, Via},
    ident::{AccountId, Digest, Micros, UserId},
    receipt::Outcome,
};

use super::{
    Result, StoreError, Writing, drift,
    effects::Effects,
    from_json,
    operations::{read_actor, request_digest, via_as_str},
    parsed_option,
    receipts::{Incoming, Kept},
    signing::ended_as,
    succession, to_json, usage,
};
use crate::app::Change;

const TABLE: &str = "operations";

/// Moves the operation that a receipt answers.
pub(super) async fn settle(
    transaction: &mut Writing,
    incoming: &Incoming<'_>,
    known: &Record,
    envelope: &str,
    now: Micros,
) -> Result<Kept> {
    let receipt = incoming.receipt;
    let stray = Kept::New {
        changes: vec![],
        stray: true,
        sign_again: false,
    };
    let asked = match known.try_get::<Option<&str>, _>("operation")? {
        Some(_) => Asked::read(known, incoming)?,
        None => Asked::adopt(transaction, incoming, now).await?,
    };
    // An agent speaks for its own region alone.
    let Some(asked) = asked.filter(|asked| asked.intent == receipt.intent) else {
        return Ok(stray);
    };
    let moved = Change::Operation(receipt.account, receipt.operation);
    if let Outcome::Refused { code, .. } = &receipt.outcome
        && code.is_transient()
    {
        if receipt.attempt < asked.attempt {
            return Ok(Kept::New {
                changes: vec![],
                stray: false,
                sign_again: false,
            });
        }
        if now < asked.give_up_at {
            let again = sqlx::query(
                "UPDATE operations SET state = 'requested' WHERE id = $1 \
                 AND state IN ('signed', 'sent', 'accepted', 'unknown')",
            )
            .bind(receipt.operation.to_string())
            .execute(&mut **transaction)
            .await?
            .rows_affected()
                > 0;
            return Ok(Kept::New {
                changes: vec![moved],
                stray: false,
                sign_again: again,
            });
        }
    }
    let state = ended_as(&receipt.outcome);
    let taken = state != OperationStatus::Refused;
    // A refusal says nothing final of an operation that a later envelope carried out.
    let ended = sqlx::query(
        "UPDATE operations SET state = $2, agent = $3, finished_at = $4, outcome = $5, receipt = $6, \
         sealed = $7, sealed_at = CASE WHEN $7 IS NULL THEN NULL ELSE $9 END \
         WHERE id = $1 AND (receipt IS NULL OR (state = 'refused' AND $8 = 1))",
    )
    .bind(receipt.operation.to_string())
    .bind(state.as_str())
    .bind(receipt.agent.to_string())
    .bind(receipt.finished_at.0)
    .bind(to_json(TABLE, &receipt.outcome)?)
    .bind(envelope)
    .bind(incoming.sealed.map(|sealed| to_json(TABLE, sealed)).transpose()?)
    .bind(i64::from(taken))
    .bind(now.0)
    .execute(&mut **transaction)
    .await?
    .rows_affected()
        > 0;
    let mut changes = vec![];
    if ended {
        if let Outcome::Done(result) = &receipt.outcome {
            let command = asked.command.parse().ok();
            let wanted = asked.wanted.as_ref().and_then(|raw| raw.parse().ok());
            let effects = Effects {
                region: &receipt.region,
                account: receipt.account,
                operation: receipt.operation,
                at: receipt.finished_at,
                stored_at: now,
                wanted: wanted.as_ref(),
            };
            changes = effects.apply(transaction, command.as_ref(), result).await?;
            drift::compare_changed(transaction, &receipt.region, &changes, now).await?;
            if let CommandResult::ExecutorRelease(given_up) = result {
                let moved = succession::released(transaction, receipt, given_up, now).await?;
                changes.extend(moved);
            }
            usage::record(transaction, &changes, now).await?;
        }
        changes.push(moved);
    }
    Ok(Kept::New {
        changes,
        stray: false,
        sign_again: false,
    })
}

/// What the database knows of the operation that a receipt answers.
struct Asked {
    /// What was sent.
    command: RawCommand,
    /// What was asked for, where that is something else.
    wanted: Option<RawCommand>,
    intent: Digest,
    attempt: u32,
    give_up_at: Micros,
}

impl Asked {
    /// Reads the operation beside the receipt; `None`: it is another region's.
    fn read(row: &Record, incoming: &Incoming<'_>) -> Result<Option<Self>> {
        let receipt = incoming.receipt;
        if row.try_get::<&str, _>("region")? != receipt.region.as_str() {
            return Ok(None);
        }
        let parameters: String = row.try_get("parameters")?;
        let attempt: i64 = row.try_get("attempt")?;
        let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
        let name: String = row.try_get("command")?;
        let command = raw(name.clone(), parameters)?;
        let asked: Option<String> = row.try_get("asked")?;
        let wanted = asked.map(|asked| raw(name, asked)).transpose()?;
        let actor = read_actor(row)?;
        if actor.via == Via::Offline {
            // Made from a receipt: what was asked is known to the agent alone.
            return Ok(Some(Self {
                command,
                wanted,
                intent: receipt.intent,
                attempt,
                give_up_at: Micros(0),
            }));
        }
        let payload = CommandPayload {
            version: VERSION,
            operation: receipt.operation,
            attempt,
            audience: Audience {
                agent: receipt.agent,
                region: receipt.region.clone(),
                epoch: 0,
            },
            issued_at: Micros(0),
            expires_at: Micros(0),
            actor,
            command,
            seal_to: parsed_option(TABLE, row.try_get("seal_to")?)?,
        };
        Ok(Some(Self {
            intent: payload.intent(),
            command: payload.command,
            wanted,
            attempt,
            give_up_at: Micros(row.try_get("give_up_at")?),
        }))
    }

    /// Makes the operation of a receipt that this database did not ask for: signed offline, or asked
    /// before the database was restored. A receipt does not say who asked, so the account's owner
    /// stands for it. `None`: there is no such account, or the refusal ended nothing.
    async fn adopt(
        transaction: &mut Writing,
        incoming: &Incoming<'_>,
        now: Micros,
    ) -> Result<Option<Self>> {
        let receipt = incoming.receipt;
        if matches!(&receipt.outcome, Outcome::Refused { code, .. } if code.is_transient()) {
            return Ok(None);
        }
        let Some(user) = owner_of(transaction, receipt.account).await? else {
            return Ok(None);
        };
        let parameters = "{}";
        sqlx::query(
            "INSERT INTO operations (id, state, account, \"user\", operator, via, region, agent, attempt, \
             command, parameters, request_digest, requested_at, give_up_at) \
             VALUES ($1, 'unknown', $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(receipt.operation.to_string())
        .bind(receipt.account.to_string())
        .bind(user.to_string())
        .bind(via_as_str(Via::Offline))
        .bind(receipt.region.as_str())
        .bind(receipt.agent.to_string())
        .bind(i64::from(receipt.attempt))
        .bind(&receipt.command)
        .bind(parameters)
        .bind(request_digest(&receipt.region, &receipt.command, parameters).to_string())
        .bind(receipt.accepted_at.0)
        .bind(now.0)
        .execute(&mut **transaction)
        .await?;
        Ok(Some(Self {
            command: RawCommand {
                name: receipt.command.clone(),
                parameters: from_json(TABLE, parameters)?,
            },
            wanted: None,
            intent: receipt.intent,
            attempt: receipt.attempt,
            give_up_at: now,
        }))
    }
}

fn raw(name: String, parameters: String) -> Result<RawCommand> {
    let parameters =
        serde_json::value::RawValue::from_string(parameters).map_err(|error| StoreError::Row {
            table: TABLE,
            what: error.to_string(),
        })?;
    Ok(RawCommand { name, parameters })
}

async fn owner_of(transaction: &mut Writing, account: AccountId) -> Result<Option<UserId>> {
    let user: Option<String> = sqlx::query_scalar(
        "SELECT \"user\" FROM members WHERE account = $1 \
         ORDER BY CASE role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, \"user\" LIMIT 1",
    )
    .bind(account.to_string())
    .fetch_optional(&mut **transaction)
    .await?;
    parsed_option("members", user.as_deref())
}
