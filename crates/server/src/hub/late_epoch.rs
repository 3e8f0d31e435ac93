//! An agent that has seen a later executor than the database knows.

use super::{agent::Session, connection::End};
use crate::store::late_epoch::Claim;

impl Session<'_> {
    /// Once the agent's receipts are there up to `kept`, and do not tell how the role moved: begins an epoch that
    /// no agent has seen, without which nobody would take commands any more.
    pub(super) async fn pass_epoch(&mut self, kept: u64) -> Result<(), End> {
        let Some((_, seen)) = self.later.take_if(|(after, _)| *after <= kept) else {
            return Ok(());
        };
        let (app, region) = (&self.hub.app, &self.agent.region);
        let (agent, now) = (self.agent.id, app.clock.now());
        match app.store.pass_epoch(region, agent, seen, now).await? {
            Claim::Idle => {}
            Claim::TooSoon => tracing::warn!(
                %agent, %region, seen,
                "the agent claims again, within an hour, to have seen a later executor; it is not believed: remove it \
                 if this database was not restored meanwhile"
            ),
            Claim::Passed => {
                tracing::warn!(
                    %agent, %region, seen,
                    "the agent had seen a later executor than this database knew, as after the restoration of an \
                     old backup; a new epoch has begun"
                );
                self.hub.tell_roles(region).await?;
            }
        }
        Ok(())
    }
}
