//! `storm audit verify` against servers that lie, over HTTP, with real signatures.

use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use secrecy::SecretString;
use serde_json::{Value, json};
use storm_protocol::{
    api::{ReceiptRecord, TrustBundle},
    command::CommandResult,
    encoding::Base64,
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    ident::{Micros, OperationId},
    result::Pong,
    seal::OpenKey,
    trust::{KeyRole, TrustDocument, TrustedKey},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    client::{Api, Credential},
    config::Config,
    errors::report,
};

/// Receipts in each chain.
const LENGTH: u64 = 6;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn agent(seed: u8) -> AgentId {
    AgentId::new(Micros(0), [seed; 10])
}

fn account(seed: u8) -> AccountId {
    AccountId::new(Micros(0), [seed; 10])
}

fn statement(id: u8, receipts: &SigningKey, dispatch: &SigningKey) -> Envelope {
    let statement = AgentStatement {
        version: VERSION,
        agent: agent(id),
        region: "local".parse().unwrap(),
        receipt_key: VerifyKey::of(receipts),
        seal_key: OpenKey::from_bytes([8; 32]).seal_key(),
        issued_at: Micros(0),
    };
    Envelope::sign_json(PayloadType::Agent, &statement, dispatch).unwrap()
}

/// A chain of `owner`'s on agent `id`; `what` tells one history from another.
fn chain(id: u8, owner: u8, signer: &SigningKey, what: &str) -> Vec<ReceiptRecord> {
    let mut previous = None;
    let record = |sequence| {
        let receipt = Receipt {
            version: VERSION,
            agent: agent(id),
            region: "local".parse().unwrap(),
            sequence,
            previous,
            account: account(owner),
            account_sequence: sequence,
            account_previous: previous,
            operation: OperationId::new(Micros(0), [3; 10]),
            attempt: 1,
            envelope: Digest::of(b"envelope"),
            intent: Digest::of(b"intent"),
            command: "agent.ping".to_owned(),
            accepted_at: Micros(0),
            finished_at: Micros(0),
            outcome: Outcome::Done(CommandResult::AgentPing(Pong {
                clock: Micros(0),
                version: what.to_owned(),
            })),
            sealed: None,
        };
        let envelope = Envelope::sign_json(PayloadType::Receipt, &receipt, signer).unwrap();
        let opened = Receipt::open(&envelope, VerifyKey::of(signer)).unwrap();
        previous = Some(opened.1);
        ReceiptRecord {
            agent: agent(id),
            sequence,
            account_sequence: sequence,
            account: account(owner),
            operation: receipt.operation,
            receipt: envelope,
        }
    };
    (1..=LENGTH).map(record).collect()
}

/// What a server shows.
#[derive(Clone)]
struct Shown {
    trust: TrustBundle,
    chains: BTreeMap<String, Vec<ReceiptRecord>>,
    /// Whether it gives the same page whatever is asked for.
    ignores_after: bool,
}

impl Shown {
    /// Two agents with a chain each, and nothing to hide.
    fn honest() -> Self {
        let (root, dispatch) = (key(1), key(2));
        let document = TrustDocument {
            version: VERSION,
            serial: 1,
            issued_at: Micros(0),
            authorities: vec![],
            keys: vec![TrustedKey {
                key: VerifyKey::of(&dispatch),
                role: KeyRole::Dispatch,
                not_before: Micros(0),
                not_after: Micros(1),
            }],
        };
        let chains = [(10, key(11)), (20, key(21))];
        let named = |(id, signer)| (agent(id).to_string(), chain(id, 4, &signer, "1"));
        Self {
            trust: TrustBundle {
                root_key: VerifyKey::of(&root),
                trust: Envelope::sign_json(PayloadType::Trust, &document, &root).unwrap(),
                agents: vec![
                    statement(10, &key(11), &dispatch),
                    statement(20, &key(21), &dispatch),
                ],
            },
            chains: chains.map(named).into(),
            ignores_after: false,
        }
    }

    /// The first agent's chain.
    fn first(&mut self) -> &mut Vec<ReceiptRecord> {
        self.chains.get_mut(&agent(10).to_string()).unwrap()
    }

