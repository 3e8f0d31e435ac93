//! Peers that knock at the hub with what is not theirs. It turns them away under a stable code, and
//! the honest agent beside them notices nothing.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    hostile_agent::HostileAgent,
    now, random,
    stack::{REGION, Stack},
    wait,
};
use reqwest::Method;
use storm_protocol::{
    command::CommandResult,
    envelope::{Envelope, PayloadType, VERSION},
    frame::{Heartbeat, MAX_FRAME_BYTES, ReceiptFrame, ToAgent, ToHub},
    ident::{Digest, OperationId},
    receipt::{Outcome, Receipt},
    result::BucketDeleted,
    trust::EnrolToken,
};

async fn token(stack: &Stack) -> Result<EnrolToken> {
    let made = stack.api.enrol_token(REGION).await?;
    EnrolToken::parse(&made.secret).context("the enrolment token has another form")
}

/// A second agent of the region, with an identity of its own.
async fn enrolled(stack: &Stack) -> Result<HostileAgent> {
    let mut agent = HostileAgent::new(&stack.server.hub_url)?;
    let refused = agent.enrol(&token(stack).await?).await?;
    ensure!(refused.is_none(), "{refused:?}");
    Ok(agent)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_turns_them_away() -> Result<()> {
    let stack = Stack::single().await?;
    without_a_certificate(&stack).await?;
    with_a_token(&stack).await?;
    with_spoilt_frames(&stack).await?;
    with_forged_receipts(&stack).await?;
    // The honest agent was connected all the while and does its work.
    stack.create_bucket("photos", None).await?;
    stack.cluster.admin.contents().await?.check_whole()
}

async fn without_a_certificate(stack: &Stack) -> Result<()> {
    let stranger = HostileAgent::new(&stack.server.hub_url)?;
    let mut wire = stranger.connect(false).await?;
    wire.send(&ToHub::Heartbeat(Heartbeat { clock: now() }))
        .await?;
    let code = wire.farewell().await?;
    ensure!(code.as_deref() == Some("not_enrolled"), "{code:?}");

    // Another's introduction does not help without the certificate.
    let enrolled = enrolled(stack).await?;
    let mut wire = enrolled.connect(false).await?;
    wire.send(&ToHub::Hello(Box::new(enrolled.hello()?)))
        .await?;
    let code = wire.farewell().await?;
    ensure!(code.as_deref() == Some("not_enrolled"), "{code:?}");
    Ok(())
}

async fn with_a_token(stack: &Stack) -> Result<()> {
    let real = token(stack).await?;
    let mut guessed = real.clone();
    guessed.secret = random()?;
    let mut stranger = HostileAgent::new(&stack.server.hub_url)?;
    let code = stranger.enrol(&guessed).await?;
    ensure!(code.as_deref() == Some("token_invalid"), "{code:?}");

    // The token is bound to the first key that it sees: asked again, the same identity.
    let mut first = HostileAgent::new(&stack.server.hub_url)?;
    ensure!(first.enrol(&real).await?.is_none());
    let given = first.enrolled.as_ref().map(|enrolled| enrolled.agent);
    ensure!(
        first.enrol(&real).await?.is_none(),
        "a lost answer burnt the token"
    );
    ensure!(first.enrolled.as_ref().map(|enrolled| enrolled.agent) == given);
    let mut second = HostileAgent::new(&stack.server.hub_url)?;
    let code = second.enrol(&real).await?;
    ensure!(code.as_deref() == Some("token_spent"), "{code:?}");

    // Spent once its agent has connected.
    let mut wire = first.connect(true).await?;
    wire.send(&ToHub::Hello(Box::new(first.hello()?))).await?;
    ensure!(matches!(wire.next().await?, Some(ToAgent::Welcome(_))));
    let code = second.enrol(&real).await?;
    ensure!(code.is_some(), "a spent token gives an identity");
    Ok(())
}

async fn with_spoilt_frames(stack: &Stack) -> Result<()> {
    let beat = serde_json::to_string(&ToHub::Heartbeat(Heartbeat { clock: now() }))?;
    let spoilt = [
        "{".to_owned(),
        "null".to_owned(),
        format!("{beat}{beat}"),
        beat.replace("\"body\"", "\"body\":{},\"body\""),
        beat.replace("{\"clock\"", "{\"shell\":\"id\",\"clock\""),
        "x".repeat(MAX_FRAME_BYTES + 1),
    ];
    for text in spoilt {
        let agent = enrolled(stack).await?;
        let mut wire = agent.connect(true).await?;
        wire.send(&ToHub::Hello(Box::new(agent.hello()?))).await?;
        let start: String = text.chars().take(60).collect();
        // The hub may have hung up before the last byte has left.
        let _ = wire.send_text(text).await;
        let code = wire.farewell().await?;
        ensure!(
            code.as_deref() == Some("protocol") || code.is_none(),
            "{start}: {code:?}"
        );
    }
    Ok(())
}

/// A receipt that nobody was asked for, in an honest form.
fn receipt(agent: &HostileAgent, stack: &Stack, operation: OperationId) -> Result<Receipt> {
    let enrolled = agent.enrolled.as_ref().context("not enrolled")?;
    Ok(Receipt {
        version: VERSION,
        agent: enrolled.agent,
        region: enrolled.region.clone(),
        sequence: 1,
        previous: None,
        account: stack.account,
        account_sequence: 1,
        account_previous: None,
        operation,
        attempt: 1,
        envelope: Digest::of(b"envelope"),
        intent: Digest::of(b"intent"),
        command: "bucket.delete".to_owned(),
        accepted_at: now(),
        finished_at: now(),
        outcome: Outcome::Done(CommandResult::BucketDelete(BucketDeleted {
            bucket: storm_protocol::ident::BucketId(random()?),
        })),
        sealed: None,
    })
}

async fn with_forged_receipts(stack: &Stack) -> Result<()> {
    // An operation of the honest agent's, done and known.
    let ping = format!("/regions/{REGION}/ping");
    let done = stack
        .api
        .settle(Method::POST, &ping, None, "before")
        .await?;
    let operation = done.operation.id;

    // An agent that answers for another's operation changes nothing of it.
    let other = enrolled(stack).await?;
    let answer = receipt(&other, stack, operation)?;
    let answer = Envelope::sign_json(PayloadType::Receipt, &answer, &other.receipt_key)?;
    send_receipt(&other, answer).await?;
    let still = stack.api.operation(operation).await?;
    ensure!(
        still.operation == done.operation,
        "{:?} became {:?}",
        done.operation,
        still.operation
    );

    // A receipt that its own key did not sign puts an agent into quarantine.
    let forger = enrolled(stack).await?;
    let stranger = ed25519_dalek::SigningKey::from_bytes(&random()?);
    let forged = receipt(&forger, stack, OperationId::new(now(), random()?))?;
    let forged = Envelope::sign_json(PayloadType::Receipt, &forged, &stranger)?;
    send_receipt(&forger, forged).await?;
    quarantined(stack, &forger).await?;
    let first = greeted(&forger).await?;
    ensure!(matches!(first, Some(ToAgent::Closing(_))), "{first:?}");
    let id = forger.enrolled.as_ref().context("not enrolled")?.agent;
    let path = format!("/agents/{id}/end-quarantine");
    let ended = stack.api.send(Method::POST, &path, None, None).await?;
    ensure!(ended.status.is_success(), "{ended:?}");
    let first = greeted(&forger).await?;
    ensure!(matches!(first, Some(ToAgent::Welcome(_))), "{first:?}");

    // So does the end of a chain that the hub has never seen, signed by another.
    let liar = enrolled(stack).await?;
    let mut hello = liar.hello()?;
    hello.head = Envelope::sign(PayloadType::Head, hello.head.payload.0.clone(), &stranger);
    let mut wire = liar.connect(true).await?;
    wire.send(&ToHub::Hello(Box::new(hello))).await?;
    let code = wire.farewell().await?;
    ensure!(code.as_deref() == Some("quarantined"), "{code:?}");
    quarantined(stack, &liar).await?;

    let again = stack.api.settle(Method::POST, &ping, None, "after").await?;
    let receipt = stack
        .api
        .verified_receipt(&again.operation, stack.root_key)
        .await?;
    ensure!(matches!(receipt.outcome, Outcome::Done(_)));
    Ok(())
}

/// What the hub says to an honest introduction.
async fn greeted(agent: &HostileAgent) -> Result<Option<ToAgent>> {
    let mut wire = agent.connect(true).await?;
    wire.send(&ToHub::Hello(Box::new(agent.hello()?))).await?;
    wire.next().await
}

/// Connects, sends one receipt, and waits until the hub has dealt with it.
async fn send_receipt(agent: &HostileAgent, receipt: Envelope) -> Result<()> {
    let mut wire = agent.connect(true).await?;
    wire.send(&ToHub::Hello(Box::new(agent.hello()?))).await?;
    let frame = ReceiptFrame {
        sequence: 1,
        receipt,
        sealed: None,
    };
    wire.send(&ToHub::Receipt(frame)).await?;
    wire.send(&ToHub::Heartbeat(Heartbeat { clock: now() }))
        .await?;
    // The heartbeat's answer, or the farewell: either comes after the receipt was read.
    while let Some(frame) = wire.next().await? {
        if matches!(frame, ToAgent::HeartbeatSeen(_) | ToAgent::Closing(_)) {
            break;
        }
    }
    Ok(())
}

async fn quarantined(stack: &Stack, agent: &HostileAgent) -> Result<()> {
    let id = agent.enrolled.as_ref().context("not enrolled")?.agent;
    wait::until("the agent to be in quarantine", async || {
        let agents = stack.api.agents().await?.items;
        let agent = agents.into_iter().find(|agent| agent.id == id);
        Ok(agent.context("no such agent")?.quarantined)
    })
    .await?;
    Ok(())
}
