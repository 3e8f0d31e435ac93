//! Properties that hold for any input.

use ed25519_dalek::SigningKey;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use storm_protocol::{
    command::Command,
    encoding,
    envelope::{CommandPayload, Envelope, PayloadType, VerifyKey, pae},
    frame::{ToAgent, ToHub},
    ident::{
        AccessKeyId, AccountId, BucketId, BucketName, Digest, KeyLabel, Micros, OperationId,
        RegionName, key_name, parse_key_name,
    },
    receipt::Chain,
};

fn operation() -> impl Strategy<Value = OperationId> {
    (0..=4_000_000_000_000_000i64, any::<[u8; 10]>())
        .prop_map(|(now, random)| OperationId::new(Micros(now), random))
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
        let _ = Envelope::parse(&bytes);
        let _ = CommandPayload::parse(&bytes);
        let _ = ToHub::parse(&bytes);
        let _ = ToAgent::parse(&bytes);
    }

    #[test]
    fn what_parses_prints_the_same(text in prop_oneof![
        "[a-z0-9.-]{1,70}", "GK[0-9a-f]{20,26}", "[0-9a-fA-F]{64}", "[ -~]{0,70}", ".{0,40}"
    ]) {
        if let Ok(name) = text.parse::<BucketName>() { prop_assert_eq!(name.to_string(), text.clone()); }
        if let Ok(key) = text.parse::<AccessKeyId>() { prop_assert_eq!(key.to_string(), text.clone()); }
        if let Ok(bucket) = text.parse::<BucketId>() { prop_assert_eq!(bucket.to_string(), text.clone()); }
        if let Ok(digest) = text.parse::<Digest>() { prop_assert_eq!(digest.to_string(), text.clone()); }
        if let Ok(label) = text.parse::<KeyLabel>() { prop_assert_eq!(label.to_string(), text.clone()); }
        if let Ok(region) = text.parse::<RegionName>() { prop_assert_eq!(region.to_string(), text.clone()); }
        if let Some(bytes) = encoding::decode(&text) { prop_assert_eq!(encoding::encode(&bytes), text); }
    }

    #[test]
    fn ids_keep_their_millisecond_and_sort_by_it(a in operation(), b in operation()) {
        prop_assert_eq!(a.to_string().parse::<OperationId>().unwrap(), a);
        if a.made_at() < b.made_at() { prop_assert!(a < b && a.as_bytes() < b.as_bytes()); }
    }

    #[test]
    fn ownership_reads_back_from_a_key_name(
        now in 0..4_000_000_000_000_000i64, random: [u8; 10], label in "[!-.0-~]{1,64}",
    ) {
        let account = AccountId::new(Micros(now), random);
        let label: KeyLabel = label.parse().unwrap();
        prop_assert_eq!(parse_key_name(&key_name(account, &label)), Some((account, label)));
    }

    #[test]
    fn a_changed_envelope_does_not_verify(payload: Vec<u8>, at: usize, flip in 1u8..) {
        let key = SigningKey::from_bytes(&[1; 32]);
        let mut envelope = Envelope::sign(PayloadType::Command, payload, &key);
        let trusted = [VerifyKey::of(&key)];
        prop_assert!(envelope.verify(PayloadType::Command, &trusted).is_ok());
        let signature = &mut envelope.signatures[0].sig.0;
        signature[at % 64] ^= flip;
        prop_assert!(envelope.verify(PayloadType::Command, &trusted).is_err());
    }

    #[test]
    fn different_statements_have_different_paes(a: (String, Vec<u8>), b: (String, Vec<u8>)) {
        prop_assert_eq!(pae(&a.0, &a.1) == pae(&b.0, &b.1), a == b);
    }

    #[test]
    fn parts_do_not_run_into_each_other(a: Vec<Vec<u8>>, b: Vec<Vec<u8>>) {
        let digest = |parts: &[Vec<u8>]| {
            Digest::of_parts(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        prop_assert_eq!(digest(&a) == digest(&b), a == b);
    }
}

#[test]
fn every_command_of_the_table_refuses_parameters_of_its_own_making() {
    for row in Command::TABLE {
        let raw = storm_protocol::command::RawCommand {
            name: row.name.to_owned(),
            parameters: serde_json::from_str(r#"{"no_such_parameter":true}"#).unwrap(),
        };
        assert!(raw.parse().is_err(), "{}", row.name);
    }
    assert_eq!(Chain::default().sequence, 0);
}
