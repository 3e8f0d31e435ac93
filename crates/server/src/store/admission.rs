//! Who is kept out and who leads: quarantine and its end, revocation, and the executor's role, which
//! a revoked agent leaves behind.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::ident::{AgentId, Digest, Micros, UserId};

use super::{
    Durability, Result, Store, from_big, parsed, parsed_option,
    security::SecurityEvent,
    succession::{cancel_release, take_back_unsent},
    to_big,
};

const TABLE: &str = "agents";

/// Seconds from an executor's last frame until another agent takes its role: it has long noticed the
/// silence then and starts no admin call any more.
pub const EXECUTOR_REST_SECONDS: i64 = 120;

/// Where an agent's chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// The sequence of its last receipt; 0 for none.
    pub sequence: u64,
    /// That receipt's identity.
    pub head: Option<Digest>,
}

/// An agent that the hub has to cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptOut {
    /// Removed for good.
    Revoked(AgentId),
    /// Kept out until an operator decides.
    Quarantined(AgentId),
}

/// A region's new executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointed {
    /// The agent.
    pub agent: AgentId,
    /// The region's epoch with it.
    pub epoch: u64,
}

impl Store {
    /// Keeps an agent out until an operator decides, and says why among the security events. `end`
    /// is where the agent itself says that its chain ends, when it says so. On disk when this
    /// returns.
    pub async fn quarantine_agent(
        &self,
        id: AgentId,
        reason: &str,
        end: Option<ChainEnd>,
        origin: &str,
        now: Micros,
    ) -> Result<()> {
        let mut transaction = self.write(Durability::Machine).await?;
        sqlx::query(
            "UPDATE agents SET quarantined = $2, refused_receipts = $3, refused_head = $4 \
             WHERE id = $1 AND quarantined IS NULL",
        )
        .bind(id.to_string())
        .bind(reason)
        .bind(end.map(|end| to_big(end.sequence)))
        .bind(end.and_then(|end| end.head).map(|head| head.to_string()))
        .execute(&mut *transaction)
        .await?;
        let event = SecurityEvent {
            kind: "agent_quarantined",
            subject: &id.to_string(),
            origin: Some(origin),
            detail: reason,
        };
        event.insert(&mut transaction, now).await?;
        transaction.commit().await
    }

