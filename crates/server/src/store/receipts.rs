//! Receipts: the agents' chains as the hub keeps them. One transaction takes a receipt in, moves its
//! operation, and brings buckets, keys and grants up to date.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api::ReceiptRecord,
    envelope::Envelope,
    ident::{AccountId, AgentId, Digest, Micros},
    receipt::{Chain, Receipt},
    seal::Sealed,
};

use super::{
    Durability, Result, Store, from_big, from_json, parsed, parsed_option, settlement::settle,
    to_big, to_json,
};
use crate::app::Change;

const TABLE: &str = "receipts";

macro_rules! receipt_columns {
    () => {
        "agent, sequence, account, account_sequence, operation, receipt"
    };
}

/// A receipt whose signature holds, as it came from an agent.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// What it says.
    pub receipt: &'a Receipt,
    /// Its identity.
    pub identity: Digest,
    /// The envelope that it came in.
    pub envelope: &'a Envelope,
    /// The sealed secret beside it; its digest is the receipt's.
    pub sealed: Option<&'a Sealed>,
}

/// What became of a receipt.
#[derive(Debug)]
pub enum Kept {
    /// Stored, on disk.
    New {
        /// What moved by it.
        changes: Vec<Change>,
        /// Whether it answers something that this database did not ask.
        stray: bool,
        /// Whether the operation has to be signed afresh.
        sign_again: bool,
    },
    /// The same receipt was stored before.
    Known,
    /// Receipts before it are missing: from this sequence on.
    Gap(u64),
    /// It does not fit the chain: the agent's disk or our database is not what it was.
    Broken(String),
}

impl Store {
    /// An account's receipts, of one agent or of all, by their place in the account's chains.
    pub async fn receipts_of_account(
        &self,
        account: AccountId,
        agent: Option<AgentId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ReceiptRecord>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            receipt_columns!(),
            " FROM receipts WHERE account = $1 AND ($2 IS NULL OR agent = $2) \
             AND account_sequence > $3 ORDER BY account_sequence, agent, chain LIMIT $4"
        ))
        .bind(account.to_string())
        .bind(agent.map(|agent| agent.to_string()))
        .bind(to_big(after))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_record).collect()
    }

    /// An agent's whole chain, for operators.
    pub async fn receipts_of_agent(
        &self,
        agent: AgentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ReceiptRecord>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            receipt_columns!(),
            " FROM receipts WHERE agent = $1 AND sequence > $2 ORDER BY sequence, chain LIMIT $3"
        ))
        .bind(agent.to_string())
        .bind(to_big(after))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_record).collect()
    }

    /// Takes a receipt in, with all that follows from it. On disk when this returns.
    pub async fn keep_receipt(&self, incoming: &Incoming<'_>, now: Micros) -> Result<Kept> {
        let receipt = incoming.receipt;
        let mut transaction = self.write(Durability::Machine).await?;
        let row = sqlx::query(KNOWN)
            .bind(receipt.agent.to_string())
            .bind(to_big(receipt.sequence))
            .bind(receipt.account.to_string())
            .bind(receipt.operation.to_string())
            .fetch_one(&mut *transaction)
            .await?;
        if let Some(answer) = check_chains(&row, incoming)? {
            return Ok(answer);
        }
        let envelope = to_json(TABLE, incoming.envelope)?;
        sqlx::query(
            "INSERT INTO receipts (agent, chain, sequence, account, account_sequence, operation, \
             identity, receipt, stored_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(receipt.agent.to_string())
        .bind(row.try_get::<i64, _>("chain")?)
        .bind(to_big(receipt.sequence))
        .bind(receipt.account.to_string())
        .bind(to_big(receipt.account_sequence))
        .bind(receipt.operation.to_string())
        .bind(incoming.identity.to_string())
        .bind(&envelope)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE agents SET receipts = $2, head = $3, seen_at = $4 WHERE id = $1")
            .bind(receipt.agent.to_string())
            .bind(to_big(receipt.sequence))
            .bind(incoming.identity.to_string())
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        let kept = settle(&mut transaction, incoming, &row, &envelope, now).await?;
        transaction.commit().await?;
        Ok(kept)
    }
}

/// All that a receipt is compared with: the agent's chain, the account's part of it, the receipt in
/// its place, and the operation.
const KNOWN: &str = "SELECT a.chain, a.base, a.receipts, a.head, s.identity AS stored, \
     l.account_sequence AS last_sequence, l.identity AS last_identity, \
     o.id AS operation, o.region, o.account, o.\"user\", o.operator, o.via, o.command, o.parameters, o.asked, \
     o.seal_to, o.attempt, o.give_up_at \
     FROM agents a \
     LEFT JOIN receipts s ON s.agent = a.id AND s.chain = a.chain AND s.sequence = $2 \
     LEFT JOIN receipts l ON l.agent = a.id AND l.chain = a.chain AND l.account = $3 \
       AND l.account_sequence = (SELECT MAX(m.account_sequence) FROM receipts m \
         WHERE m.agent = a.id AND m.chain = a.chain AND m.account = $3) \
     LEFT JOIN operations o ON o.id = $4 \
     WHERE a.id = $1";

/// `None`: the receipt is the next of both its chains.
fn check_chains(row: &Record, incoming: &Incoming<'_>) -> Result<Option<Kept>> {
    let receipt = incoming.receipt;
    let stored = from_big("agents", row.try_get("receipts")?)?;
    if receipt.sequence <= stored {
        let before: Option<Digest> = parsed_option(TABLE, row.try_get("stored")?)?;
        // An operator accepted that the chain goes on behind it.
        let passed_over =
            before.is_none() && receipt.sequence <= from_big("agents", row.try_get("base")?)?;
        return Ok(Some(if passed_over || before == Some(incoming.identity) {
            Kept::Known
        } else {
            Kept::Broken(format!(
                "receipt {} is another than the one stored",
                receipt.sequence
            ))
        }));
    }
    if receipt.sequence > stored + 1 {
        return Ok(Some(Kept::Gap(stored + 1)));
    }
    let head = parsed_option("agents", row.try_get("head")?)?;
    let mut chain = Chain::resume(stored, head);
    if let Err(error) = chain.append(receipt, incoming.identity) {
        return Ok(Some(Kept::Broken(error.to_string())));
    }
    let last: Option<i64> = row.try_get("last_sequence")?;
    let mut chain = match last {
        Some(last) => Chain::resume(
            from_big(TABLE, last)?,
            parsed_option(TABLE, row.try_get("last_identity")?)?,
        ),
        None if row.try_get::<i64, _>("chain")? == 0 => Chain::default(),
        // The head that an operator accepted does not say where each account's part had come to.
        None => Chain::resume(
            receipt.account_sequence.saturating_sub(1),
            receipt.account_previous,
        ),
    };
    Ok(match chain.append_account(receipt, incoming.identity) {
        Ok(()) => None,
        Err(error) => Some(Kept::Broken(format!(
            "in account {}: {error}",
            receipt.account
        ))),
    })
}

fn read_record(row: &Record) -> Result<ReceiptRecord> {
    Ok(ReceiptRecord {
        agent: parsed(TABLE, row.try_get("agent")?)?,
        sequence: from_big(TABLE, row.try_get("sequence")?)?,
        account_sequence: from_big(TABLE, row.try_get("account_sequence")?)?,
        account: parsed(TABLE, row.try_get("account")?)?,
        operation: parsed(TABLE, row.try_get("operation")?)?,
        receipt: from_json(TABLE, row.try_get("receipt")?)?,
    })
}
