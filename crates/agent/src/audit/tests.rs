//! Every way in which an audit file can differ from what was written.

use ed25519_dalek::SigningKey;
use storm_protocol::{
    command::CommandResult,
    ident::{AccountId, Micros, OperationId},
    receipt::Outcome,
    result::Pong,
};

use super::*;

const LINES: u64 = 6;

struct Story {
    subject: Subject,
    lines: Vec<String>,
}

fn id(n: u8) -> [u8; 10] {
    [n; 10]
}

fn receipts(key: &SigningKey, agent: AgentId, clock: i64) -> (Vec<String>, Option<Digest>) {
    let mut previous = None;
    let mut lines = vec![];
    for sequence in 1..=LINES {
        let receipt = Receipt {
            version: 1,
            agent,
            region: "helsinki".parse().expect("a region"),
            sequence,
            previous,
            account: AccountId::new(Micros(1_000_000), id(1)),
            account_sequence: sequence,
            account_previous: previous,
            operation: OperationId::new(Micros(1_000_000), id(sequence as u8)),
            attempt: 1,
            envelope: Digest::of(b"envelope"),
            intent: Digest::of(b"intent"),
            command: "agent.ping".to_owned(),
            accepted_at: Micros(1),
            finished_at: Micros(2),
            outcome: Outcome::Done(CommandResult::AgentPing(Pong {
                clock: Micros(clock),
                version: "1".to_owned(),
            })),
            sealed: None,
        };
        let envelope = Envelope::sign_json(PayloadType::Receipt, &receipt, key).expect("signed");
        previous = Some(envelope.identity());
        lines.push(serde_json::to_string(&envelope).expect("JSON"));
    }
    (lines, previous)
}

fn story() -> Story {
    let key = SigningKey::from_bytes(&[5; 32]);
    let agent = AgentId::new(Micros(1_000_000), id(9));
    let (lines, head) = receipts(&key, agent, 2);
    Story {
        subject: Subject {
            agent,
            key: VerifyKey::of(&key),
            predecessor: None,
            head: Some((LINES, head)),
        },
        lines,
    }
}

impl Story {
    fn verify(&self) -> Result<u64, Broken> {
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        self.verify_text(&text)
    }

    fn verify_text(&self, text: &str) -> Result<u64, Broken> {
        self.subject
            .verify(text.as_bytes())
            .map_err(|error| match error {
                VerifyError::Broken(broken) => broken,
                VerifyError::Unreadable(error) => panic!("{error}"),
            })
    }
}

#[test]
fn what_the_agent_wrote_stands() {
    assert_eq!(story().verify(), Ok(LINES));
}

#[test]
fn each_changed_byte_is_found() {
    let line = story().lines[2].clone();
    for at in 0..line.len() {
        let mut story = story();
        let mut bytes = line.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        story.lines[2] = String::from_utf8(bytes).expect("ASCII");
        assert_eq!(story.verify(), Err(Broken::Changed(3)), "byte {at}");
    }
}

#[test]
fn another_spelling_of_the_same_line_is_found() {
    for (from, to) in [
        ("{\"payload", "{ \"payload"),
        ("}]}", "}]} "),
        ("}]}", "}]}\r"),
    ] {
        let mut story = story();
        story.lines[1] = story.lines[1].replacen(from, to, 1);
        assert_eq!(story.verify(), Err(Broken::Changed(2)), "{to}");
    }
}

#[test]
fn a_missing_line_is_found_wherever_it_was() {
    for at in 0..LINES {
        let mut story = story();
        story.lines.remove(at as usize);
        let broken = if at + 1 == LINES {
            Broken::Truncated {
                line: LINES,
                expected: LINES,
                signed: LINES,
            }
        } else {
            Broken::Missing {
                line: at + 1,
                expected: at + 1,
                found: at + 2,
            }
        };
        assert_eq!(story.verify(), Err(broken));
    }
}

#[test]
fn reordered_and_repeated_lines_are_found() {
    let mut swapped = story();
    swapped.lines.swap(1, 2);
    let broken = Broken::Missing {
        line: 2,
        expected: 2,
        found: 3,
    };
    assert_eq!(swapped.verify(), Err(broken));
    let mut repeated = story();
    repeated.lines.insert(3, repeated.lines[1].clone());
    let broken = Broken::Reordered {
        line: 4,
        expected: 4,
        found: 2,
    };
    assert_eq!(repeated.verify(), Err(broken));
}

#[test]
fn a_truncated_file_is_found() {
    let mut story = story();
    story.lines.truncate(4);
    let broken = Broken::Truncated {
        line: 5,
        expected: 5,
        signed: LINES,
    };
    assert_eq!(story.verify(), Err(broken));
    story.lines.clear();
    let broken = Broken::Truncated {
        line: 1,
        expected: 1,
        signed: LINES,
    };
    assert_eq!(story.verify(), Err(broken));
    // In the middle of a line.
    let text = format!(
        "{}\n{}",
        self::story().lines[0],
        &self::story().lines[1][..50]
    );
    assert_eq!(story.verify_text(&text), Err(Broken::CutOff(2)));
}

#[test]
fn lines_of_another_key_agent_or_history_are_found() {
    let mut other_key = story();
    let agent = other_key.subject.agent;
    other_key.lines = receipts(&SigningKey::from_bytes(&[6; 32]), agent, 2).0;
    assert_eq!(other_key.verify(), Err(Broken::Changed(1)));

    let key = SigningKey::from_bytes(&[5; 32]);
    let mut other_agent = story();
    let stranger = AgentId::new(Micros(1_000_000), id(8));
    other_agent.lines = receipts(&key, stranger, 2).0;
    assert_eq!(other_agent.verify(), Err(Broken::OtherAgent(1)));

    // Signed by the agent, but not what came before.
    let rewritten = receipts(&key, agent, 3).0;
    let mut grafted = story();
    grafted.lines[3..].clone_from_slice(&rewritten[3..]);
    assert_eq!(grafted.verify(), Err(Broken::Unlinked(4)));
    let mut replaced = story();
    replaced.lines = rewritten;
    assert_eq!(replaced.verify(), Err(Broken::OtherHead(LINES)));

    let mut predecessor = story();
    predecessor.subject.predecessor = Some(Digest::of(b"another chain"));
    assert_eq!(predecessor.verify(), Err(Broken::Unlinked(1)));
}
