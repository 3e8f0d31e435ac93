//! What a signer that is trusted can still not do.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{now, random};
use serde_json::{Value, json};
use storm_protocol::{
    command::{BucketDelete, Command, CommandResult, KeyCreate, RawCommand},
    envelope::CommandPayload,
    error::Refusal,
    ident::{AccountId, AgentId, OperationId},
    receipt::Outcome,
};

use super::stage::{DAY_SECONDS, DISABLED, Stage, bucket_create, refusal};

/// Spoils a sound payload.
type Spoil = fn(&mut CommandPayload) -> Result<()>;

/// What a signer that is trusted can still not do. The answer is a receipt.
const SIGNED: &[(&str, Refusal, Spoil)] = &[
    ("to another agent", Refusal::WrongAudience, |payload| {
        payload.audience.agent = AgentId::new(now(), random()?);
        Ok(())
    }),
    ("to another region", Refusal::WrongAudience, |payload| {
        payload.audience.region = "elsewhere".parse()?;
        Ok(())
    }),
    (
        "of an epoch that has passed",
        Refusal::OldEpoch,
        |payload| {
            payload.audience.epoch = 0;
            Ok(())
        },
    ),
    ("that has expired", Refusal::Expired, |payload| {
        payload.issued_at = now().plus_seconds(-50);
        payload.expires_at = now().plus_seconds(-1);
        Ok(())
    }),
    ("from the future", Refusal::NotYetValid, |payload| {
        payload.issued_at = now().plus_seconds(30);
        payload.expires_at = now().plus_seconds(60);
        Ok(())
    }),
    (
        "that is valid for too long",
        Refusal::NotYetValid,
        |payload| {
            payload.expires_at = payload.issued_at.plus_seconds(3600);
            Ok(())
        },
    ),
    ("from before the journal", Refusal::Replayed, |payload| {
        payload.operation = OperationId::new(now().plus_seconds(-DAY_SECONDS), random()?);
        Ok(())
    }),
    (
        "outside the whitelist",
        Refusal::UnknownCommand,
        |payload| {
            payload.command.name = "shell.run".to_owned();
            Ok(())
        },
    ),
    (
        "that is switched off",
        Refusal::DisabledCommand,
        |payload| {
            let key = json!({ "key": "GK0123456789abcdef01234567" });
            raw(payload, DISABLED, &key)
        },
    ),
    ("with a bad name", Refusal::BadParameters, |payload| {
        let bad = json!({
            "bucket": "NOT A NAME", "quota_bytes": null, "quota_objects": null,
            "abort_uploads_after_days": null, "key": null,
        });
        raw(payload, "bucket.create", &bad)
    }),
    (
        "with a parameter too many",
        Refusal::BadParameters,
        |payload| {
            let bad = json!({
                "bucket": "name", "quota_bytes": null, "quota_objects": null,
                "abort_uploads_after_days": null, "key": null, "shell": "id",
            });
            raw(payload, "bucket.create", &bad)
        },
    ),
    (
        "without a key to seal to",
        Refusal::SealKeyRequired,
        |payload| {
            let create = Command::KeyCreate(KeyCreate {
                label: "label".parse()?,
                expires_at: None,
                create_buckets: false,
                grants: vec![],
            });
            payload.command = create.to_raw();
            Ok(())
        },
    ),
];

fn raw(payload: &mut CommandPayload, name: &str, parameters: &Value) -> Result<()> {
    payload.command = RawCommand {
        name: name.to_owned(),
        parameters: serde_json::value::to_raw_value(parameters)?,
    };
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_signer_is_refused_with_a_receipt() -> Result<()> {
    let mut stage = Stage::set().await?;
    let before = stage.cluster.admin.calls_for_commands().await?;
    for (what, code, spoil) in SIGNED {
        let mut payload = stage.hub.payload(&bucket_create("never")?, None)?;
        spoil(&mut payload)?;
        let receipt = stage
            .ask(&payload)
            .await
            .with_context(|| format!("a command {what}"))?;
        ensure!(
            refusal(&receipt) == Some(*code),
            "a command {what}: {:?}",
            receipt.outcome
        );
    }
    ensure!(
        stage.cluster.admin.calls_for_commands().await? == before,
        "Garage was called"
    );
    stage.agent.expect(&["audit", "verify"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_bucket_is_out_of_reach() -> Result<()> {
    let mut stage = Stage::set().await?;
    let payload = stage.hub.payload(&bucket_create("photos")?, None)?;
    let receipt = stage.ask(&payload).await?;
    let Outcome::Done(CommandResult::BucketCreate(made)) = receipt.outcome else {
        bail!("no bucket: {receipt:?}");
    };
    let before = stage.cluster.admin.calls_for_commands().await?;
    let delete = Command::BucketDelete(BucketDelete {
        bucket: made.bucket,
    });
    let mut payload = stage.hub.payload(&delete, None)?;
    payload.actor.account = AccountId::new(now(), random()?);
    let receipt = stage.ask(&payload).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::NotYours),
        "{:?}",
        receipt.outcome
    );
    ensure!(receipt.account == payload.actor.account && receipt.account_sequence == 1);
    ensure!(
        stage.cluster.admin.calls_for_commands().await? == before,
        "Garage was called"
    );

    // A bucket that another program made is nobody's, and so not the caller's either.
    let nobodys = stage.cluster.admin.create_bucket("films").await?;
    let before = stage.cluster.admin.calls_for_commands().await?;
    let reach = Command::BucketDelete(BucketDelete {
        bucket: nobodys.parse()?,
    });
    let payload = stage.hub.payload(&reach, None)?;
    let receipt = stage.ask(&payload).await?;
    ensure!(
        refusal(&receipt) == Some(Refusal::NotYours),
        "{:?}",
        receipt.outcome
    );
    ensure!(
        stage.cluster.admin.calls_for_commands().await? == before,
        "Garage was called"
    );

    let payload = stage.hub.payload(&delete, None)?;
    let receipt = stage.ask(&payload).await?;
    ensure!(
        refusal(&receipt).is_none(),
        "its owner is refused: {:?}",
        receipt.outcome
    );
    let contents = stage.cluster.admin.contents().await?;
    ensure!(contents.buckets.keys().eq([&nobodys]), "{contents:?}");
    Ok(())
}
