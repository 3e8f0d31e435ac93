//! `storm audit`: the account's receipts, fetched and proven on this machine. Events stand beside.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use storm_protocol::{
    api::ReceiptPage,
    ident::{AccountId, AgentId, Digest, RegionName},
    receipt::{Chain, Outcome, Receipt},
    trust::AgentStatement,
};

use crate::{
    audit_events,
    client::query,
    clock,
    errors::{Exit, fault},
    files,
    output::{self, Column, Sheet, Waiting},
    security_events,
    session::{Context, Session},
    units,
    verify::{Trust, VerifyError},
};

const RECEIPTS_A_PAGE: &str = "1000";
/// Where the ends of the chains that were verified last are kept.
const HEADS_FILE: &str = "audit.json";

/// What can be done with the audit trail and with receipts.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who did, or tried, what, newest first (admins and owners)
    List(audit_events::List),
    /// Write the same to a file
    Export(audit_events::Export),
    /// List failed sign-ins, agents that were turned away and roles that moved, newest first (operators)
    Security(security_events::List),
    /// List the account's receipts, newest first
    Receipts(Receipts),
    /// Prove that the account's receipts form unbroken chains
    Verify,
}

/// How many receipts.
#[derive(Debug, Args)]
pub(crate) struct Receipts {
    /// How many
    #[arg(long, value_name = "N", default_value = "50")]
    limit: usize,
}

/// A chain that holds.
#[derive(Serialize)]
struct Verified {
    agent: AgentId,
    region: RegionName,
    receipts: u64,
    head: Option<Digest>,
}

/// The end of a chain that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptHead {
    sequence: u64,
    identity: Digest,
}

type KeptHeads = BTreeMap<String, BTreeMap<String, KeptHead>>;

/// Does it.
pub(crate) async fn run(context: &Context, command: AuditCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        AuditCommand::List(args) => audit_events::list(&session, &args).await,
        AuditCommand::Export(args) => audit_events::export(&session, &args).await,
        AuditCommand::Security(args) => security_events::list(&session, &args).await,
        AuditCommand::Receipts(args) => receipts(&session, &args).await,
        AuditCommand::Verify => verify(&session).await,
    }
}

async fn receipts(session: &Session, args: &Receipts) -> Result<()> {
    let trust = session.trust().await?;
    let account = session.account().await?;
    let mut receipts = Vec::new();
    for agent in trust.agents() {
        receipts.extend(fetch(session, &trust, agent, account).await?);
    }
    receipts.sort_by_key(|(receipt, _)| std::cmp::Reverse(receipt.finished_at));
    receipts.truncate(args.limit);
    let bare: Vec<_> = receipts.iter().map(|(receipt, _)| receipt).collect();
    session.show(&bare, || {
        let mut sheet = Sheet::new(&[
            Column::Text("When"),
            Column::Text("Command"),
            Column::Text("What came of it"),
            Column::Text("Operation"),
            Column::Text("Agent"),
            Column::Number("Receipt"),
            Column::Text("Identity"),
        ]);
        let now = clock::now();
        for (receipt, identity) in &receipts {
            sheet.row([
                units::when(now, receipt.finished_at),
                receipt.command.clone(),
                outcome(&receipt.outcome).to_owned(),
                receipt.operation.to_string(),
                output::short_end(&receipt.agent),
                receipt.account_sequence.to_string(),
                output::short(identity),
            ]);
        }
        sheet.print("No receipts yet.")
    })
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Failed { code, .. } => code.code(),
        Outcome::Refused { code, .. } => code.code(),
    }
}

async fn verify(session: &Session) -> Result<()> {
    let waiting = Waiting::new("Verifying receipts");
    let trust = session.trust().await?;
    let account = session.account().await?;
    let path = session.dir.join(HEADS_FILE);
    let mut kept = read_heads(&path)?;
    let place = format!("{} {account}", session.config.root_key);
    let heads = kept.entry(place).or_default();
    let mut verified = Vec::new();
    for agent in trust.agents() {
        waiting.say(&format!("Verifying receipts of agent {}", agent.agent));
        let receipts = fetch(session, &trust, agent, account).await?;
        let known = heads.get(&agent.agent.to_string());
        let chain = check_chain(agent.agent, &receipts, known)?;
        if let Some(identity) = chain.head {
            let head = KeptHead {
                sequence: chain.sequence,
                identity,
            };
            heads.insert(agent.agent.to_string(), head);
        }
        verified.push(Verified {
            agent: agent.agent,
            region: agent.region.clone(),
            receipts: chain.sequence,
            head: chain.head,
        });
    }
    // An agent whose chain was verified before cannot vanish with it.
    let gone = heads.iter().find(|(agent, _)| {
        let known = |statement: &AgentStatement| statement.agent.to_string() == **agent;
        !trust.agents().iter().any(known)
    });
    if let Some((agent, head)) = gone {
        return Err(VerifyError::Rewritten {
            agent: agent.parse()?,
            sequence: head.sequence,
        }
        .into());
    }
    files::write_private(&path, &serde_json::to_vec(&kept)?)?;
    drop(waiting);
    session.show(&verified, || summary(&verified))
}

/// What was verified before. A file that cannot be read is no reason to forget it.
fn read_heads(path: &Path) -> Result<KeptHeads> {
    let Some(bytes) = files::read_if_there(path)? else {
        return Ok(KeptHeads::new());
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        let text = format!(
            "{} holds what was verified before and cannot be read: {error}. Nothing was verified. Restore it; \
             if you remove it, receipts that were taken away since are not found.",
            path.display()
        );
        fault(Exit::Failed, "bad_file", text)
    })
}

