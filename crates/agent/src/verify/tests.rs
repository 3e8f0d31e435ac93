//! Each refusal that needs neither journal nor Garage, and the order among them.

use ed25519_dalek::SigningKey;
use storm_protocol::{
    command::{AgentPing, Command, KeyDelete, MAX_ENVELOPE_BYTES, RawCommand},
    envelope::{Actor, Audience, CommandPayload, Envelope, PayloadType, VERSION, VerifyKey, Via},
    error::Refusal,
    ident::{AccountId, AgentId, Micros, OperationId, RegionName, UserId},
    seal::OpenKey,
    trust::{KeyRole, TrustDocument, TrustedKey},
};

use super::{Memory, audience, freshness, open, whitelist};
use crate::{
    clock::random,
    identity::Identity,
    journal::{Source, Tenure},
};

const NOW: Micros = Micros(1_800_000_000 * Micros::SECOND);

struct Bench {
    identity: Identity,
    dispatch: SigningKey,
    offline: SigningKey,
    trust: TrustDocument,
}

impl Bench {
    fn new() -> Self {
        let (dispatch, offline) = (
            SigningKey::from_bytes(&random()),
            SigningKey::from_bytes(&random()),
        );
        let trusted = |key: &SigningKey, role| TrustedKey {
            key: VerifyKey::of(key),
            role,
            not_before: NOW.plus_seconds(-100),
            not_after: NOW.plus_seconds(100),
        };
        let keys = vec![
            trusted(&dispatch, KeyRole::Dispatch),
            trusted(&offline, KeyRole::Offline),
        ];
        Self {
            identity: Identity {
                agent: AgentId::new(NOW, random()),
                region: "here".parse().unwrap(),
                receipt_key: SigningKey::from_bytes(&random()),
                open_key: OpenKey::generate(),
            },
            dispatch,
            offline,
            trust: TrustDocument {
                version: VERSION,
                serial: 1,
                issued_at: NOW,
                authorities: vec![],
                keys,
            },
        }
    }

    fn payload(&self, command: RawCommand) -> CommandPayload {
        CommandPayload {
            version: VERSION,
            operation: OperationId::new(NOW, random()),
            attempt: 1,
            audience: Audience {
                agent: self.identity.agent,
                region: self.identity.region.clone(),
                epoch: 3,
            },
            issued_at: NOW,
            expires_at: NOW.plus_seconds(60),
            actor: Actor {
                account: AccountId::new(NOW, random()),
                user: UserId::new(NOW, random()),
                operator: false,
                via: Via::Api,
            },
            command,
            seal_to: None,
        }
    }

    fn signed(&self, key: &SigningKey) -> Vec<u8> {
        let payload = self.payload(ping());
        let envelope = Envelope::sign_json(PayloadType::Command, &payload, key).unwrap();
        serde_json::to_vec(&envelope).unwrap()
    }

    fn open(&self, bytes: &[u8], source: Source, now: Micros) -> Result<(), Refusal> {
        open(bytes, Some(&self.trust), source, now).map(|_| ())
    }
}

fn ping() -> RawCommand {
    Command::AgentPing(AgentPing {}).to_raw()
}

fn raw(name: &str, parameters: &str) -> RawCommand {
    RawCommand {
        name: name.to_owned(),
        parameters: serde_json::value::RawValue::from_string(parameters.to_owned()).unwrap(),
    }
}

#[test]
fn a_key_counts_in_its_own_place_and_time_alone() {
    let bench = Bench::new();
    let (dispatch, offline) = (bench.signed(&bench.dispatch), bench.signed(&bench.offline));
    assert_eq!(bench.open(&dispatch, Source::Channel, NOW), Ok(()));
    assert_eq!(bench.open(&offline, Source::Spool, NOW), Ok(()));
    let no = Err(Refusal::BadSignature);
    assert_eq!(bench.open(&dispatch, Source::Spool, NOW), no);
    assert_eq!(bench.open(&offline, Source::Channel, NOW), no);
    assert_eq!(
        bench.open(&dispatch, Source::Channel, NOW.plus_seconds(101)),
        no
    );
    assert_eq!(
        bench.open(&dispatch, Source::Channel, NOW.plus_seconds(-101)),
        no
    );
    let stranger = bench.signed(&SigningKey::from_bytes(&random()));
    assert_eq!(bench.open(&stranger, Source::Channel, NOW), no);
    assert!(matches!(
        open(&dispatch, None, Source::Channel, NOW),
        Err(Refusal::BadSignature)
    ));
}

