//! How far jobs are, written down by the hub that hears it and read by whoever holds no agent. Worth no more
//! than a look: the receipt is the truth.

use sqlx::Row as _;
use storm_protocol::{
    api::Progress,
    ident::{AccountId, AgentId, OperationId},
};

use super::{Durability, Result, Store, from_json, parsed, sql::Record, to_json};

const TABLE: &str = "job_progress";

/// How far a job is that runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobRow {
    /// The job.
    pub(crate) operation: OperationId,
    /// Whose it is.
    pub(crate) account: AccountId,
    /// Who does it.
    pub(crate) agent: AgentId,
    /// How far it is.
    pub(crate) progress: Progress,
}

impl Store {
    /// Writes down how far these jobs are.
    pub(crate) async fn keep_job_progress(
        &self,
        moved: &[(OperationId, AgentId, Progress)],
    ) -> Result<()> {
        let mut transaction = self.write(Durability::Process).await?;
        for (operation, agent, progress) in moved {
            sqlx::query(
                "INSERT INTO job_progress (operation, agent, progress) VALUES ($1, $2, $3) \
                 ON CONFLICT (operation) DO UPDATE SET agent = $2, progress = $3",
            )
            .bind(operation.to_string())
            .bind(agent.to_string())
            .bind(to_json(TABLE, progress)?)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// How far the jobs are that run.
    pub(crate) async fn job_progress(&self) -> Result<Vec<JobRow>> {
        let rows = sqlx::query(
            "SELECT p.operation, o.account, p.agent, p.progress FROM job_progress p \
             JOIN operations o ON o.id = p.operation AND o.agent = p.agent \
             WHERE o.state IN ('sent', 'accepted')",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(JobRow {
                operation: parsed(TABLE, row.try_get("operation")?)?,
                account: parsed(TABLE, row.try_get("account")?)?,
                agent: parsed(TABLE, row.try_get("agent")?)?,
                progress: from_json(TABLE, row.try_get("progress")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Forgets how far jobs were that have ended.
    pub(crate) async fn drop_job_progress(&self) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query(
            "DELETE FROM job_progress WHERE NOT EXISTS (SELECT 1 FROM operations o \
             WHERE o.id = job_progress.operation AND o.state IN ('sent', 'accepted'))",
        )
        .execute(&mut *change)
        .await?;
        change.commit().await
    }
}
