//! Agents that never come back: what becomes of the operations that they had taken.

use sqlx::Row;
use storm_protocol::{
    command::{Command, ExecutorRelease},
    error::Failure,
    ident::{AgentId, Micros, UserId},
    receipt::Outcome,
};

use super::{
    Durability, Result, Store, Writing, security::SecurityEvent, signing::read_change, to_json,
};
use crate::app::Change;

const TABLE: &str = "operations";

/// What became of the word that an agent is lost.
#[derive(Debug)]
pub enum Lost {
    /// Its operations are no longer unknown.
    Now {
        /// How many the next executor is asked for.
        asked_again: u32,
        /// How many ended as failed.
        ended: u32,
        /// All of them.
        changes: Vec<Change>,
    },
    /// It may come back: it is not revoked.
    NotRevoked,
    /// There is no such agent.
    NoSuchAgent,
}

impl Store {
    /// A revoked agent is lost with all that it knows. What it had taken is asked of the region's next
    /// executor, under the same ids, until `give_up_at`; what concerned this agent alone, or what only
    /// its own journal could tell, ends as failed. Noted among the security events. On disk when this
    /// returns.
    pub async fn agent_lost(
        &self,
        agent: AgentId,
        by_user: UserId,
        now: Micros,
        give_up_at: Micros,
    ) -> Result<Lost> {
        let mut transaction = self.write(Durability::Machine).await?;
        let row = sqlx::query("SELECT revoked_at FROM agents WHERE id = $1")
            .bind(agent.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            return Ok(Lost::NoSuchAgent);
        };
        if row.try_get::<Option<i64>, _>("revoked_at")?.is_none() {
            return Ok(Lost::NotRevoked);
        }
        let ended = end(&mut transaction, agent, now).await?;
        let asked_again = ask_again(&mut transaction, agent, give_up_at).await?;
        let (again, over) = (count(&asked_again), count(&ended));
        let event = SecurityEvent {
            kind: "agent_lost",
            subject: &agent.to_string(),
            origin: None,
            detail: &format!("by user {by_user}; {again} asked again, {over} ended"),
        };
        event.insert(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(Lost::Now {
            asked_again: again,
            ended: over,
            changes: ended.into_iter().chain(asked_again).collect(),
        })
    }
}

/// How an operation ends that a lost agent had taken and nobody carried on.
pub(crate) fn agent_lost() -> Outcome {
    Outcome::Failed {
        code: Failure::AgentLost,
        message: Failure::AgentLost.sentence().to_owned(),
    }
}

/// Its own release moves nothing any more; what was signed offline was signed for it alone.
async fn end(transaction: &mut Writing, agent: AgentId, now: Micros) -> Result<Vec<Change>> {
    let release = Command::ExecutorRelease(ExecutorRelease {});
    let rows = sqlx::query(
        "UPDATE operations SET state = 'failed', outcome = $2, finished_at = $3, lost_agent = agent \
         WHERE agent = $1 AND state IN ('sent', 'accepted', 'unknown') \
         AND (command = $4 OR via = 'offline') RETURNING account, id",
    )
    .bind(agent.to_string())
    .bind(to_json(TABLE, &agent_lost())?)
    .bind(now.0)
    .bind(release.row().name)
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(read_change).collect()
}

async fn ask_again(
    transaction: &mut Writing,
    agent: AgentId,
    give_up_at: Micros,
) -> Result<Vec<Change>> {
    let rows = sqlx::query(
        "UPDATE operations SET state = 'requested', give_up_at = $2, lost_agent = agent \
         WHERE agent = $1 AND state IN ('sent', 'accepted', 'unknown') RETURNING account, id",
    )
    .bind(agent.to_string())
    .bind(give_up_at.0)
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(read_change).collect()
}

fn count(changes: &[Change]) -> u32 {
    u32::try_from(changes.len()).unwrap_or(u32::MAX)
}
