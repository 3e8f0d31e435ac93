//! Golden vectors: committed JSON that the browser's code is checked against too. Run with
//! `UPDATE=1` to write them anew; a change in a committed vector is a change of the protocol.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fs, path::PathBuf};

use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use storm_protocol::{
    command::{BucketCreate, Command, CommandResult, RawCommand, Row},
    encoding::Base64,
    envelope::{
        Actor, Audience, CommandPayload, Envelope, PayloadType, VERSION, VerifyKey, Via, pae,
    },
    error::{Failure, Refusal},
    ident::{AccessKeyId, AccountId, AgentId, Limit, Micros, OperationId, RegionName, UserId},
    receipt::{Chain, Outcome, Receipt},
    result::BucketCreated,
    seal::{OpenKey, SealContext, SealKey, Sealed},
    trust::{AgentStatement, EnrolToken, KeyRole, TrustDocument, TrustedKey},
};

const ACCOUNT: &str = "019aa000-0000-7000-8000-000000000001";
const USER: &str = "019aa000-0000-7000-8000-000000000002";
const AGENT: &str = "019aa000-0000-7000-8000-000000000003";
const OPERATION: &str = "019aa000-0000-7000-8000-000000000004";
const NOW: Micros = Micros(1_763_900_000_000_000);

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(Value::String(text.to_owned())).unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Compares `vector` with the committed file, or writes it when `UPDATE` is set.
fn golden(name: &str, vector: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(name);
    let text = serde_json::to_string_pretty(vector).unwrap() + "\n";
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, text,
        "{name} has changed; UPDATE=1 writes it anew"
    );
}

fn payload() -> CommandPayload {
    let command = Command::BucketCreate(BucketCreate {
        bucket: read("photos"),
        quota_bytes: Limit::new(10_000_000_000),
        quota_objects: None,
        abort_uploads_after_days: Some(7),
        key: Some(read("photos laptop")),
    });
    CommandPayload {
        version: VERSION,
        operation: read(OPERATION),
        attempt: 1,
        audience: Audience {
            agent: read(AGENT),
            region: read("helsinki"),
            epoch: 3,
        },
        issued_at: NOW,
        expires_at: NOW.plus_seconds(60),
        actor: Actor {
            account: read(ACCOUNT),
            user: read(USER),
            operator: false,
            via: Via::Cli,
        },
        command: command.to_raw(),
        seal_to: Some(OpenKey::from_bytes([9; 32]).seal_key()),
    }
}

fn trust() -> (TrustDocument, Envelope) {
    let trusted = |seed, role| TrustedKey {
        key: VerifyKey::of(&key(seed)),
        role,
        not_before: NOW,
        not_after: NOW.plus_seconds(3600),
    };
    let document = TrustDocument {
        version: VERSION,
        serial: 1,
        issued_at: NOW,
        authorities: vec![Base64(b"not a certificate; a vector".to_vec())],
        keys: vec![trusted(2, KeyRole::Dispatch), trusted(3, KeyRole::Offline)],
    };
    let envelope = Envelope::sign_json(PayloadType::Trust, &document, &key(1)).unwrap();
    (document, envelope)
}

#[test]
fn the_whitelist_is_the_committed_one() {
    let rows = Command::TABLE.iter().map(|row| {
        json!({
            "name": row.name,
            "class": row.class.as_str(),
            "parameters": row.parameters.iter().map(|p| json!({"name": p.0, "type": p.1})).collect::<Vec<_>>(),
            "result": row.result,
            "calls": row.calls.iter().map(|call| call.as_str()).collect::<Vec<_>>(),
            "digest": row.digest(),
        })
    });
    golden("whitelist.json", &Value::Array(rows.collect()));
}

#[test]
fn codes_are_the_committed_ones() {
    golden(
        "codes.json",
        &json!({ "refusals": Refusal::ALL, "failures": Failure::ALL }),
    );
}

#[test]
fn key_ids_are_derived_from_the_operation_and_the_try() {
    let operation: OperationId = read(OPERATION);
    let ids: Vec<_> = (0..3)
        .map(|attempt| AccessKeyId::derive(operation, attempt))
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    golden(
        "access_key_ids.json",
        &json!({ "operation": operation, "ids": ids }),
    );
}

