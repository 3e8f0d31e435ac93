//! Operations as the signer sees them: what waits for a signature, who asked, whose the things are.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api::{AccountState, OperationStatus, Role},
    envelope::{Actor, Envelope},
    ident::{
        AccessKeyId, AccountId, AgentId, BucketId, BucketName, Micros, OperationId, RegionName,
    },
    receipt::Outcome,
    seal::SealKey,
};

use super::{
    Durability, Result, Store,
    account_states::account_state,
    from_big, from_json,
    lost::agent_lost,
    operations::{counts, read_actor},
    parsed, parsed_option, to_json,
};
use crate::{
    app::Change,
    auth::access::{Rights, TokenRights},
};

const TABLE: &str = "operations";

/// An operation that waits for a signature, with the executor that would take it.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The operation.
    pub id: OperationId,
    /// Who asked.
    pub actor: Actor,
    /// The command's name.
    pub command: String,
    /// Its parameters, JSON.
    pub parameters: String,
    /// Where a secret of the answer is sealed to.
    pub seal_to: Option<SealKey>,
    /// How often it was signed.
    pub attempt: u32,
    /// Its region.
    pub region: RegionName,
    /// The region's executor.
    pub agent: AgentId,
    /// The region's executor epoch.
    pub epoch: u64,
    /// What that agent does not offer.
    pub not_offered: Vec<String>,
    /// Who the actor is to the account now; `None`: there is no such user, or their token is gone.
    pub(crate) standing: Option<Standing>,
}

/// What the signer made of an operation.
#[derive(Debug)]
pub enum Verdict {
    /// Signed for this agent as this attempt.
    Signed {
        /// The agent.
        agent: AgentId,
        /// The attempt.
        attempt: u32,
        /// The envelope.
        envelope: Envelope,
    },
    /// Refused or failed; nothing was signed.
    Ended(Outcome),
}

/// How much of the work an account gets.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Operations of an account and region that are answered with in one go.
    pub at_once: u32,
    /// Operations that an account may have at a region's agent at the same time.
    pub in_flight: u32,
}

/// Who a user is to an account, as the database has it, and what their token leaves of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Runs the platform.
    operator: bool,
    /// The role in the account.
    role: Option<Role>,
    /// What became of the account.
    state: AccountState,
    /// The token that they asked with.
    token: Option<TokenRights>,
}

impl Standing {
    /// What they may.
    pub(crate) fn rights(&self) -> Rights<'_> {
        Rights {
            role: self.role,
            operator: self.operator,
            state: self.state,
            token: self.token.as_ref(),
        }
    }
}

impl Store {
    /// Operations that wait for a signature and whose executor is there: each account's first, then
    /// each one's second, and so on within its `share`, so that no account keeps another waiting. An
    /// operation that was signed before rests a while first, unless that was in what is the future now: a
    /// clock that was set back would let it rest until then.
    pub async fn operations_to_sign(
        &self,
        now: Micros,
        share: Share,
        limit: u32,
    ) -> Result<Vec<Pending>> {
        let rows = sqlx::query(concat!(
            "SELECT * FROM (SELECT o.id, o.account, o.\"user\", o.operator, o.via, o.command, \
             o.parameters, o.seal_to, o.attempt, o.region, a.id AS executor, r.epoch, a.not_offered, \
             u.operator AS runs_platform, m.role, \
             (SELECT s.state FROM account_states s WHERE s.account = o.account) AS account_state, o.token, t.scopes, t.on_buckets, t.expires_at, \
             ROW_NUMBER() OVER (PARTITION BY o.account, o.region ORDER BY o.id) AS place \
             FROM operations o JOIN regions r ON r.name = o.region JOIN agents a ON a.id = r.executor \
             LEFT JOIN users u ON u.id = o.\"user\" \
             LEFT JOIN members m ON m.\"user\" = o.\"user\" AND m.account = o.account \
             LEFT JOIN tokens t ON t.id = o.token AND (t.expires_at IS NULL OR t.expires_at > $1) \
             WHERE o.state = 'requested' AND o.via <> 'offline' AND o.give_up_at > $1 \
             AND a.connected = 1 AND a.quarantined IS NULL AND a.revoked_at IS NULL \
             AND (o.attempt = 0 OR o.signed_at > $1 OR o.signed_at + CASE WHEN o.attempt = 1 THEN 1000000 \
                  WHEN o.attempt < 5 THEN 5000000 ELSE 30000000 END <= $1)) waiting \
             WHERE place <= $2 AND place + (SELECT COUNT(*) FROM operations f \
               WHERE f.account = waiting.account AND f.region = waiting.region AND f.",
            counts!(),
            " AND f.state <> 'requested') <= $3 ORDER BY place, id LIMIT $4"
        ))
        .bind(now.0)
        .bind(i64::from(share.at_once))
        .bind(i64::from(share.in_flight))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut waiting = vec![];
        for row in &rows {
            let standing = self.read_standing(row).await?;
            waiting.push(read_pending(row, standing)?);
        }
        Ok(waiting)
    }

