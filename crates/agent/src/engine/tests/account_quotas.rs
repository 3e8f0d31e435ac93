//! Many quotas by one command: each is set however it is cut, and a bucket that is gone is told.

use storm_protocol::{
    command::{AccountSetQuotas, BucketQuota, Command, CommandResult},
    error::Refusal,
    ident::{BucketId, Limit},
};

use super::{
    acceptance::create,
    commands::{created, delete},
    interruptions::{MISHAPS, disturbed},
    support::{Asker, Bench},
};

fn quotas(asker: &Asker, buckets: &[BucketId], bytes: u64) -> Command {
    let quotas = buckets.iter().map(|bucket| BucketQuota {
        bucket: *bucket,
        quota_bytes: Limit::new(bytes),
        quota_objects: None,
    });
    Command::AccountSetQuotas(AccountSetQuotas {
        account: asker.actor.account,
        quotas: quotas.collect(),
    })
}

#[tokio::test]
async fn every_quota_is_set_and_what_is_gone_is_told() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let mut buckets = vec![];
    for name in ["one", "two", "three", "four"].map(|name| format!("{name}-bucket")) {
        buckets.push(created(&bench.run(&asker, create(&name, None)).await).bucket);
    }
    let gone = buckets[1];
    bench.run(&asker, delete(gone)).await.result();

    // Not the account's own people: the platform.
    let refused = bench.run(&asker, quotas(&asker, &buckets, 1)).await;
    assert_eq!(refused.refusal(), Refusal::NotYours);
    let mut platform = asker.clone();
    platform.actor.operator = true;
    let mut bytes = 1_000;
    for mishap in MISHAPS {
        bytes += 1;
        let command = quotas(&asker, &buckets, bytes);
        let done = disturbed(&mut bench, &platform, &command, "UpdateBucket", mishap).await;
        match done.result() {
            CommandResult::AccountSetQuotas(set) => {
                assert_eq!((set.set, &set.gone[..]), (3, &[gone][..]), "{mishap:?}");
                assert_eq!(set.account, asker.actor.account);
            }
            other => panic!("{other:?}"),
        }
        let found = bench.garage.buckets().await;
        assert_eq!(found.len(), 3);
        assert!(
            found
                .iter()
                .all(|bucket| bucket.quotas.max_size == Some(bytes)),
            "{mishap:?}"
        );
    }
}
