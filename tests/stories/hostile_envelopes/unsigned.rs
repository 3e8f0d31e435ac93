//! What nobody trusted signed, and what is no envelope at all.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{hostile_hub::HostileHub, random, wait};
use storm_protocol::{
    command::MAX_ENVELOPE_BYTES,
    encoding,
    envelope::{Envelope, PayloadType},
    error::Refusal,
    frame::ToAgent,
};

use super::stage::{Stage, bucket_create};

/// Frames that say nothing trustworthy: counted, never answered.
fn unsigned(hub: &HostileHub) -> Result<Vec<(&'static str, Refusal, String)>> {
    let sound = hub.payload(&bucket_create("never")?, None)?;
    let envelope = hub.sign(&sound)?;
    let frame = |envelope: &Envelope| serde_json::to_string(&ToAgent::Command(envelope.clone()));
    let text = frame(&envelope)?;
    let signed = |payload: &str| {
        frame(&Envelope::sign(
            PayloadType::Command,
            payload.as_bytes().to_vec(),
            &hub.dispatch,
        ))
    };
    let payload = serde_json::to_string(&sound)?;
    let head = "{\"version\":1,";
    ensure!(payload.starts_with(head), "{payload}");

    let stranger = ed25519_dalek::SigningKey::from_bytes(&random()?);
    let forged = Envelope::sign_json(PayloadType::Command, &sound, &stranger)?;
    let offline = Envelope::sign_json(PayloadType::Command, &sound, &hub.offline)?;
    let mut borrowed = forged.clone();
    borrowed.signatures[0].keyid = envelope.signatures[0].keyid;
    let mut altered = envelope.clone();
    altered.payload.0 = payload.replace("never", "other").into_bytes();
    let mut bare = envelope.clone();
    bare.signatures.clear();
    let mut crowded = envelope.clone();
    crowded.signatures = vec![envelope.signatures[0].clone(); 5];
    let other_type = Envelope::sign_json(PayloadType::Receipt, &sound, &hub.dispatch)?;
    let mut relabelled = other_type.clone();
    relabelled.payload_type = PayloadType::Command.as_str().to_owned();

    let filler = "x".repeat(MAX_ENVELOPE_BYTES);
    let large = encoding::encode(filler.as_bytes());
    let body = text.find("\"body\":{").context("a frame has a body")? + "\"body\":{".len();
    let with = |member: &str| format!("{}{member},{}", &text[..body], &text[body..]);
    Ok(vec![
        (
            "a stranger's signature",
            Refusal::BadSignature,
            frame(&forged)?,
        ),
        (
            "a stranger's under a known id",
            Refusal::BadSignature,
            frame(&borrowed)?,
        ),
        (
            "an offline key on the channel",
            Refusal::BadSignature,
            frame(&offline)?,
        ),
        (
            "other words under the signature",
            Refusal::BadSignature,
            frame(&altered)?,
        ),
        ("no signature", Refusal::BadSignature, frame(&bare)?),
        ("five signatures", Refusal::BadSignature, frame(&crowded)?),
        (
            "a receipt for a command",
            Refusal::WrongPayloadType,
            frame(&other_type)?,
        ),
        (
            "a receipt's signature",
            Refusal::BadSignature,
            frame(&relabelled)?,
        ),
        (
            "more than an envelope holds",
            Refusal::Oversized,
            text.replace(&encoding::encode(payload.as_bytes()), &large),
        ),
        (
            "a member twice",
            Refusal::DuplicateKey,
            with("\"payload\":\"AA==\""),
        ),
        (
            "an unknown member",
            Refusal::UnknownField,
            with("\"shell\":\"id\""),
        ),
        (
            "bytes after the end",
            Refusal::TrailingData,
            format!("{text}{{}}"),
        ),
        ("no JSON", Refusal::Malformed, "command, please".to_owned()),
        (
            "a member of the payload twice",
            Refusal::DuplicateKey,
            signed(&payload.replacen(head, "{\"version\":1,\"version\":1,", 1))?,
        ),
        (
            "an unknown member of the payload",
            Refusal::UnknownField,
            signed(&payload.replacen(head, "{\"version\":1,\"shell\":\"id\",", 1))?,
        ),
        (
            "bytes after the payload",
            Refusal::TrailingData,
            signed(&format!("{payload} {{}}"))?,
        ),
        (
            "a version from the future",
            Refusal::UnsupportedVersion,
            signed(&payload.replacen(head, "{\"version\":2,", 1))?,
        ),
        (
            "a payload that is no JSON",
            Refusal::Malformed,
            signed("command, please")?,
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_trusted_signed_is_counted_and_never_runs() -> Result<()> {
    let mut stage = Stage::set().await?;
    let before = stage.cluster.admin.calls_for_commands().await?;
    for (what, code, text) in unsigned(&stage.hub)? {
        let count =
            |counted: &BTreeMap<String, u64>| counted.get(code.code()).copied().unwrap_or(0);
        let earlier = count(&stage.counted()?);
        stage.connection.send_text(&text)?;
        let counted = wait::until("the refusal to be counted", async || {
            Ok((count(&stage.counted()?) == earlier + 1).then_some(()))
        });
        counted.await.with_context(|| format!("{what} ({code})"))?;
        // The agent lives on and still takes what is sound.
        stage
            .breathe()
            .await
            .with_context(|| format!("after {what}"))?;
    }
    ensure!(
        stage.cluster.admin.calls_for_commands().await? == before,
        "Garage was called"
    );
    Ok(())
}