#[test]
fn a_command_is_signed_over_its_pae() {
    let payload = payload();
    let envelope = Envelope::sign_json(PayloadType::Command, &payload, &key(2)).unwrap();
    let verified = envelope
        .verify(PayloadType::Command, &[VerifyKey::of(&key(2))])
        .unwrap();
    let received = CommandPayload::parse(verified.payload).unwrap();
    assert_eq!(received.intent(), payload.intent());
    golden(
        "command.json",
        &json!({
            "secret_key": hex::encode([2; 32]),
            "public_key": VerifyKey::of(&key(2)),
            "payload": String::from_utf8(envelope.payload.0.clone()).unwrap(),
            "pae": hex::encode(pae(&envelope.payload_type, &envelope.payload.0)),
            "identity": envelope.identity(),
            "intent": payload.intent(),
            "envelope": envelope,
        }),
    );
}

#[test]
fn trust_leads_from_the_root_key_to_a_receipt() {
    let root = VerifyKey::of(&key(1));
    let (document, trust) = trust();
    assert_eq!(TrustDocument::open(&trust, root).unwrap(), document);
    let statement = AgentStatement {
        version: VERSION,
        agent: read(AGENT),
        region: read("helsinki"),
        receipt_key: VerifyKey::of(&key(4)),
        seal_key: OpenKey::from_bytes([8; 32]).seal_key(),
        issued_at: NOW,
    };
    let signed = Envelope::sign_json(PayloadType::Agent, &statement, &key(2)).unwrap();
    assert_eq!(AgentStatement::open(&signed, &document).unwrap(), statement);

    let mut chain = Chain::default();
    let mut receipts = Vec::new();
    for sequence in 1..=3 {
        let receipt = receipt(sequence, chain.head);
        let envelope = Envelope::sign_json(PayloadType::Receipt, &receipt, &key(4)).unwrap();
        let (opened, identity) = Receipt::open(&envelope, statement.receipt_key).unwrap();
        assert_eq!(opened, receipt);
        chain.append(&opened, identity).unwrap();
        receipts.push(envelope);
    }
    golden(
        "receipts.json",
        &json!({
            "root_key": root,
            "root_key_digest": root.id(),
            "trust": trust,
            "statement": signed,
            "receipts": receipts,
            "head": chain.head,
        }),
    );
}

fn receipt(sequence: u64, previous: Option<storm_protocol::ident::Digest>) -> Receipt {
    let payload = payload();
    let envelope = Envelope::sign_json(PayloadType::Command, &payload, &key(2)).unwrap();
    let outcome = match sequence {
        1 => Outcome::Done(CommandResult::BucketCreate(BucketCreated {
            bucket: read(&"ab".repeat(32)),
            name: read("photos"),
            key: Some(AccessKeyId::derive(payload.operation, 0)),
        })),
        2 => Outcome::Failed {
            code: Failure::NameTaken,
            message: Failure::NameTaken.sentence().to_owned(),
        },
        _ => Outcome::Refused {
            code: Refusal::Expired,
            message: Refusal::Expired.sentence().to_owned(),
        },
    };
    Receipt {
        version: VERSION,
        agent: payload.audience.agent,
        region: payload.audience.region.clone(),
        sequence,
        previous,
        account: payload.actor.account,
        account_sequence: sequence,
        account_previous: previous,
        operation: payload.operation,
        attempt: payload.attempt,
        envelope: envelope.identity(),
        intent: payload.intent(),
        command: payload.command.name.clone(),
        accepted_at: NOW,
        finished_at: NOW.plus_seconds(1),
        outcome,
        sealed: None,
    }
}