    async fn read_standing(&self, row: &Record) -> Result<Option<Standing>> {
        let Some(operator) = row.try_get::<Option<i64>, _>("runs_platform")? else {
            return Ok(None);
        };
        let role = row.try_get::<Option<&str>, _>("role")?;
        let token = match row.try_get::<Option<&str>, _>("token")? {
            None => None,
            Some(token) => {
                let Some(scopes) = row.try_get::<Option<&str>, _>("scopes")? else {
                    return Ok(None);
                };
                let buckets = match row.try_get::<i64, _>("on_buckets")? {
                    0 => None,
                    _ => Some(self.token_buckets(token).await?),
                };
                Some(TokenRights {
                    id: parsed("tokens", token)?,
                    expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Micros),
                    scopes: from_json("tokens", scopes)?,
                    buckets,
                })
            }
        };
        Ok(Some(Standing {
            operator: operator != 0,
            role: role.map(super::accounts::role).transpose()?,
            state: account_state(row.try_get("account_state")?)?,
            token,
        }))
    }

    /// Whose a bucket of a region is; `None`: nobody's, or not known.
    pub async fn bucket_account(
        &self,
        region: &RegionName,
        id: BucketId,
    ) -> Result<Option<AccountId>> {
        let account: Option<Option<String>> =
            sqlx::query_scalar("SELECT account FROM buckets WHERE id = $1 AND region = $2")
                .bind(id.to_string())
                .bind(region.as_str())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        parsed_option("buckets", account.flatten().as_deref())
    }

    /// Whether the bucket of this name in a region is known to be another account's.
    pub async fn is_name_of_another(
        &self,
        region: &RegionName,
        name: &BucketName,
        account: AccountId,
    ) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM buckets WHERE region = $1 AND name = $2 AND gone_at IS NULL \
             AND account IS NOT NULL AND account <> $3 LIMIT 1",
        )
        .bind(region.as_str())
        .bind(name.as_str())
        .bind(account.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found.is_some())
    }

    /// Whose a key of a region is; `None`: nobody's, or not known.
    pub async fn key_account(
        &self,
        region: &RegionName,
        id: &AccessKeyId,
    ) -> Result<Option<AccountId>> {
        let account: Option<Option<String>> =
            sqlx::query_scalar("SELECT account FROM keys WHERE id = $1 AND region = $2")
                .bind(id.as_str())
                .bind(region.as_str())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        parsed_option("keys", account.flatten().as_deref())
    }

    /// Moves operations from requested to what the signer decided, all in one commit that also puts
    /// their requests on disk. Answers with those that moved: one that was cancelled meanwhile did not.
    pub async fn decide_operations(
        &self,
        decisions: &[(Pending, Verdict)],
        now: Micros,
    ) -> Result<Vec<Change>> {
        let mut moved = vec![];
        let mut transaction = match decisions {
            [_] => self.write_one(Durability::Machine).await?,
            _ => self.write(Durability::Machine).await?,
        };
        for (pending, verdict) in decisions {
            let query = match verdict {
                Verdict::Signed { agent, attempt, envelope } => sqlx::query(
                    "UPDATE operations SET state = 'signed', agent = $2, attempt = $3, envelope = $4, \
                     signed_at = $5 WHERE id = $1 AND state = 'requested' AND attempt = $6",
                )
                .bind(pending.id.to_string())
                .bind(agent.to_string())
                .bind(i64::from(*attempt))
                .bind(to_json(TABLE, envelope)?)
                .bind(now.0)
                .bind(i64::from(pending.attempt)),
                Verdict::Ended(outcome) => sqlx::query(
                    "UPDATE operations SET state = $4, outcome = $2, finished_at = $3 \
                     WHERE id = $1 AND state = 'requested'",
                )
                .bind(pending.id.to_string())
                .bind(to_json(TABLE, outcome)?)
                .bind(now.0)
                .bind(ended_as(outcome).as_str()),
            };
            if query.execute(&mut *transaction).await?.rows_affected() > 0 {
                moved.push(Change::Operation(pending.actor.account, pending.id));
            }
        }
        transaction.commit().await?;
        Ok(moved)
    }

    /// Ends operations that no agent took in time; one that a lost agent had taken before ends as
    /// failed. Answers with those that moved.
    pub async fn expire_operations(&self, outcome: &Outcome, now: Micros) -> Result<Vec<Change>> {
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM operations WHERE state = 'requested' AND give_up_at <= $1 LIMIT 1",
        )
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        if due.is_none() {
            return Ok(vec![]);
        }
        let mut change = self.write_one(Durability::Machine).await?;
        let rows = sqlx::query(
            "UPDATE operations SET finished_at = $1, \
             state = CASE WHEN lost_agent IS NULL THEN $3 ELSE 'failed' END, \
             outcome = CASE WHEN lost_agent IS NULL THEN $2 ELSE $4 END \
             WHERE state = 'requested' AND give_up_at <= $1 RETURNING account, id",
        )
        .bind(now.0)
        .bind(to_json(TABLE, outcome)?)
        .bind(OperationStatus::Expired.as_str())
        .bind(to_json(TABLE, &agent_lost())?)
        .fetch_all(&mut *change)
        .await?;
        change.commit().await?;
        rows.iter().map(read_change).collect()
    }

    /// Takes back what was signed before `before` and never handed out: its signature has ended, so
    /// it waits for another one, under the same id. Answers with those that moved.
    pub async fn take_back_unsent(&self, before: Micros) -> Result<Vec<Change>> {
        let stale: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM operations WHERE state = 'signed' AND signed_at <= $1 LIMIT 1",
        )
        .bind(before.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        if stale.is_none() {
            return Ok(vec![]);
        }
        let mut change = self.write_one(Durability::Process).await?;
        let rows = sqlx::query(
            "UPDATE operations SET state = 'requested' WHERE state = 'signed' AND signed_at <= $1 \
             RETURNING account, id",
        )
        .bind(before.0)
        .fetch_all(&mut *change)
        .await?;
        change.commit().await?;
        rows.iter().map(read_change).collect()
    }
}