    fn answer(&self, target: &str) -> Value {
        let url: url::Url = format!("http://x{target}").parse().unwrap();
        if url.path() == "/api/v1/trust" {
            return serde_json::to_value(&self.trust).unwrap();
        }
        assert_eq!(url.path(), "/api/v1/receipts");
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let chain = self.chains.get(&asked["agent"]);
        let after: u64 = match self.ignores_after {
            true => 0,
            false => asked["after"].parse().unwrap(),
        };
        // As a server does that keeps them in its own order: all that it has not sent yet.
        let sent = |record: &&ReceiptRecord| after > 0 && record.account_sequence == after;
        let items: Vec<_> = chain.into_iter().flatten().collect();
        let start = items.iter().rposition(sent).map_or(0, |at| at + 1);
        json!({ "items": items[start..], "next_cursor": null })
    }
}

/// A server that shows what it is told to.
struct Liar {
    shown: Arc<Mutex<Shown>>,
    session: Session,
    _dir: tempfile::TempDir,
}

impl Liar {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shown = Arc::new(Mutex::new(Shown::honest()));
        let kept = Arc::clone(&shown);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                serve(socket, &kept).await;
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            api_url: url.parse().unwrap(),
            token: None,
            token_in_keyring: false,
            token_id: None,
            root_key: VerifyKey::of(&key(1)).id(),
            account: Some(account(4)),
            region: None,
        };
        let credential = Credential::Token(SecretString::from("sbt_x"));
        let session = Session {
            api: Api::new(config.api_url.clone(), credential).unwrap(),
            config,
            dir: dir.path().to_owned(),
            json: false,
        };
        Self {
            shown,
            session,
            _dir: dir,
        }
    }

    /// The code of what `storm audit verify` says to `lie`, told to an honest chain.
    async fn told(&self, lie: impl FnOnce(&mut Shown)) -> Option<&'static str> {
        let mut shown = Shown::honest();
        lie(&mut shown);
        *self.shown.lock().unwrap() = shown;
        let error = verify(&self.session).await.err()?;
        let words = error.to_string();
        let whole = words.ends_with('.') || words.contains("storm login --root-key");
        assert!(!words.contains('\n') && whole, "{words}");
        assert_eq!(report(&error, false), 8, "{words}");
        Some(error.downcast_ref::<VerifyError>().unwrap().code())
    }
}

