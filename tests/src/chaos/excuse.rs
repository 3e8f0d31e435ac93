//! What may fail under faults, and how. A fault excuses a failure, never a difference.

use anyhow::{Result, bail, ensure};
use storm_protocol::{
    command::Command,
    error::{Failure, Refusal},
    ident::AccountId,
};

use super::model::Model;

impl Model {
    /// Whether a command may come to that: what faults do, and what the things that are there do.
    pub(super) fn may_fail(
        &self,
        account: AccountId,
        command: &Command,
        code: Failure,
        message: &str,
    ) -> Result<()> {
        // To an account, a bucket that was released before it is not there.
        let bucket_there = command_bucket(command)
            .and_then(|id| self.buckets.get(&id))
            .is_some_and(|bucket| bucket.account == Some(account));
        match code {
            Failure::NoSuchBucket => ensure!(!bucket_there, "the bucket is there"),
            // The agent's clock alone went back by two days, Garage's did not: no signature of then is good.
            Failure::JobBroken if message.ends_with("Date is too old") => {}
            Failure::GarageRefused | Failure::AgentLost | Failure::JobBroken => {
                bail!("nothing here leads to {code:?}")
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn may_be_refused(
        &self,
        account: AccountId,
        command: &Command,
        code: Refusal,
    ) -> Result<()> {
        match code {
            // Garage, disk or clocks were away.
            Refusal::Busy | Refusal::Expired | Refusal::NotYetValid | Refusal::Replayed => {}
            Refusal::NotYours => {
                let own = command_bucket(command)
                    .and_then(|id| self.buckets.get(&id))
                    .is_some_and(|bucket| bucket.account == Some(account));
                ensure!(!own, "the bucket is the account's own");
            }
            other => bail!("nothing here leads to {other:?}"),
        }
        Ok(())
    }
}

/// The bucket that a command is about.
fn command_bucket(command: &Command) -> Option<String> {
    let raw = command.to_raw();
    let parameters: serde_json::Value = serde_json::from_str(raw.parameters.get()).ok()?;
    // Of `bucket.create` it is a name.
    let id = parameters["bucket"].as_str()?.to_owned();
    (command.name() != "bucket.create").then_some(id)
}