#[test]
fn a_committed_sealed_secret_opens_in_its_place_only() {
    let open_key = OpenKey::from_bytes([9; 32]);
    let region: RegionName = read("helsinki");
    let key_id = AccessKeyId::derive(read(OPERATION), 0);
    let context = SealContext {
        operation: read::<OperationId>(OPERATION),
        account: read::<AccountId>(ACCOUNT),
        region: &region,
        agent: read::<AgentId>(AGENT),
        key: &key_id,
    };
    let secret = SecretString::from("5ec4e7".repeat(10) + "cafe");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/sealed.json");
    if env::var_os("UPDATE").is_some() {
        let sealed = Sealed::seal(&secret, &open_key.seal_key(), &context).unwrap();
        let vector = json!({
            "private_key": hex::encode(open_key.expose()),
            "public_key": open_key.seal_key(),
            "operation": OPERATION, "account": ACCOUNT, "region": region, "agent": AGENT,
            "info": hex::encode(context.info()),
            "secret": secret.expose_secret(),
            "digest": sealed.digest(),
            "sealed": sealed,
        });
        fs::write(&path, serde_json::to_string_pretty(&vector).unwrap() + "\n").unwrap();
    }
    let vector: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let sealed: Sealed = serde_json::from_value(vector["sealed"].clone()).unwrap();
    assert_eq!(vector["digest"], json!(sealed.digest()));
    assert_eq!(vector["info"], json!(hex::encode(context.info())));
    let opened = sealed.open(&open_key, &context).unwrap();
    assert_eq!(opened.expose_secret(), vector["secret"].as_str().unwrap());

    let elsewhere: RegionName = read("falkenstein");
    let moved = SealContext {
        region: &elsewhere,
        ..context.clone()
    };
    assert!(sealed.open(&open_key, &moved).is_err());
    assert!(
        sealed
            .open(&OpenKey::from_bytes([10; 32]), &context)
            .is_err()
    );
    let mut changed = sealed;
    changed.ciphertext.0[0] ^= 1;
    assert!(changed.open(&open_key, &context).is_err());
}

#[test]
fn a_low_order_key_is_not_sealed_to() {
    let region: RegionName = read("helsinki");
    let key_id = AccessKeyId::derive(read(OPERATION), 0);
    let context = SealContext {
        operation: read(OPERATION),
        account: read(ACCOUNT),
        region: &region,
        agent: read(AGENT),
        key: &key_id,
    };
    let secret = SecretString::from("s");
    assert!(Sealed::seal(&secret, &SealKey([0; 32]), &context).is_err());
}

#[test]
fn an_enrolment_token_reads_back() {
    let root = VerifyKey::of(&key(1)).id();
    let token = EnrolToken {
        secret: [7; 32],
        root_key: root,
        ca_key: root,
    };
    let text = token.expose();
    assert!(EnrolToken::parse(&text) == Some(token));
    assert!(EnrolToken::parse(&format!("{text}.00")).is_none());
    assert!(EnrolToken::parse(&text.replace("ste1", "ste2")).is_none());
    assert!(EnrolToken::parse(&text.to_uppercase()).is_none());
}

#[test]
fn raw_commands_are_understood_by_name_then_parameters() {
    let raw = |name: &str, parameters: &str| RawCommand {
        name: name.to_owned(),
        parameters: serde_json::from_str(parameters).unwrap(),
    };
    let refused = |name: &str, parameters: &str| raw(name, parameters).parse().unwrap_err();
    assert_eq!(refused("shell.exec", "{}"), Refusal::UnknownCommand);
    assert_eq!(refused("agent.ping", r#"{"x":1}"#), Refusal::BadParameters);
    assert_eq!(
        refused("bucket.create", r#"{"bucket":"Photos"}"#),
        Refusal::BadParameters
    );
    assert_eq!(
        refused(
            "bucket.create",
            r#"{"bucket":"photos","abort_uploads_after_days":0}"#
        ),
        Refusal::BadParameters
    );
    let bucket = "ab".repeat(32);
    let grant = format!(r#"{{"bucket":"{bucket}","read":true,"write":false,"owner":false}}"#);
    assert_eq!(
        refused(
            "key.create",
            &format!(r#"{{"label":"a","grants":[{grant},{grant}]}}"#)
        ),
        Refusal::BadParameters
    );
    let command = raw("bucket.create", r#"{"bucket":"photos"}"#)
        .parse()
        .unwrap();
    assert_eq!(command.name(), "bucket.create");
    assert_eq!(command.row().name, "bucket.create");
    assert!(!command.makes_secret());
}

#[test]
fn every_row_finds_itself_and_has_its_own_digest() {
    let mut digests: Vec<_> = Command::TABLE.iter().map(|row| row.digest()).collect();
    for row in Command::TABLE {
        assert_eq!(Row::find(row.name).unwrap().digest(), row.digest());
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), Command::TABLE.len());
    let user: UserId = read(USER);
    assert_eq!(user.to_string(), USER);
}
