//! What comes again, comes late, or comes to an agent whose clock has jumped.

use anyhow::{Result, bail, ensure};
use e2e::harness::{now, wait};
use storm_protocol::{
    command::{BucketDelete, Command, CommandResult},
    error::Refusal,
    frame::{KnownState, ToAgent, ToHub},
    receipt::Outcome,
    seal::OpenKey,
};

use super::stage::{DAY_SECONDS, Stage, bucket_create, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivered_operation_gets_its_receipt_again() -> Result<()> {
    let mut stage = Stage::set().await?;
    let mut payload = stage.hub.payload(&bucket_create("photos")?, None)?;
    payload.expires_at = payload.issued_at.plus_seconds(5);
    let envelope = stage.hub.sign(&payload)?;
    stage.connection.command(&envelope)?;
    let (first, first_frame) = stage.connection.receipt(payload.operation).await?;
    ensure!(
        matches!(first.outcome, Outcome::Done(_)),
        "{:?}",
        first.outcome
    );
    let calls = stage.cluster.admin.calls_for_commands().await?;

    stage.connection.command(&envelope)?;
    let (_, again) = stage.connection.receipt(payload.operation).await?;
    ensure!(again == first_frame, "another receipt");

    // Signed again by a signer that had not heard the answer.
    payload.attempt = 2;
    payload.issued_at = now();
    payload.expires_at = payload.issued_at.plus_seconds(60);
    let signed_again = stage.hub.sign(&payload)?;
    stage.connection.command(&signed_again)?;
    let (_, again) = stage.connection.receipt(payload.operation).await?;
    ensure!(again == first_frame, "another receipt for another attempt");

    wait::until("the first envelope to expire", async || {
        let expiry = payload.issued_at.plus_seconds(5);
        Ok((now() > expiry).then_some(()))
    })
    .await?;
    stage.connection.command(&envelope)?;
    let (_, again) = stage.connection.receipt(payload.operation).await?;
    ensure!(again == first_frame, "another receipt after expiry");

    // A clock that jumps, either way, changes nothing.
    for shift in [-DAY_SECONDS, DAY_SECONDS] {
        stage.restart(shift).await?;
        stage.connection.command(&envelope)?;
        let (_, again) = stage.connection.receipt(payload.operation).await?;
        ensure!(again == first_frame, "another receipt {shift} seconds off");
    }
    stage.restart(0).await?;

    // The same operation with another intent is refused, and the first receipt stands.
    let mut other = payload.clone();
    other.command = bucket_create("films")?.to_raw();
    let receipt = stage.ask(&other).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::IntentConflict),
        "{:?}",
        receipt.outcome
    );
    let mut other = payload.clone();
    other.actor.operator = true;
    let receipt = stage.ask(&other).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::IntentConflict),
        "{:?}",
        receipt.outcome
    );
    let mut other = payload.clone();
    other.seal_to = Some(OpenKey::generate().seal_key());
    let receipt = stage.ask(&other).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::IntentConflict),
        "{:?}",
        receipt.outcome
    );

    let after = stage.cluster.admin.calls_for_commands().await?;
    ensure!(
        after == calls,
        "Garage was called again: {after:?} after {calls:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_back_revives_nothing() -> Result<()> {
    let mut stage = Stage::set().await?;
    // An envelope that never arrived expires.
    let mut late = stage.hub.payload(&bucket_create("late")?, None)?;
    late.expires_at = late.issued_at.plus_seconds(1);
    let expiry = late.expires_at;
    wait::until("an envelope to expire", async || {
        Ok((now() > expiry.plus_seconds(1)).then_some(()))
    })
    .await?;
    // The agent has seen a later one, so it knows that much time has passed.
    stage.breathe().await?;
    let calls = stage.cluster.admin.calls_for_commands().await?;
    stage.restart(-DAY_SECONDS).await?;
    let receipt = stage.ask(&late).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::Expired),
        "{:?}",
        receipt.outcome
    );
    ensure!(
        stage.cluster.admin.calls_for_commands().await? == calls,
        "Garage was called"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_has_forgotten_stays_forgotten() -> Result<()> {
    let mut stage = Stage::set().await?;
    let payload = stage.hub.payload(&bucket_create("photos")?, None)?;
    let envelope = stage.hub.sign(&payload)?;
    stage.connection.command(&envelope)?;
    let (receipt, _) = stage.connection.receipt(payload.operation).await?;
    let Outcome::Done(CommandResult::BucketCreate(made)) = receipt.outcome else {
        bail!("no bucket: {receipt:?}");
    };
    // The bucket goes, so that running the command again would not fail by itself.
    let delete = Command::BucketDelete(BucketDelete {
        bucket: made.bucket,
    });
    let delete = stage.hub.payload(&delete, None)?;
    let receipt = stage.ask(&delete).await?;
    ensure!(
        matches!(receipt.outcome, Outcome::Done(_)),
        "{:?}",
        receipt.outcome
    );
    let calls = stage.cluster.admin.calls_for_commands().await?;

    // Three days ahead everything acknowledged is pruned; back in the present the first envelope is
    // still fresh by the clock.
    stage.restart(3 * DAY_SECONDS).await?;
    wait::until("the journal to be pruned", async || {
        stage
            .connection
            .send(&ToAgent::Query(vec![payload.operation]))?;
        let ToHub::States(states) = stage
            .connection
            .until(|frame| matches!(frame, ToHub::States(_)))
            .await?
        else {
            bail!("no states");
        };
        Ok((states[0].state == KnownState::Unknown).then_some(()))
    })
    .await?;
    stage.restart(0).await?;
    stage.connection.command(&envelope)?;
    let (receipt, _) = stage.connection.receipt(payload.operation).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::Replayed),
        "{:?}",
        receipt.outcome
    );
    ensure!(
        stage.cluster.admin.calls_for_commands().await? == calls,
        "Garage was called"
    );
    Ok(())
}