async fn serve(mut socket: TcpStream, shown: &Mutex<Shown>) {
    let mut request = vec![0; 8192];
    let length = socket.read(&mut request).await.unwrap();
    let text = String::from_utf8_lossy(&request[..length]).into_owned();
    let target = text.split(' ').nth(1).unwrap();
    let body = shown.lock().unwrap().answer(target).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = [head, body].concat();
    socket.write_all(answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn what_is_whole_holds_and_may_grow() {
    let liar = Liar::new().await;
    let shorter = |shown: &mut Shown| shown.first().truncate(3);
    assert_eq!(liar.told(shorter).await, None);
    assert_eq!(liar.told(|_| ()).await, None);
    assert_eq!(liar.told(|_| ()).await, None);
}

#[tokio::test]
async fn a_chain_that_was_changed_does_not_hold() {
    type Lie = fn(&mut Vec<ReceiptRecord>);
    let lies: [(&str, Lie); 9] = [
        ("the first is dropped", |chain| drop(chain.remove(0))),
        ("one in the middle is dropped", |chain| {
            drop(chain.remove(2));
        }),
        ("two are swapped", |chain| chain.swap(1, 2)),
        ("the last two are swapped", |chain| chain.swap(4, 5)),
        ("one is repeated", |chain| {
            chain.insert(3, chain[2].clone());
        }),
        ("the last is repeated", |chain| chain.push(chain[5].clone())),
        ("an old one comes last", |chain| {
            chain.push(chain[0].clone())
        }),
        ("all come twice", |chain| chain.extend(chain.clone())),
        ("one is of another history", |chain| {
            chain[2] = self::chain(10, 4, &key(11), "2").remove(2);
        }),
    ];
    // Whoever verifies for the first time finds these too.
    for (what, lie) in lies {
        let liar = Liar::new().await;
        let code = liar.told(|shown| lie(shown.first())).await;
        assert_eq!(code, Some("broken_chain"), "{what}");
        // What does not hold is not remembered as what was seen.
        assert_eq!(liar.told(|_| ()).await, None, "{what}");
    }
    let liar = Liar::new().await;
    let for_ever = |shown: &mut Shown| shown.ignores_after = true;
    assert_eq!(liar.told(for_ever).await, Some("broken_chain"));
}

#[tokio::test]
async fn a_receipt_that_was_altered_does_not_hold() {
    let liar = Liar::new().await;
    let length = Shown::honest().first()[2].receipt.payload.0.len();
    for at in [0, length / 2, length - 1] {
        let code = liar.told(|shown| shown.first()[2].receipt.payload.0[at] ^= 1);
        assert_eq!(code.await, Some("bad_receipt"), "byte {at}");
    }
    let code = liar.told(|shown| shown.first()[2].receipt.payload = Base64(vec![]));
    assert_eq!(code.await, Some("bad_receipt"));
    let code = liar.told(|shown| shown.first()[2].receipt.signatures[0].sig.0[9] ^= 1);
    assert_eq!(code.await, Some("bad_receipt"));
    let code = liar.told(|shown| shown.first()[2].receipt.payload_type.push('x'));
    assert_eq!(code.await, Some("bad_receipt"));
}

#[tokio::test]
async fn what_another_signed_or_owns_does_not_hold() {
    let liar = Liar::new().await;
    // Another agent's receipts under this one's name.
    let code = liar.told(|shown| *shown.first() = chain(20, 4, &key(21), "1"));
    assert_eq!(code.await, Some("receipt_mismatch"));
    // Another agent's key that signs in this one's name.
    let code = liar.told(|shown| *shown.first() = chain(10, 4, &key(21), "1"));
    assert_eq!(code.await, Some("receipt_mismatch"));
    let code = liar.told(|shown| *shown.first() = chain(10, 4, &key(99), "1"));
    assert_eq!(code.await, Some("bad_receipt"));
    // The same, with a signature that claims to be by the right key.
    let code = liar.told(|shown| {
        *shown.first() = chain(10, 4, &key(99), "1");
        for record in shown.first() {
            record.receipt.signatures[0].keyid = VerifyKey::of(&key(11)).id();
        }
    });
    assert_eq!(code.await, Some("bad_receipt"));
    // Another account's chain, whole and well signed.
    let code = liar.told(|shown| *shown.first() = chain(10, 5, &key(11), "1"));
    assert_eq!(code.await, Some("receipt_mismatch"));
    let code = liar.told(|shown| {
        let theirs = chain(10, 5, &key(11), "1").remove(5);
        shown.first()[5] = theirs;
    });
    assert_eq!(code.await, Some("receipt_mismatch"));
}

#[tokio::test]
async fn another_key_for_an_agent_does_not_hold() {
    let liar = Liar::new().await;
    // A statement that the agent signed itself, or another root's.
    let code = liar.told(|shown| shown.trust.agents[0] = statement(10, &key(99), &key(11)));
    assert_eq!(code.await, Some("bad_statement"));
    let code = liar.told(|shown| shown.trust.root_key = VerifyKey::of(&key(99)));
    assert_eq!(code.await, Some("other_root_key"));
    let code = liar.told(|shown| shown.trust.trust.payload.0[20] ^= 1);
    assert_eq!(code.await, Some("bad_trust_document"));
    // Whoever has the dispatch key too can write another history, but not for whoever saw this one.
    assert_eq!(liar.told(|_| ()).await, None);
    let code = liar.told(|shown| {
        shown.trust.agents[0] = statement(10, &key(99), &key(2));
        *shown.first() = chain(10, 4, &key(99), "2");
    });
    assert_eq!(code.await, Some("rewritten_chain"));
}

#[tokio::test]
async fn what_was_seen_cannot_be_taken_back() {
    let liar = Liar::new().await;
    assert_eq!(liar.told(|_| ()).await, None);
    for left in [0, 1, 5] {
        let code = liar.told(|shown| shown.first().truncate(left));
        assert_eq!(code.await, Some("rewritten_chain"), "{left} left");
    }
    let code = liar.told(|shown| *shown.first() = chain(10, 4, &key(11), "2"));
    assert_eq!(code.await, Some("rewritten_chain"));
    // Nor with the agent that signed it.
    let code = liar.told(|shown| drop(shown.trust.agents.remove(0)));
    assert_eq!(code.await, Some("rewritten_chain"));
    // A lie about one agent spoils nothing of what is known of the other.
    assert_eq!(liar.told(|_| ()).await, None);
}
