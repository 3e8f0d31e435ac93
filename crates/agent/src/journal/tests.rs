//! The journal across openings: what is written is there again, pruning raises the floor, one
//! process at a time, the audit file is completed.

use std::{fs, os::unix::fs::MetadataExt as _, sync::Arc};

use ed25519_dalek::SigningKey;
use storm_protocol::{
    command::{CommandResult, KeyGrant},
    envelope::VerifyKey,
    error::{Failure, Refusal},
    frame::ReceiptFrame,
    ident::{AccessKeyId, AccountId, AgentId, BucketId, Digest, Micros, OperationId},
    receipt::{Chain, Outcome, Receipt},
    result::KeyRotated,
    seal::OpenKey,
};

use super::{Finished, Journal, JournalError, OpenError, Opened, Owned, OwnerChange, Tx};
use crate::{
    clock::random,
    execute::MAX_ROTATED_GRANTS,
    identity::Identity,
    receipts::{self, AUDIT_FILE, Draft},
};

const NOW: Micros = Micros(1_800_000_000 * Micros::SECOND);

fn identity() -> Arc<Identity> {
    Arc::new(Identity {
        agent: AgentId::new(NOW, random()),
        region: "here".parse().unwrap(),
        receipt_key: SigningKey::from_bytes(&random()),
        open_key: OpenKey::generate(),
    })
}

fn operation(seconds: i64) -> OperationId {
    OperationId::new(NOW.plus_seconds(seconds), random())
}

async fn append(opened: &Opened, identity: &Arc<Identity>, account: AccountId) -> ReceiptFrame {
    let refused = Outcome::Refused {
        code: Refusal::Expired,
        message: String::new(),
    };
    append_outcome(opened, identity, account, refused).await
}

async fn append_outcome(
    opened: &Opened,
    identity: &Arc<Identity>,
    account: AccountId,
    outcome: Outcome,
) -> ReceiptFrame {
    let draft = Draft {
        account,
        operation: operation(0),
        attempt: 1,
        envelope: Digest::of(b"envelope"),
        intent: Digest::of(b"intent"),
        command: "agent.ping".to_owned(),
        accepted_at: NOW,
        finished_at: NOW,
        outcome,
        sealed: None,
    };
    let identity = Arc::clone(identity);
    let predecessor = Some(Digest::of(b"predecessor"));
    let append = opened.journal.commit("outcome", move |tx| {
        receipts::append(tx, &identity, predecessor, draft)
    });
    append.await.unwrap()
}

#[tokio::test]
async fn receipts_chain_for_the_agent_and_for_each_account_across_openings() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity();
    let accounts = [AccountId::new(NOW, random()), AccountId::new(NOW, random())];
    for _ in 0..3 {
        let opened = Journal::open(folder.path(), NOW).unwrap();
        // At once, so that several are in one commit.
        let each = (0..10).map(|n| append(&opened, &identity, accounts[n % 2]));
        futures_util::future::join_all(each).await;
        opened.journal.close();
    }
    let opened = Journal::open(folder.path(), NOW).unwrap();
    let frames = opened.journal.receipts(1, 100).unwrap();
    assert_eq!(frames.len(), 30);
    assert_eq!(opened.journal.receipts(30, 100).unwrap().len(), 1);
    let key = VerifyKey::of(&identity.receipt_key);
    let (mut whole, mut parts) = (Chain::default(), [Chain::default(), Chain::default()]);
    for frame in &frames {
        let (receipt, digest) = Receipt::open(&frame.receipt, key).unwrap();
        if receipt.sequence == 1 {
            assert_eq!(receipt.previous, Some(Digest::of(b"predecessor")));
        }
        whole.append(&receipt, digest).unwrap();
        let part = usize::from(receipt.account == accounts[1]);
        parts[part].append_account(&receipt, digest).unwrap();
    }
    assert_eq!(opened.journal.head().digest, whole.head);
    assert_eq!((parts[0].sequence, parts[1].sequence), (15, 15));
    let mode = fs::metadata(folder.path().join(super::FILE_NAME))
        .unwrap()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn pruning_forgets_and_raises_the_floor_in_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Journal::open(folder.path(), NOW).unwrap();
    let rows = [operation(1), operation(3), operation(2)];
    let finished = Finished {
        account: AccountId::new(NOW, random()),
        intent: Digest::of(b"i"),
        sequence: 7,
        finished_at: NOW,
    };
    for row in rows {
        opened
            .journal
            .commit("outcome", move |tx| tx.end(row, &finished))
            .await
            .unwrap();
    }
    let gone = vec![(rows[1], finished), (rows[2], finished)];
    let floor = opened
        .journal
        .commit("prune", move |tx| tx.prune(&gone))
        .await
        .unwrap();
    assert_eq!(floor, Some(rows[1]));
    opened.journal.close();

    let opened = Journal::open(folder.path(), NOW.plus_seconds(999)).unwrap();
    assert_eq!(opened.floor, Some(rows[1]));
    assert_eq!(opened.birth, NOW, "a journal is born once");
    assert_eq!(opened.ended.len(), 1);
    assert_eq!(opened.ended[0], (rows[0], finished));
    // Something older pruned later does not lower it.
    let gone = vec![(rows[0], finished)];
    let floor = opened
        .journal
        .commit("prune", move |tx| tx.prune(&gone))
        .await
        .unwrap();
    assert_eq!(floor, Some(rows[1]));
}