/// The state of an operation that ended with this outcome.
pub(super) const fn ended_as(outcome: &Outcome) -> OperationStatus {
    match outcome {
        Outcome::Done(_) => OperationStatus::Done,
        Outcome::Failed { .. } => OperationStatus::Failed,
        Outcome::Refused { .. } => OperationStatus::Refused,
    }
}

/// Reads the columns account and id.
pub(crate) fn read_change(row: &Record) -> Result<Change> {
    Ok(Change::Operation(
        parsed(TABLE, row.try_get("account")?)?,
        parsed(TABLE, row.try_get("id")?)?,
    ))
}

fn read_pending(row: &Record, standing: Option<Standing>) -> Result<Pending> {
    let attempt: i64 = row.try_get("attempt")?;
    Ok(Pending {
        id: parsed(TABLE, row.try_get("id")?)?,
        actor: read_actor(row)?,
        command: row.try_get("command")?,
        parameters: row.try_get("parameters")?,
        seal_to: parsed_option(TABLE, row.try_get("seal_to")?)?,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        region: parsed(TABLE, row.try_get("region")?)?,
        agent: parsed(TABLE, row.try_get("executor")?)?,
        epoch: from_big("regions", row.try_get("epoch")?)?,
        not_offered: from_json("agents", row.try_get("not_offered")?)?,
        standing,
    })
}