    /// A quarantined agent came again, with this end of its chain.
    pub async fn turned_away(&self, id: AgentId, end: ChainEnd) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query(
            "UPDATE agents SET refused_receipts = $2, refused_head = $3 \
             WHERE id = $1 AND quarantined IS NOT NULL",
        )
        .bind(id.to_string())
        .bind(to_big(end.sequence))
        .bind(end.head.map(|head| head.to_string()))
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// Ends a quarantine, by an operator's decision, which is noted among the security events. Where
    /// the agent's chain ended when it last was turned away is accepted as the place that its
    /// receipts go on from: the hub compares with that from now on, as it always does. What was
    /// stored of its chain before stays, as a chain of its own. `false`: no such agent, or it is not
    /// in quarantine. On disk when this returns.
    pub async fn end_quarantine(
        &self,
        agent: AgentId,
        by_user: UserId,
        now: Micros,
    ) -> Result<bool> {
        let mut transaction = self.write(Durability::Machine).await?;
        // An agent that never said where its chain ends goes on where we are.
        let row = sqlx::query(
            "UPDATE agents SET quarantined = NULL, refused_receipts = NULL, refused_head = NULL, \
             chain = chain + 1, base = COALESCE(refused_receipts, receipts), \
             receipts = COALESCE(refused_receipts, receipts), \
             head = CASE WHEN refused_receipts IS NULL THEN head ELSE refused_head END \
             WHERE id = $1 AND quarantined IS NOT NULL AND revoked_at IS NULL \
             RETURNING receipts, head",
        )
        .bind(agent.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let receipts = from_big(TABLE, row.try_get("receipts")?)?;
        let head: Option<Digest> = parsed_option(TABLE, row.try_get("head")?)?;
        let head = head.map_or_else(|| "none".to_owned(), |head| head.to_string());
        let event = SecurityEvent {
            kind: "quarantine_ended",
            subject: &agent.to_string(),
            origin: None,
            detail: &format!(
                "by user {by_user}; its chain goes on from receipt {receipts}, {head}"
            ),
        };
        event.insert(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Removes an agent for good: its certificate is refused from now on, and the hub closes its
    /// connection. Its region has no executor until another agent may take the role. What was signed
    /// for it and never left is signed for the next one, but what was to move its role is cancelled;
    /// what it has taken stays unknown, since nobody else can say what came of it. Noted among the security events. `false`: no such agent,
    /// or it was revoked before. On disk when this returns.
    pub async fn revoke_agent(&self, agent: AgentId, by_user: UserId, now: Micros) -> Result<bool> {
        let mut transaction = self.write(Durability::Machine).await?;
        let row = sqlx::query(
            "UPDATE agents SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL \
             RETURNING connected, seen_at",
        )
        .bind(agent.to_string())
        .bind(now.0)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let connected = row.try_get::<i64, _>("connected")? != 0;
        let seen_at: Option<i64> = row.try_get("seen_at")?;
        let last = if connected {
            now
        } else {
            Micros(seen_at.unwrap_or(0))
        };
        cancel_release(&mut transaction, agent, now).await?;
        sqlx::query(
            "UPDATE regions SET executor = NULL, executor_free_at = $2 WHERE executor = $1",
        )
        .bind(agent.to_string())
        .bind(last.plus_seconds(EXECUTOR_REST_SECONDS).0)
        .execute(&mut *transaction)
        .await?;
        take_back_unsent(&mut transaction, agent).await?;
        sqlx::query(
            "UPDATE operations SET state = 'unknown' WHERE agent = $1 \
             AND state IN ('sent', 'accepted')",
        )
        .bind(agent.to_string())
        .execute(&mut *transaction)
        .await?;
        let event = SecurityEvent {
            kind: "agent_revoked",
            subject: &agent.to_string(),
            origin: None,
            detail: &format!("by user {by_user}"),
        };
        event.insert(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Agents that are connected and may not be.
    pub async fn agents_kept_out(&self) -> Result<Vec<KeptOut>> {
        let rows = sqlx::query(
            "SELECT id, revoked_at FROM agents \
             WHERE connected = 1 AND (revoked_at IS NOT NULL OR quarantined IS NOT NULL)",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            let id = parsed(TABLE, row.try_get("id")?)?;
            let revoked: Option<i64> = row.try_get("revoked_at")?;
            Ok(match revoked {
                Some(_) => KeptOut::Revoked(id),
                None => KeptOut::Quarantined(id),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Gives each region without an executor its oldest agent that may be one, those that are there
    /// first, once the one before has rested. On disk when this returns.
    pub async fn appoint_executors(&self, now: Micros) -> Result<Vec<Appointed>> {
        const VACANT: &str = "SELECT 1 FROM regions r JOIN agents a ON a.region = r.name \
             WHERE r.executor IS NULL AND COALESCE(r.executor_free_at, 0) <= $1 \
             AND a.revoked_at IS NULL AND a.quarantined IS NULL LIMIT 1";
        let vacant: Option<i64> = sqlx::query_scalar(VACANT)
            .bind(now.0)
            .fetch_optional(&mut *self.read().await?)
            .await?;
        if vacant.is_none() {
            return Ok(vec![]);
        }
        let mut change = self.write_one(Durability::Machine).await?;
        let rows = sqlx::query(
            "UPDATE regions SET epoch = epoch + 1, executor_free_at = NULL, executor = \
               (SELECT id FROM agents WHERE region = name AND revoked_at IS NULL \
                AND quarantined IS NULL ORDER BY connected DESC, id LIMIT 1) \
             WHERE executor IS NULL AND COALESCE(executor_free_at, 0) <= $1 AND EXISTS \
               (SELECT 1 FROM agents WHERE region = name AND revoked_at IS NULL \
                AND quarantined IS NULL) RETURNING executor, epoch",
        )
        .bind(now.0)
        .fetch_all(&mut *change)
        .await?;
        change.commit().await?;
        let read = |row: &Record| {
            Ok(Appointed {
                agent: parsed(TABLE, row.try_get("executor")?)?,
                epoch: from_big("regions", row.try_get("epoch")?)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
