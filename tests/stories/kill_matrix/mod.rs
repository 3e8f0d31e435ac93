//! SIGKILL of the agent at each step: around each journal commit and before, inside and after each
//! admin call and S3 request of the commands that change things. Whatever the moment, the operation ends in a known
//! state, Garage holds nothing half-made, and a secret that the client received works.

mod cancels;
mod checks;
mod commands;
mod jobs;
mod points;
mod updates;

use anyhow::{Result, bail};
use e2e::harness::{garage::Cluster, stack::Stack};
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    receipt::Outcome,
    seal::OpenKey,
};

use checks::{check_done, check_taken_back};
use commands::{Fixture, Kind};

/// What the kills came to.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    half_made: u32,
    done: u32,
    taken_back: u32,
}

impl Tally {
    /// Looks at what a kill has left, before the agent is back.
    async fn look(&mut self, cluster: &Cluster) -> Result<()> {
        self.kills += 1;
        let contents = cluster.admin.contents().await?;
        self.half_made += u32::from(contents.check_whole().is_err());
        Ok(())
    }

    /// Sees that the operation has ended in a known state, and that Garage holds just that.
    async fn check(
        &mut self,
        stack: &Stack,
        kind: Kind,
        fixture: &Fixture,
        answer: &OperationAnswer,
        seal: &OpenKey,
    ) -> Result<()> {
        let contents = stack.cluster.admin.contents().await?;
        contents.check_whole()?;
        match (&answer.operation.state, &answer.operation.outcome) {
            (OperationStatus::Done, Some(Outcome::Done(result))) => {
                self.done += 1;
                check_done(stack, kind, fixture, answer, result, seal, &contents).await
            }
            (OperationStatus::Failed, Some(Outcome::Failed { .. })) => {
                self.taken_back += 1;
                check_taken_back(stack, kind, fixture, &contents)
            }
            other => bail!("the operation ended as {other:?}"),
        }
    }

    /// Sees that the whole matrix is one unbroken chain of receipts and has left nothing.
    async fn close(&self, stack: &Stack) -> Result<()> {
        println!("{self:?}");
        stack.agent.expect(&["audit", "verify"])?;
        stack.cluster.admin.contents().await?.check_whole()
    }
}
