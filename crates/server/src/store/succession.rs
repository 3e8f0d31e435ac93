//! The executor's role on its way from one agent to another: asked for by an operator, given up by the
//! old one's signed release, and moved in the transaction that stores this.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    frame::ExecutorState,
    ident::{AgentId, Micros, OperationId, RegionName},
    receipt::Receipt,
    result::ExecutorReleased,
};

use super::{
    Durability, Result, Store, Writing, from_big,
    operations::{self, NewOperation, Requested, counts},
    parsed, parsed_option,
    security::SecurityEvent,
    to_big,
};
use crate::app::Change;

const TABLE: &str = "regions";

/// A role that is to move.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// Who has it.
    pub from: AgentId,
    /// In this epoch.
    pub epoch: u64,
    /// Who is to have it.
    pub to: AgentId,
}

/// What became of a wish to move a region's role.
#[derive(Debug)]
pub enum Moving {
    /// The executor is asked to give it up.
    Asked(Box<Requested>),
    /// It is on its way already, or has moved meanwhile; nothing was written.
    Underway,
}

impl Store {
    /// Asks a region's executor to give up its role for another agent: writes the request down, and
    /// with it who is to follow. A region has one such request open at most.
    pub async fn request_release(&self, new: NewOperation, role: Move) -> Result<Moving> {
        let digest = operations::digest_of(&new, &role.to.to_string());
        let mut transaction = self.write(Durability::Process).await?;
        let Some(operation) = operations::insert(&mut transaction, &new, digest).await? else {
            drop(transaction);
            let before = self.asked_before(&new, digest).await?;
            return Ok(Moving::Asked(Box::new(before)));
        };
        let noted = sqlx::query(concat!(
            "UPDATE regions SET next_executor = $2, release_operation = $3 \
             WHERE name = $1 AND executor = $4 AND epoch = $5 AND NOT EXISTS \
             (SELECT 1 FROM operations WHERE id = release_operation AND ",
            counts!(),
            ")"
        ))
        .bind(new.region.as_str())
        .bind(role.to.to_string())
        .bind(new.id.to_string())
        .bind(role.from.to_string())
        .bind(to_big(role.epoch))
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        if !noted {
            return Ok(Moving::Underway);
        }
        transaction.commit().await?;
        Ok(Moving::Asked(Box::new(Requested::New(operation))))
    }

    /// The role of each agent of a region that is there.
    pub async fn roles(&self, region: &RegionName) -> Result<Vec<(AgentId, ExecutorState)>> {
        let rows = sqlx::query(
            "SELECT a.id, r.epoch, CASE WHEN r.executor = a.id THEN 1 ELSE 0 END AS executor \
             FROM agents a JOIN regions r ON r.name = a.region \
             WHERE a.region = $1 AND a.connected = 1 AND a.revoked_at IS NULL",
        )
        .bind(region.as_str())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            let state = ExecutorState {
                executor: row.try_get::<i64, _>("executor")? != 0,
                epoch: from_big(TABLE, row.try_get("epoch")?)?,
            };
            Ok((parsed("agents", row.try_get("id")?)?, state))
        };
        rows.iter().map(read).collect()
    }
}

/// An agent has given up its role, as this receipt says: moves it, if the agent still has it. What was
/// signed for the old one and never left is signed for the next. Without a follower that may be one
/// the role is free, and the hub gives it away.
pub(super) async fn released(
    transaction: &mut Writing,
    receipt: &Receipt,
    given_up: &ExecutorReleased,
    now: Micros,
) -> Result<Vec<Change>> {
    let row = sqlx::query(
        "SELECT r.next_executor, r.release_operation, a.id AS able FROM regions r \
         LEFT JOIN agents a ON a.id = r.next_executor AND a.region = r.name \
           AND a.revoked_at IS NULL AND a.quarantined IS NULL \
         WHERE r.name = $1 AND r.executor = $2 AND r.epoch = $3",
    )
    .bind(receipt.region.as_str())
    .bind(receipt.agent.to_string())
    .bind(to_big(given_up.epoch))
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(row) = row else { return Ok(vec![]) };
    let asked: Option<OperationId> = parsed_option(TABLE, row.try_get("release_operation")?)?;
    let able: Option<AgentId> = parsed_option(TABLE, row.try_get("able")?)?;
    // A release that was signed offline names no follower.
    let next = able.filter(|_| asked == Some(receipt.operation));
    cancel_release(transaction, receipt.agent, now).await?;
    sqlx::query(
        "UPDATE regions SET executor = $2, executor_free_at = NULL, next_executor = NULL, \
         epoch = epoch + CASE WHEN $2 IS NULL THEN 0 ELSE 1 END WHERE name = $1",
    )
    .bind(receipt.region.as_str())
    .bind(next.map(|agent| agent.to_string()))
    .execute(&mut **transaction)
    .await?;
    take_back_unsent(transaction, receipt.agent).await?;
    let follower = next.map_or_else(|| "no agent".to_owned(), |agent| format!("agent {agent}"));
    let event = SecurityEvent {
        kind: "executor_moved",
        subject: receipt.region.as_str(),
        origin: None,
        detail: &format!(
            "from agent {} to {follower}, by operation {}",
            receipt.agent, receipt.operation
        ),
    };
    event.insert(transaction, now).await?;
    let agents = [Some(receipt.agent), next].into_iter().flatten();
    Ok(agents.map(Change::Agent).collect())
}

/// Cancels what was to move a role from or to `agent` and has not left yet.
pub(super) async fn cancel_release(
    transaction: &mut Writing,
    agent: AgentId,
    now: Micros,
) -> Result<()> {
    sqlx::query(
        "UPDATE operations SET state = 'cancelled', finished_at = $2 \
         WHERE state IN ('requested', 'signed') AND id IN \
         (SELECT release_operation FROM regions WHERE executor = $1 OR next_executor = $1)",
    )
    .bind(agent.to_string())
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// What is signed for `agent` and never left waits for the next signature.
pub(super) async fn take_back_unsent(transaction: &mut Writing, agent: AgentId) -> Result<()> {
    sqlx::query("UPDATE operations SET state = 'requested' WHERE agent = $1 AND state = 'signed'")
        .bind(agent.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
