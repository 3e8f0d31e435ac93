use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::{
    api::{CreateBucketRequest, Operation, OperationStatus},
    command::{BucketCreate, Command},
    envelope::{Actor, Audience, PayloadType, VerifyKey},
    ident::{BucketId, OperationId, UserId},
    result::BucketCreated,
    seal::{OpenKey, SealContext, Sealed},
    trust::{KeyRole, TrustedKey},
};

use super::*;
use crate::asked::BucketAsked;

struct World {
    root: SigningKey,
    dispatch: SigningKey,
    receipts: SigningKey,
    open_key: OpenKey,
    account: AccountId,
    agent: AgentId,
    asked: Asked,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

impl World {
    fn new() -> Self {
        let open_key = OpenKey::from_bytes([9; 32]);
        Self {
            root: key(1),
            dispatch: key(2),
            receipts: key(3),
            account: AccountId::new(Micros(0), [4; 10]),
            agent: AgentId::new(Micros(0), [5; 10]),
            asked: BucketAsked::BucketCreate {
                request: CreateBucketRequest {
                    region: None,
                    name: "photos".parse().unwrap(),
                    quota_bytes: None,
                    quota_objects: None,
                    key: Some("first".parse().unwrap()),
                    seal_to: Some(open_key.seal_key()),
                },
            }
            .into(),
            open_key,
        }
    }

    fn bundle(&self) -> TrustBundle {
        let document = TrustDocument {
            version: VERSION,
            serial: 1,
            issued_at: Micros(0),
            authorities: vec![],
            keys: vec![TrustedKey {
                key: VerifyKey::of(&self.dispatch),
                role: KeyRole::Dispatch,
                not_before: Micros(0),
                not_after: Micros(1),
            }],
        };
        let statement = AgentStatement {
            version: VERSION,
            agent: self.agent,
            region: "local".parse().unwrap(),
            receipt_key: VerifyKey::of(&self.receipts),
            seal_key: OpenKey::from_bytes([8; 32]).seal_key(),
            issued_at: Micros(0),
        };
        TrustBundle {
            root_key: VerifyKey::of(&self.root),
            trust: Envelope::sign_json(PayloadType::Trust, &document, &self.root).unwrap(),
            agents: vec![
                Envelope::sign_json(PayloadType::Agent, &statement, &self.dispatch).unwrap(),
            ],
        }
    }

    fn trust(&self) -> Trust {
        Trust::open(&self.bundle(), VerifyKey::of(&self.root).id()).unwrap()
    }

    fn check(&self, answer: &OperationAnswer) -> Result<Proof, VerifyError> {
        check(&self.trust(), answer, &self.asked, self.account)
    }

    /// An honest answer, with the receipt changed by `change` before it is signed.
    fn answer(&self, signer: &SigningKey, change: impl FnOnce(&mut Receipt)) -> OperationAnswer {
        let region: RegionName = "local".parse().unwrap();
        let operation = OperationId::new(Micros(0), [6; 10]);
        let access_key = AccessKeyId::derive(operation, 0);
        let command = Command::BucketCreate(BucketCreate {
            bucket: "photos".parse().unwrap(),
            quota_bytes: None,
            quota_objects: None,
            abort_uploads_after_days: Some(7),
            key: Some("first".parse().unwrap()),
        });
        let actor = Actor {
            account: self.account,
            user: UserId::new(Micros(0), [7; 10]),
            operator: false,
            via: Via::Cli,
        };
        let payload = CommandPayload {
            version: VERSION,
            operation,
            attempt: 1,
            audience: Audience {
                agent: self.agent,
                region: region.clone(),
                epoch: 1,
            },
            issued_at: Micros(1),
            expires_at: Micros(2),
            actor: actor.clone(),
            command: command.to_raw(),
            seal_to: self.asked.seal_to(),
        };
        let context = SealContext {
            operation,
            account: self.account,
            region: &region,
            agent: self.agent,
            key: &access_key,
        };
        let secret = SecretString::from("abc");
        let sealed = Sealed::seal(&secret, &self.open_key.seal_key(), &context).unwrap();
        let mut receipt = Receipt {
            version: VERSION,
            agent: self.agent,
            region: region.clone(),
            sequence: 1,
            previous: None,
            account: self.account,
            account_sequence: 1,
            account_previous: None,
            operation,
            attempt: 1,
            envelope: Digest::of(b"envelope"),
            intent: payload.intent(),
            command: command.name().to_owned(),
            accepted_at: Micros(1),
            finished_at: Micros(2),
            outcome: Outcome::Done(CommandResult::BucketCreate(BucketCreated {
                bucket: BucketId([1; 32]),
                name: "photos".parse().unwrap(),
                key: Some(access_key.clone()),
            })),
            sealed: Some(sealed.digest()),
        };
        change(&mut receipt);
        OperationAnswer {
            operation: Operation {
                id: operation,
                state: OperationStatus::Done,
                command: command.name().to_owned(),
                parameters: serde_json::from_str(command.to_raw().parameters.get()).unwrap(),
                actor,
                origin: None,
                region,
                agent: Some(self.agent),
                attempt: 1,
                requested_at: Micros(0),
                gives_up_at: None,
                progress: None,
                finished_at: Some(Micros(2)),
                outcome: Some(receipt.outcome.clone()),
                receipt: Some(Envelope::sign_json(PayloadType::Receipt, &receipt, signer).unwrap()),
            },
            bucket: None,
            key: None,
            sealed: Some(sealed),
        }
    }