#[test]
fn what_is_wrong_before_the_signature_has_its_own_code() {
    let bench = Bench::new();
    let good = String::from_utf8(bench.signed(&bench.dispatch)).unwrap();
    let refused = |text: String| bench.open(text.as_bytes(), Source::Channel, NOW);
    assert_eq!(
        refused(" ".repeat(MAX_ENVELOPE_BYTES + 1)),
        Err(Refusal::Oversized)
    );
    assert_eq!(refused("nonsense".to_owned()), Err(Refusal::Malformed));
    assert_eq!(refused(format!("{good} x")), Err(Refusal::TrailingData));
    let twice = good.replacen('{', "{\"payloadType\":\"x\",", 1);
    assert_eq!(refused(twice), Err(Refusal::DuplicateKey));
    let unknown = good.replacen('{', "{\"extra\":1,", 1);
    assert_eq!(refused(unknown), Err(Refusal::UnknownField));
    assert_eq!(
        refused(good.replace("command.v1", "receipt.v1")),
        Err(Refusal::WrongPayloadType)
    );
}

#[test]
fn a_payload_of_another_version_is_refused_behind_its_signature() {
    let bench = Bench::new();
    let mut payload = bench.payload(ping());
    payload.version = 2;
    let envelope = Envelope::sign_json(PayloadType::Command, &payload, &bench.dispatch).unwrap();
    let bytes = serde_json::to_vec(&envelope).unwrap();
    assert_eq!(
        bench.open(&bytes, Source::Channel, NOW),
        Err(Refusal::UnsupportedVersion)
    );
}

#[test]
fn another_agent_region_or_an_older_epoch_is_refused() {
    let bench = Bench::new();
    let payload = bench.payload(ping());
    assert_eq!(audience(&payload, &bench.identity, 3), Ok(()));
    assert_eq!(audience(&payload, &bench.identity, 2), Ok(()));
    assert_eq!(
        audience(&payload, &bench.identity, 4),
        Err(Refusal::OldEpoch)
    );
    let mut other = payload.clone();
    other.audience.agent = AgentId::new(NOW, random());
    assert_eq!(
        audience(&other, &bench.identity, 4),
        Err(Refusal::WrongAudience)
    );
    let mut other = payload;
    other.audience.region = "there".parse::<RegionName>().unwrap();
    assert_eq!(
        audience(&other, &bench.identity, 3),
        Err(Refusal::WrongAudience)
    );
}

#[test]
fn freshness_has_bounds_on_both_sides() {
    let bench = Bench::new();
    let payload = bench.payload(ping());
    let memory = Memory {
        birth: NOW.plus_seconds(-1000),
        floor: None,
        tenure: Tenure::default(),
    };
    let at = |payload: &CommandPayload, source, seconds| {
        freshness(payload, source, memory, NOW.plus_seconds(seconds))
    };
    assert_eq!(at(&payload, Source::Channel, 0), Ok(()));
    assert_eq!(at(&payload, Source::Channel, -5), Ok(()));
    assert_eq!(at(&payload, Source::Channel, -6), Err(Refusal::NotYetValid));
    assert_eq!(at(&payload, Source::Channel, 59), Ok(()));
    assert_eq!(at(&payload, Source::Channel, 60), Err(Refusal::Expired));
    let mut long = payload.clone();
    long.expires_at = NOW.plus_seconds(61);
    assert_eq!(at(&long, Source::Channel, 0), Err(Refusal::NotYetValid));
    assert_eq!(at(&long, Source::Spool, 0), Ok(()));
    long.expires_at = NOW.plus_seconds(24 * 3600 + 1);
    assert_eq!(at(&long, Source::Spool, 0), Err(Refusal::NotYetValid));
}

#[test]
fn an_operation_from_before_the_journals_memory_is_replayed() {
    let bench = Bench::new();
    let payload = bench.payload(ping());
    let with = |birth, floor| {
        let memory = Memory {
            birth,
            floor,
            tenure: Tenure::default(),
        };
        freshness(&payload, Source::Channel, memory, NOW)
    };
    assert_eq!(with(NOW, None), Ok(()));
    assert_eq!(with(Micros(NOW.0 + 1000), None), Err(Refusal::Replayed));
    assert_eq!(
        with(Micros(0), Some(payload.operation)),
        Err(Refusal::Replayed)
    );
    let later = OperationId::new(Micros(NOW.0 + 1000), [0; 10]);
    assert_eq!(with(Micros(0), Some(later)), Err(Refusal::Replayed));
    let earlier = OperationId::new(Micros(NOW.0 - 1000), [0; 10]);
    assert_eq!(with(Micros(0), Some(earlier)), Ok(()));
}