#[tokio::test]
async fn what_the_journal_knows_of_owners_is_not_overwritten_by_what_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Journal::open(folder.path(), NOW).unwrap();
    let thing = Owned::Key("GK000000000000000000000001".parse().unwrap());
    let (one, other) = (AccountId::new(NOW, random()), AccountId::new(NOW, random()));
    for change in [
        OwnerChange::Set(thing.clone(), one),
        OwnerChange::Learn(thing.clone(), other),
    ] {
        opened
            .journal
            .commit("settings", move |tx| tx.change_owners(&[change]))
            .await
            .unwrap();
    }
    assert_eq!(opened.journal.owner(&thing).unwrap(), Some(one));
    let gone = OwnerChange::Gone(thing.clone());
    opened
        .journal
        .commit("outcome", move |tx| tx.change_owners(&[gone]))
        .await
        .unwrap();
    assert_eq!(opened.journal.owner(&thing).unwrap(), None);
}

#[tokio::test]
async fn a_second_process_is_told_that_the_journal_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Journal::open(folder.path(), NOW).unwrap();
    let second = Journal::open(folder.path(), NOW).map(|_| ()).unwrap_err();
    assert!(matches!(second, OpenError::InUse(_)), "{second}");
    opened.journal.close();
    assert!(Journal::open(folder.path(), NOW).is_ok());
}

#[tokio::test]
async fn a_failed_job_leaves_nothing_and_the_journal_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Journal::open(folder.path(), NOW).unwrap();
    let failed: Result<(), _> = opened
        .journal
        .commit("settings", |tx| {
            tx.put_blob("half", b"x")?;
            Err(redb::Error::Corrupted("a test says so".to_owned()))
        })
        .await;
    assert!(failed.unwrap_err().to_string().contains("a test says so"));
    assert_eq!(opened.journal.blob("half").unwrap(), None);
    opened
        .journal
        .commit("settings", |tx| tx.put_blob("whole", b"y"))
        .await
        .unwrap();
    assert_eq!(
        opened.journal.blob("whole").unwrap().as_deref(),
        Some(b"y".as_slice())
    );
}