fn summary(verified: &[Verified]) -> Result<()> {
    let mut sheet = Sheet::new(&[
        Column::Text("Agent"),
        Column::Text("Region"),
        Column::Number("Receipts"),
        Column::Text("Head"),
    ]);
    for chain in verified {
        sheet.row([
            chain.agent.to_string(),
            chain.region.to_string(),
            units::count(chain.receipts),
            output::maybe(chain.head, |head| output::short(&head)),
        ]);
    }
    let total: u64 = verified.iter().map(|chain| chain.receipts).sum();
    let chains = verified.iter().filter(|chain| chain.receipts > 0).count();
    sheet.print("No agent has answered yet.")?;
    let words = match (total, chains) {
        (0, _) => return Ok(()),
        (1, _) => "1 receipt, and it holds.".to_owned(),
        (total, 1) => format!("{} receipts form one unbroken chain.", units::count(total)),
        (total, chains) => format!(
            "{} receipts form {chains} unbroken chains, one an agent.",
            units::count(total)
        ),
    };
    output::line(&words)
}

/// The account's receipts on one agent, each with a signature that holds, in the server's order.
async fn fetch(
    session: &Session,
    trust: &Trust,
    agent: &AgentStatement,
    account: AccountId,
) -> Result<Vec<(Receipt, Digest)>> {
    let agent_id = agent.agent.to_string();
    let mut receipts: Vec<(Receipt, Digest)> = Vec::new();
    loop {
        let after = receipts.last().map_or(0, |last| last.0.account_sequence);
        let after = after.to_string();
        let path = query(
            "/receipts",
            &[
                ("agent", Some(&agent_id)),
                ("after", Some(&after)),
                ("limit", Some(RECEIPTS_A_PAGE)),
            ],
        );
        let page: ReceiptPage = session.api.get(&path).await?;
        if page.items.is_empty() {
            return Ok(receipts);
        }
        for record in &page.items {
            let (receipt, identity) = trust.receipt(&record.receipt)?;
            if receipt.agent != agent.agent || receipt.account != account {
                return Err(VerifyError::Mismatch("it is another agent's or account's").into());
            }
            // One that does not go on is found by the chain; here it would be asked for for ever.
            let goes_on = receipts
                .last()
                .is_none_or(|last| last.0.account_sequence < receipt.account_sequence);
            receipts.push((receipt, identity));
            if !goes_on {
                return Ok(receipts);
            }
        }
    }
}

/// Checks that the receipts are gapless from 1 and still hold what was verified before.
fn check_chain(
    agent: AgentId,
    receipts: &[(Receipt, Digest)],
    known: Option<&KeptHead>,
) -> Result<Chain, VerifyError> {
    let mut chain = Chain::default();
    let mut found = known.is_none();
    for (receipt, identity) in receipts {
        chain
            .append_account(receipt, *identity)
            .map_err(|error| VerifyError::Chain { agent, error })?;
        found |= known.is_some_and(|known| {
            known.sequence == receipt.account_sequence && known.identity == *identity
        });
    }
    match known {
        Some(known) if !found => Err(VerifyError::Rewritten {
            agent,
            sequence: known.sequence,
        }),
        Some(_) | None => Ok(chain),
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::{
        command::CommandResult,
        envelope::VERSION,
        ident::{Micros, OperationId},
        result::Pong,
    };

    use super::*;

    fn chain_of(length: u64) -> Vec<(Receipt, Digest)> {
        let mut previous = None;
        (1..=length)
            .map(|sequence| {
                let receipt = Receipt {
                    version: VERSION,
                    agent: AgentId::new(Micros(0), [1; 10]),
                    region: "local".parse().unwrap(),
                    sequence,
                    previous,
                    account: AccountId::new(Micros(0), [2; 10]),
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
                        version: "1".to_owned(),
                    })),
                    sealed: None,
                };
                let identity = Digest::of(&sequence.to_be_bytes());
                previous = Some(identity);
                (receipt, identity)
            })
            .collect()
    }

    #[test]
    fn a_whole_chain_holds_and_a_changed_one_does_not() {
        let whole = chain_of(5);
        let agent = whole[0].0.agent;
        assert_eq!(check_chain(agent, &whole, None).unwrap().sequence, 5);
        assert_eq!(check_chain(agent, &[], None).unwrap().sequence, 0);

        let mut gap = whole.clone();
        gap.remove(2);
        assert!(check_chain(agent, &gap, None).is_err());
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert!(check_chain(agent, &swapped, None).is_err());
        assert!(check_chain(agent, &whole[1..], None).is_err());
        let mut other = whole;
        other[2].1 = Digest::of(b"another");
        assert!(check_chain(agent, &other, None).is_err());
    }

    #[test]
    fn what_was_verified_before_is_not_forgotten_with_a_broken_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(HEADS_FILE);
        assert_eq!(read_heads(&path).unwrap(), KeptHeads::new());
        for broken in ["", "{", "[]", r#"{"place": {"agent": {"sequence": 1}}}"#] {
            std::fs::write(&path, broken).unwrap();
            assert!(read_heads(&path).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_was_verified_before_cannot_be_taken_away() {
        let whole = chain_of(5);
        let agent = whole[0].0.agent;
        let head = |index: usize| KeptHead {
            sequence: whole[index].0.account_sequence,
            identity: whole[index].1,
        };
        assert!(check_chain(agent, &whole, Some(&head(2))).is_ok());
        assert!(check_chain(agent, &whole, Some(&head(4))).is_ok());
        assert!(check_chain(agent, &whole[..4], Some(&head(4))).is_err());
        assert!(check_chain(agent, &[], Some(&head(0))).is_err());
    }
}

#[cfg(test)]
#[path = "audit_attacks.rs"]
mod attacks;