#[test]
fn only_what_was_signed_before_and_asked_before_the_role_moved_may_be_begun_elsewhere() {
    let bench = Bench::new();
    let asked = |seconds: i64, attempt, epoch| {
        let mut payload = bench.payload(ping());
        payload.operation = OperationId::new(NOW.plus_seconds(seconds), random());
        (payload.attempt, payload.audience.epoch) = (attempt, epoch);
        payload
    };
    let memory = |epoch, seconds| Memory {
        birth: NOW,
        floor: None,
        tenure: Tenure {
            epoch,
            first_issued: NOW.plus_seconds(seconds),
        },
    };
    let is = |payload: &CommandPayload, memory: Memory| {
        let begun = memory.begun_elsewhere(payload, Source::Channel);
        // Nothing else may be older than the journal, but for what was signed the first time since.
        let fresh = freshness(payload, Source::Channel, memory, NOW);
        let old = payload.operation.made_at() < memory.birth;
        let waited = payload.attempt == 1 && payload.audience.epoch > 1;
        assert_eq!(fresh == Err(Refusal::Replayed), old && !begun && !waited);
        begun
    };
    // The first command of the epoch, and one after it.
    assert!(is(&asked(-1, 2, 3), memory(2, -50)));
    assert!(is(&asked(-20, 2, 3), memory(3, -10)));
    assert!(
        !is(&asked(-20, 1, 3), memory(3, -10)),
        "never signed before"
    );
    assert!(!is(&asked(-20, 2, 1), memory(1, -10)), "nobody was before");
    assert!(!is(&asked(-5, 2, 3), memory(3, -10)), "asked since");
    let offline = memory(2, -50).begun_elsewhere(&asked(-20, 2, 3), Source::Spool);
    assert!(!offline, "offline commands are signed for one agent");
    // What was pruned stays replayed, whoever began it.
    let pruned = asked(-20, 2, 3);
    let memory = Memory {
        floor: Some(pruned.operation),
        ..memory(3, -10)
    };
    let refused = freshness(&pruned, Source::Channel, memory, NOW);
    assert_eq!(refused, Err(Refusal::Replayed));
}

#[test]
fn only_what_was_signed_the_first_time_since_the_journal_was_made_has_waited_for_it() {
    let bench = Bench::new();
    let mut payload = bench.payload(ping());
    payload.operation = OperationId::new(NOW.plus_seconds(-300), random());
    (payload.attempt, payload.audience.epoch) = (1, 2);
    let birth = |seconds| Memory {
        birth: NOW.plus_seconds(seconds),
        floor: None,
        tenure: Tenure::default(),
    };
    let fresh = |payload: &CommandPayload, source, memory| freshness(payload, source, memory, NOW);
    let replayed = Err(Refusal::Replayed);
    assert_eq!(fresh(&payload, Source::Channel, birth(-10)), Ok(()));
    // A journal that was lost may have had the envelope.
    assert_eq!(fresh(&payload, Source::Channel, birth(1)), replayed);
    assert_eq!(fresh(&payload, Source::Spool, birth(-10)), replayed);
    // Nobody waits for a region's first agent.
    payload.audience.epoch = 1;
    assert_eq!(fresh(&payload, Source::Channel, birth(-10)), replayed);
}

#[test]
fn the_whitelist_is_all_there_is_and_configuration_only_takes_away() {
    let bench = Bench::new();
    let check =
        |command, disabled: &[String]| whitelist(&bench.payload(command), disabled).map(|_| ());
    assert_eq!(check(ping(), &[]), Ok(()));
    assert_eq!(
        check(raw("shell.run", "{}"), &[]),
        Err(Refusal::UnknownCommand)
    );
    assert_eq!(
        check(ping(), &["agent.ping".to_owned()]),
        Err(Refusal::DisabledCommand)
    );
    assert_eq!(
        check(raw("agent.ping", "{\"x\":1}"), &[]),
        Err(Refusal::BadParameters)
    );
    let key = KeyDelete {
        key: "GK000000000000000000000000".parse().unwrap(),
    };
    assert_eq!(check(Command::KeyDelete(key).to_raw(), &[]), Ok(()));
    let create = raw(
        "key.create",
        r#"{"label":"x","expires_at":null,"create_buckets":false,"grants":[]}"#,
    );
    assert_eq!(check(create, &[]), Err(Refusal::SealKeyRequired));
}
