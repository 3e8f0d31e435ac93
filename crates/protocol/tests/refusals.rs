//! What the reader of envelopes refuses, and under which name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use storm_protocol::{
    command::MAX_ENVELOPE_BYTES,
    envelope::{CommandPayload, Envelope, PayloadType, VerifyKey},
    error::Refusal,
    frame::{MAX_FRAME_BYTES, ToAgent, ToHub},
};

const PAYLOAD: &str = r#"{"version":1,"operation":"019aa000-0000-7000-8000-000000000004","attempt":1,
"audience":{"agent":"019aa000-0000-7000-8000-000000000003","region":"helsinki","epoch":1},
"issued_at":1,"expires_at":2,"actor":{"account":"019aa000-0000-7000-8000-000000000001",
"user":"019aa000-0000-7000-8000-000000000002","operator":false,"via":"api"},
"command":{"name":"agent.ping","parameters":{}}}"#;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn signed() -> Value {
    let envelope = Envelope::sign(PayloadType::Command, PAYLOAD.into(), &key());
    serde_json::to_value(envelope).unwrap()
}

fn parse(value: &Value) -> Result<Envelope, Refusal> {
    Envelope::parse(value.to_string().as_bytes())
}

fn verify(envelope: &Envelope) -> Result<(), Refusal> {
    envelope
        .verify(PayloadType::Command, &[VerifyKey::of(&key())])
        .map(|_| ())
}

#[test]
fn a_sound_envelope_passes() {
    let envelope = parse(&signed()).unwrap();
    verify(&envelope).unwrap();
    CommandPayload::parse(PAYLOAD.as_bytes()).unwrap();
}

#[test]
fn bytes_that_are_not_one_plain_document_are_refused_by_name() {
    let text = signed().to_string();
    let refused = |text: &str| Envelope::parse(text.as_bytes()).unwrap_err();
    assert_eq!(
        refused(&" ".repeat(MAX_ENVELOPE_BYTES + 1)),
        Refusal::Oversized
    );
    assert_eq!(refused(&format!("{text}{{}}")), Refusal::TrailingData);
    assert_eq!(refused(&text[..text.len() - 1]), Refusal::Malformed);
    assert_eq!(refused("[]"), Refusal::Malformed);
    let twice = text.replacen('{', r#"{"payloadType":"x","#, 1);
    assert_eq!(refused(&twice), Refusal::DuplicateKey);
    let extra = text.replacen('{', r#"{"extra":1,"#, 1);
    assert_eq!(refused(&extra), Refusal::UnknownField);
    assert_eq!(refused(&"[".repeat(10_000)), Refusal::Malformed);
}

#[test]
fn base64_has_one_spelling() {
    let mut value = signed();
    let payload = value["payload"].as_str().unwrap().to_owned();
    for spelling in [
        payload.trim_end_matches('=').to_owned() + "\n",
        payload.replace('+', "-") + "=",
    ] {
        value["payload"] = json!(spelling);
        assert_eq!(parse(&value).unwrap_err(), Refusal::Malformed, "{spelling}");
    }
}

#[test]
fn signatures_are_counted_and_checked_over_type_and_payload() {
    let sound = parse(&signed()).unwrap();

    let mut none = sound.clone();
    none.signatures.clear();
    assert_eq!(verify(&none), Err(Refusal::BadSignature));

    let mut five = sound.clone();
    five.signatures = vec![sound.signatures[0].clone(); 5];
    assert_eq!(verify(&five), Err(Refusal::BadSignature));

    let mut changed = sound.clone();
    changed.payload.0[10] ^= 1;
    assert_eq!(verify(&changed), Err(Refusal::BadSignature));

    let mut other_type = sound.clone();
    other_type.payload_type = PayloadType::Receipt.as_str().to_owned();
    assert_eq!(verify(&other_type), Err(Refusal::WrongPayloadType));

    // The signature holds for the type that was signed, not for one put on later.
    let as_receipt = Envelope::sign(PayloadType::Receipt, PAYLOAD.into(), &key());
    let mut retyped = as_receipt;
    retyped.payload_type = PayloadType::Command.as_str().to_owned();
    assert_eq!(verify(&retyped), Err(Refusal::BadSignature));

    // A key id that names a trusted key proves nothing.
    let mut forged = Envelope::sign(
        PayloadType::Command,
        PAYLOAD.into(),
        &SigningKey::from_bytes(&[6; 32]),
    );
    forged.signatures[0].keyid = VerifyKey::of(&key()).id();
    assert_eq!(verify(&forged), Err(Refusal::BadSignature));

    // One good signature among others is enough.
    let mut several = sound.clone();
    several.signatures.insert(0, forged.signatures[0].clone());
    assert_eq!(verify(&several), Ok(()));
}

#[test]
fn payloads_are_read_strictly_at_every_depth() {
    let refused = |text: String| CommandPayload::parse(text.as_bytes()).unwrap_err();
    let deep = PAYLOAD.replace(r#""parameters":{}"#, r#""parameters":{"a":{"b":1,"b":2}}"#);
    assert_eq!(refused(deep), Refusal::DuplicateKey);
    assert_eq!(refused(format!("{PAYLOAD} null")), Refusal::TrailingData);
    assert_eq!(
        refused(PAYLOAD.replace(r#""version":1"#, r#""version":2"#)),
        Refusal::UnsupportedVersion
    );
    assert_eq!(
        refused(PAYLOAD.replace(r#""epoch":1"#, r#""epoch":1,"x":0"#)),
        Refusal::UnknownField
    );
    assert_eq!(
        refused(PAYLOAD.replace("-7000-", "-4000-")),
        Refusal::Malformed
    );
    assert_eq!(
        refused(PAYLOAD.replace("019aa000", "019AA000")),
        Refusal::Malformed
    );
}

#[test]
fn frames_are_bounded_and_strict() {
    let big = vec![b' '; MAX_FRAME_BYTES + 1];
    assert_eq!(ToHub::parse(&big).unwrap_err(), Refusal::Oversized);
    assert_eq!(ToAgent::parse(&big).unwrap_err(), Refusal::Oversized);
    let unknown = br#"{"type":"shell","body":{}}"#;
    assert_eq!(ToAgent::parse(unknown).unwrap_err(), Refusal::Malformed);
    let extra = br#"{"type":"heartbeat","body":{"clock":1,"x":2}}"#;
    assert_eq!(ToHub::parse(extra).unwrap_err(), Refusal::UnknownField);
    let sound = br#"{"type":"heartbeat","body":{"clock":1}}"#;
    ToHub::parse(sound).unwrap();
}

#[test]
fn closing_codes_stand_in_frames_as_they_are_called() {
    use storm_protocol::frame::ClosingCode;

    for code in [
        ClosingCode::NotEnrolled,
        ClosingCode::TokenInvalid,
        ClosingCode::TokenSpent,
        ClosingCode::Revoked,
        ClosingCode::Quarantined,
        ClosingCode::Replaced,
        ClosingCode::Protocol,
        ClosingCode::Restarting,
        ClosingCode::Busy,
    ] {
        assert_eq!(serde_json::to_value(code).unwrap(), code.code());
    }
}