    fn refused(&self, code: &str, change: impl FnOnce(&mut Receipt)) {
        let error = self
            .check(&self.answer(&self.receipts, change))
            .unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn an_honest_receipt_opens_the_secret() {
    let world = World::new();
    let answer = world.answer(&world.receipts, |_| {});
    let proof = world.check(&answer).unwrap();
    let key = proof.key.unwrap();
    let context = SealContext {
        operation: proof.receipt.operation,
        account: world.account,
        region: &proof.receipt.region,
        agent: world.agent,
        key: &key,
    };
    let secret = answer
        .sealed
        .unwrap()
        .open(&world.open_key, &context)
        .unwrap();
    assert_eq!(secret.expose_secret(), "abc");
}

#[test]
fn another_root_key_is_refused() {
    let world = World::new();
    let error = Trust::open(&world.bundle(), VerifyKey::of(&key(99)).id())
        .err()
        .unwrap();
    assert_eq!(error.code(), "other_root_key");
    // The right root key's name with a document that it did not sign.
    let mut bundle = world.bundle();
    let document = bundle
        .trust
        .verify(PayloadType::Trust, &[bundle.root_key])
        .unwrap();
    bundle.trust = Envelope::sign(PayloadType::Trust, document.payload.to_vec(), &key(99));
    let error = Trust::open(&bundle, VerifyKey::of(&world.root).id())
        .err()
        .unwrap();
    assert_eq!(error.code(), "bad_trust_document");
    // A statement that no dispatch key signed.
    let mut bundle = world.bundle();
    bundle.agents = vec![Envelope::sign(
        PayloadType::Agent,
        bundle.agents[0].payload.0.clone(),
        &key(99),
    )];
    let error = Trust::open(&bundle, VerifyKey::of(&world.root).id())
        .err()
        .unwrap();
    assert_eq!(error.code(), "bad_statement");
}

#[test]
fn a_forged_receipt_is_refused() {
    let world = World::new();
    let forged = world.answer(&key(99), |_| {});
    assert_eq!(world.check(&forged).unwrap_err().code(), "bad_receipt");
    let mut named = forged;
    // The agent's key id on another's signature.
    if let Some(envelope) = &mut named.operation.receipt {
        envelope.signatures[0].keyid = VerifyKey::of(&world.receipts).id();
    }
    assert_eq!(world.check(&named).unwrap_err().code(), "bad_receipt");
    let mut changed = world.answer(&world.receipts, |_| {});
    if let Some(envelope) = &mut changed.operation.receipt {
        envelope.payload.0.push(b' ');
    }
    assert_eq!(world.check(&changed).unwrap_err().code(), "bad_receipt");
    let mut none = world.answer(&world.receipts, |_| {});
    none.operation.receipt = None;
    assert_eq!(world.check(&none).unwrap_err().code(), "no_receipt");
}

#[test]
fn a_receipt_of_something_else_is_refused() {
    let world = World::new();
    let other = "receipt_mismatch";
    world.refused(other, |r| {
        r.operation = OperationId::new(Micros(0), [0; 10])
    });
    world.refused(other, |r| r.account = AccountId::new(Micros(0), [0; 10]));
    world.refused(other, |r| r.agent = AgentId::new(Micros(0), [0; 10]));
    world.refused(other, |r| r.region = "elsewhere".parse().unwrap());
    world.refused(other, |r| r.command = "bucket.delete".to_owned());
    world.refused(other, |r| r.intent = Digest::of(b"other"));
    world.refused(other, |r| r.sealed = None);
    world.refused(other, |r| r.sealed = Some(Digest::of(b"other")));
    world.refused(other, |r| {
        r.outcome = Outcome::Refused {
            code: Refusal::Busy,
            message: String::new(),
        };
    });
    world.refused(other, |r| {
        if let Outcome::Done(CommandResult::BucketCreate(made)) = &mut r.outcome {
            made.name = "music".parse().unwrap();
        }
    });
}

#[test]
fn what_the_server_changes_beside_the_receipt_is_refused() {
    let world = World::new();
    let honest = world.answer(&world.receipts, |_| {});

    let mut sealed = honest.clone();
    if let Some(sealed) = &mut sealed.sealed {
        sealed.ciphertext.0[0] ^= 1;
    }
    assert_eq!(world.check(&sealed).unwrap_err().code(), "receipt_mismatch");

    let mut parameters = honest.clone();
    parameters.operation.parameters["quota_bytes"] = 5.into();
    assert_eq!(
        world.check(&parameters).unwrap_err().code(),
        "receipt_mismatch"
    );

    let mut actor = honest.clone();
    actor.operation.actor.account = AccountId::new(Micros(0), [0; 10]);
    assert_eq!(world.check(&actor).unwrap_err().code(), "receipt_mismatch");

    // Another member of the account is part of the intent.
    let mut user = honest;
    user.operation.actor.user = UserId::new(Micros(0), [0; 10]);
    assert_eq!(world.check(&user).unwrap_err().code(), "receipt_mismatch");
}

#[test]
fn a_secret_sealed_to_another_key_is_refused() {
    let mut world = World::new();
    let answer = world.answer(&world.receipts, |_| {});
    let other = OpenKey::from_bytes([77; 32]).seal_key();
    world.asked = world.asked.clone().sealed_to(other);
    assert_eq!(world.check(&answer).unwrap_err().code(), "receipt_mismatch");
}
