//! The largest command fits into an envelope, and its largest answer into a receipt.

use ed25519_dalek::SigningKey;
use storm_protocol::{
    command::{
        AccountSetQuotas, BucketQuota, Command, CommandResult, MAX_ENVELOPE_BYTES, MAX_QUOTAS,
    },
    envelope::{Actor, Audience, CommandPayload, Envelope, PayloadType, VERSION, Via},
    error::Refusal,
    ident::{AccountId, AgentId, BucketId, Limit, Micros, OperationId, UserId},
    result::QuotasSet,
};

const LATE: Micros = Micros(4_102_444_800_000_000);

fn account() -> AccountId {
    AccountId::new(LATE, [0xff; 10])
}

fn buckets(number: usize) -> impl Iterator<Item = BucketId> {
    (0..number).map(|number| {
        let mut id = [0xff; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        BucketId(id)
    })
}

fn quotas(number: usize) -> Command {
    let quotas = buckets(number).map(|bucket| BucketQuota {
        bucket,
        quota_bytes: Limit::new(Limit::MAX),
        quota_objects: Limit::new(Limit::MAX),
    });
    Command::AccountSetQuotas(AccountSetQuotas {
        account: account(),
        quotas: quotas.collect(),
    })
}

#[test]
fn the_quotas_of_as_many_buckets_as_allowed_fit() {
    let payload = CommandPayload {
        version: VERSION,
        operation: OperationId::new(LATE, [0xff; 10]),
        attempt: u32::MAX,
        audience: Audience {
            agent: AgentId::new(LATE, [0xff; 10]),
            region: "r".repeat(32).parse().unwrap(),
            epoch: u64::MAX,
        },
        issued_at: LATE,
        expires_at: LATE,
        actor: Actor {
            account: account(),
            user: UserId::new(LATE, [0xff; 10]),
            operator: true,
            via: Via::System,
        },
        command: quotas(MAX_QUOTAS).to_raw(),
        seal_to: None,
    };
    let key = SigningKey::from_bytes(&[1; 32]);
    let envelope = Envelope::sign_json(PayloadType::Command, &payload, &key).unwrap();
    let bytes = serde_json::to_vec(&envelope).unwrap();
    assert!(bytes.len() <= MAX_ENVELOPE_BYTES, "{}", bytes.len());
    let read = Envelope::parse(&bytes).unwrap();
    let payload = CommandPayload::parse(&read.payload.0).unwrap();
    assert_eq!(payload.command.parse(), Ok(quotas(MAX_QUOTAS)));

    let result = CommandResult::AccountSetQuotas(QuotasSet {
        account: account(),
        set: 0,
        gone: buckets(MAX_QUOTAS).collect(),
    });
    // In base64, with as much around it as a receipt has.
    const AROUND_BYTES: usize = 4096;
    let answer = serde_json::to_vec(&result).unwrap().len();
    assert!(answer * 4 / 3 + AROUND_BYTES < MAX_ENVELOPE_BYTES);
}

#[test]
fn more_buckets_or_one_named_twice_are_refused() {
    let too_many = quotas(MAX_QUOTAS + 1).to_raw();
    assert_eq!(too_many.parse(), Err(Refusal::BadParameters));
    let Command::AccountSetQuotas(mut twice) = quotas(2) else {
        panic!()
    };
    twice.quotas[1].bucket = twice.quotas[0].bucket;
    let twice = Command::AccountSetQuotas(twice).to_raw();
    assert_eq!(twice.parse(), Err(Refusal::BadParameters));
}
