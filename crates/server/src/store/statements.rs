//! Agents' statements, which have to be signed anew when a dispatch key goes.

use storm_protocol::{envelope::Envelope, ident::AgentId};

use super::{Durability, Result, Store, to_json};

impl Store {
    /// Puts a newly signed statement of an agent in the place of the one before. On disk when this
    /// returns.
    pub async fn replace_statement(&self, agent: AgentId, statement: &Envelope) -> Result<()> {
        let mut change = self.write_one(Durability::Machine).await?;
        sqlx::query("UPDATE agents SET statement = $2 WHERE id = $1")
            .bind(agent.to_string())
            .bind(to_json("agents", statement)?)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }
}
