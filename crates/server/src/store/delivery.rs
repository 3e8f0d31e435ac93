//! Operations as the hub sees them: signed ones on their way to an agent, until the receipt.

use sqlx::Row;
use storm_protocol::{
    envelope::Envelope,
    ident::{AccountId, AgentId, Micros, OperationId},
};

use super::{
    Durability, Result, Store, from_json, parsed,
    signing::{is_open, read_change},
};
use crate::app::Change;

const TABLE: &str = "operations";

/// A signed command that was not sent yet.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The operation.
    pub id: OperationId,
    /// Whose it is.
    pub account: AccountId,
    /// The agent that it is for.
    pub agent: AgentId,
    /// The command.
    pub envelope: Envelope,
}

impl Store {
    /// Signed commands for agents that are there, oldest first.
    pub async fn operations_to_send(&self, limit: u32) -> Result<Vec<Signed>> {
        let rows = sqlx::query(concat!(
            "SELECT o.id, o.account, o.agent, o.envelope FROM operations o JOIN agents a ON a.id = o.agent \
             WHERE o.",
            is_open!(),
            " AND o.state = 'signed' AND a.connected = 1 ORDER BY o.id LIMIT $1"
        ))
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Signed {
                id: parsed(TABLE, row.try_get("id")?)?,
                account: parsed(TABLE, row.try_get("account")?)?,
                agent: parsed(TABLE, row.try_get("agent")?)?,
                envelope: from_json(TABLE, row.try_get("envelope")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// These commands were handed to their agents' connections.
    pub async fn operations_sent(&self, ids: &[OperationId]) -> Result<()> {
        let mut transaction = self.write(Durability::Process).await?;
        for id in ids {
            sqlx::query("UPDATE operations SET state = 'sent' WHERE id = $1 AND state = 'signed'")
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The agent has the operation in its journal. Answers with the change when it moved.
    pub async fn operation_accepted(
        &self,
        id: OperationId,
        agent: AgentId,
    ) -> Result<Option<Change>> {
        let mut transaction = self.write(Durability::Process).await?;
        let row = sqlx::query(
            "UPDATE operations SET state = 'accepted' WHERE id = $1 AND agent = $2 \
             AND state IN ('signed', 'sent', 'unknown') RETURNING account, id",
        )
        .bind(id.to_string())
        .bind(agent.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.as_ref().map(read_change).transpose()
    }

    /// What an agent was given, signed before `before`, and has not answered, with the attempt: at
    /// most `limit`, oldest first.
    pub async fn unanswered_operations(
        &self,
        agent: AgentId,
        before: Micros,
        limit: u32,
    ) -> Result<Vec<(OperationId, u32)>> {
        let rows = sqlx::query(concat!(
            "SELECT id, attempt FROM operations WHERE ",
            is_open!(),
            " AND state <> 'requested' AND agent = $1 AND signed_at < $2 ORDER BY id LIMIT $3"
        ))
        .bind(agent.to_string())
        .bind(before.0)
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
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
        let mut transaction = self.write(Durability::Process).await?;
        let row = sqlx::query(
            "UPDATE operations SET state = 'requested' WHERE id = $1 AND agent = $2 AND attempt = $3 \
             AND state IN ('signed', 'sent', 'accepted', 'unknown') RETURNING account, id",
        )
        .bind(id.to_string())
        .bind(agent.to_string())
        .bind(i64::from(attempt))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.as_ref().map(read_change).transpose()
    }
}
