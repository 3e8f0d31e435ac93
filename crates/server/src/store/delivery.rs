//! Operations as the hub sees them: signed ones on their way to an agent, until the receipt.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    envelope::Envelope,
    ident::{AccountId, AgentId, Micros, OperationId},
};

use super::{Durability, Result, Store, from_json, parsed, signing::read_change};
use crate::app::Change;

const TABLE: &str = "operations";

/// Seconds after its signature until which a command is handed out; it is valid for 60.
const HAND_OUT_SECONDS: i64 = 55;

/// A command that is about to be sent.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The operation.
    pub id: OperationId,
    /// Whose it is.
    pub account: AccountId,
    /// When it was signed.
    pub signed_at: Micros,
    /// The command.
    pub envelope: Envelope,
}

impl Store {
    /// Agents that this hub holds and for which signed commands wait.
    pub async fn agents_with_commands(&self, hub: &str) -> Result<Vec<AgentId>> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT o.agent FROM operations o JOIN hub_agents h ON h.agent = o.agent \
             WHERE o.state = 'signed' AND h.hub = $1",
        )
        .bind(hub)
        .fetch_all(&mut *self.read().await?)
        .await?;
        ids.iter().map(|id| parsed(TABLE, id)).collect()
    }

    /// Takes an agent's signed commands to be sent at once, oldest first, `limit` at most; none when this
    /// hub is not the one that holds it. They count as sent from here on: whatever cuts the caller off, the
    /// agent is asked about them, and none goes out twice.
    pub async fn claim_commands(
        &self,
        agent: AgentId,
        hub: &str,
        now: Micros,
        limit: u32,
    ) -> Result<Vec<Claimed>> {
        let mut change = self.write_one(Durability::Process).await?;
        let rows = sqlx::query(
            "UPDATE operations SET state = 'sent' WHERE state = 'signed' AND id IN \
             (SELECT id FROM operations WHERE agent = $1 AND state = 'signed' AND signed_at > $2 \
              AND EXISTS (SELECT 1 FROM hub_agents WHERE agent = $1 AND hub = $4) \
              ORDER BY id LIMIT $3) RETURNING id, account, signed_at, envelope",
        )
        .bind(agent.to_string())
        .bind(now.plus_seconds(-HAND_OUT_SECONDS).0)
        .bind(i64::from(limit))
        .bind(hub)
        .fetch_all(&mut *change)
        .await?;
        change.commit().await?;
        let read = |row: &Record| {
            Ok(Claimed {
                id: parsed(TABLE, row.try_get("id")?)?,
                account: parsed(TABLE, row.try_get("account")?)?,
                signed_at: Micros(row.try_get("signed_at")?),
                envelope: from_json(TABLE, row.try_get("envelope")?)?,
            })
        };
        let mut claimed = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        // RETURNING promises no order.
        claimed.sort_by_key(|claimed| claimed.id);
        Ok(claimed)
    }

    /// The agent has these operations in its journal. Answers with those that moved.
    pub async fn operations_accepted(
        &self,
        ids: &[OperationId],
        agent: AgentId,
    ) -> Result<Vec<Change>> {
        let mut moved = vec![];
        let mut transaction = self.write(Durability::Process).await?;
        for id in ids {
            let row = sqlx::query(
                "UPDATE operations SET state = 'accepted' WHERE id = $1 AND agent = $2 \
                 AND state IN ('sent', 'unknown') RETURNING account, id",
            )
            .bind(id.to_string())
            .bind(agent.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
            moved.extend(row.as_ref().map(read_change).transpose()?);
        }
        transaction.commit().await?;
        Ok(moved)
    }

    /// What an agent was given, signed before `before`, and has not answered, with the attempt: at
    /// most `limit`, oldest first.
    pub async fn unanswered_operations(
        &self,
        agent: AgentId,
        before: Micros,
        limit: u32,
    ) -> Result<Vec<(OperationId, u32)>> {
        let rows = sqlx::query(
            "SELECT id, attempt FROM operations WHERE state IN ('sent', 'accepted', 'unknown') \
             AND agent = $1 AND signed_at < $2 ORDER BY id LIMIT $3",
        )
        .bind(agent.to_string())
        .bind(before.0)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            let attempt: i64 = row.try_get("attempt")?;
            let id = parsed(TABLE, row.try_get("id")?)?;
            Ok((id, u32::try_from(attempt).unwrap_or(u32::MAX)))
        };
        rows.iter().map(read).collect()
    }

    /// The agent does not know this attempt of the operation: it may be signed afresh. On disk with
    /// the next signature, which is the first thing that can follow from it.
    pub async fn operation_unknown(
        &self,
        id: OperationId,
        agent: AgentId,
        attempt: u32,
    ) -> Result<Option<Change>> {
        let mut change = self.write_one(Durability::Process).await?;
        let rows = sqlx::query(
            "UPDATE operations SET state = 'requested' WHERE id = $1 AND agent = $2 AND attempt = $3 \
             AND state IN ('sent', 'accepted', 'unknown') RETURNING account, id",
        )
        .bind(id.to_string())
        .bind(agent.to_string())
        .bind(i64::from(attempt))
        .fetch_all(&mut *change)
        .await?;
        change.commit().await?;
        rows.first().map(read_change).transpose()
    }
}