#[tokio::test]
async fn each_job_of_a_commit_that_fails_hears_why_and_the_audit_file_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, account) = (identity(), AccountId::new(NOW, random()));
    let opened = Journal::open(folder.path(), NOW).unwrap();
    append(&opened, &identity, account).await;
    // Holds the writer until all the others wait behind it, so that they are one commit.
    let (journal, (begun, begins)) = (opened.journal.clone(), tokio::sync::oneshot::channel());
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = tokio::spawn(async move {
        let hold = move |_: &mut Tx<'_>| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        };
        journal.commit("settings", hold).await
    });
    begins.await.unwrap();
    let failing = opened.journal.commit("settings", |_| {
        Err::<(), _>(redb::Error::Corrupted("a test says so".to_owned()))
    });
    let before = opened
        .journal
        .commit("settings", |tx| tx.put_blob("a", b"x"));
    let behind = opened
        .journal
        .commit("settings", |tx| tx.put_blob("b", b"y"));
    let release = async move { go.send(()).unwrap() };
    // Polled in this order: each is handed over before the first may end.
    let (before, failing, behind, ()) = tokio::join!(biased; before, failing, behind, release);
    first.await.unwrap().unwrap();
    for failed in [before, failing, behind] {
        assert!(
            matches!(failed, Err(JournalError::Storage(_))),
            "{failed:?}"
        );
    }
    assert!(opened.journal.trouble().unwrap().contains("a test says so"));
    assert_eq!(opened.journal.blob("b").unwrap(), None);

    append(&opened, &identity, account).await;
    assert_eq!(opened.journal.trouble(), None);
    opened.journal.close();
    assert!(opened.journal.trouble().is_some());
    let audit = fs::read_to_string(folder.path().join(AUDIT_FILE)).unwrap();
    assert_eq!(audit.lines().count(), 2);
}

#[tokio::test]
async fn the_largest_rotation_has_a_receipt_and_what_is_larger_than_any_receipt_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, account) = (identity(), AccountId::new(NOW, random()));
    let opened = Journal::open(folder.path(), NOW).unwrap();
    let rotated = |grants: usize| {
        let grant = KeyGrant {
            bucket: BucketId([255; 32]),
            read: false,
            write: false,
            owner: false,
        };
        let key = AccessKeyId::derive(operation(0), 0);
        Outcome::Done(CommandResult::KeyRotate(KeyRotated {
            key: key.clone(),
            grants: vec![grant; grants],
            previous: key,
            previous_expires_at: NOW,
        }))
    };
    let key = VerifyKey::of(&identity.receipt_key);
    let fits = rotated(MAX_ROTATED_GRANTS);
    let frame = append_outcome(&opened, &identity, account, fits.clone()).await;
    assert_eq!(Receipt::open(&frame.receipt, key).unwrap().0.outcome, fits);
    let large = rotated(5000);
    let frame = append_outcome(&opened, &identity, account, large).await;
    let (receipt, _) = Receipt::open(&frame.receipt, key).unwrap();
    assert!(
        matches!(
            &receipt.outcome,
            Outcome::Failed {
                code: Failure::GaveUp,
                ..
            }
        ),
        "{receipt:?}"
    );
}

#[tokio::test]
async fn the_audit_file_is_completed_and_an_older_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity();
    let account = AccountId::new(NOW, random());
    let opened = Journal::open(folder.path(), NOW).unwrap();
    for _ in 0..5 {
        append(&opened, &identity, account).await;
    }
    opened.journal.close();
    let path = folder.path().join(AUDIT_FILE);
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(whole.lines().count(), 5);

    // A crash cut the fourth line and lost the fifth.
    let cut = whole.match_indices('\n').nth(2).unwrap().0 + 20;
    fs::write(&path, &whole[..cut]).unwrap();
    Journal::open(folder.path(), NOW).unwrap().journal.close();
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);

    fs::remove_file(&path).unwrap();
    Journal::open(folder.path(), NOW).unwrap().journal.close();
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);

    // A damaged last line keeps its place; what follows is written behind it.
    let damaged = whole.replacen("\"payload\"", "\"pAyload\"", 5);
    fs::write(&path, &damaged).unwrap();
    let opened = Journal::open(folder.path(), NOW).unwrap();
    append(&opened, &identity, account).await;
    opened.journal.close();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 6);

    fs::remove_file(folder.path().join(super::FILE_NAME)).unwrap();
    let error = Journal::open(folder.path(), NOW).map(|_| ()).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Behind {
                audit: 6,
                journal: 0,
                ..
            }
        ),
        "{error}"
    );
}
