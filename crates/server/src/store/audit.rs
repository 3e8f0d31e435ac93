//! The audit trail: rows are added and, when their time is over, dropped; none is ever changed.

use crate::store::sql::Builder;
use sqlx::FromRow;
use storm_protocol::{
    api::AuditEvent,
    ident::{AccountId, AuditEventId, Micros, OperationId, Scope, TokenId, UserId},
};

use super::{Durability, Result, Store, Writing, from_big, parsed, parsed_option, to_big};
use crate::clock::random;

const TABLE: &str = "audit_events";
/// The result of what was done.
pub(crate) const DONE: &str = "done";
/// The longest text of a column, in characters.
const MAX_CHARS: usize = 256;
/// Rows that one statement drops.
const DROPPED_AT_ONCE: i64 = 10_000;

/// A row to write; see `AuditEvent` for the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: Micros,
    pub(crate) account: Option<AccountId>,
    pub(crate) user: Option<UserId>,
    pub(crate) email: Option<String>,
    pub(crate) token: Option<TokenId>,
    pub(crate) via: String,
    pub(crate) origin: Option<String>,
    pub(crate) act: String,
    pub(crate) thing: Option<String>,
    pub(crate) operation: Option<OperationId>,
    pub(crate) result: String,
    pub(crate) count: u64,
}

impl Entry {
    /// Writes it down in the caller's transaction. Who failed to sign in is told to an account of the
    /// person whose address it was.
    pub(crate) async fn insert(&self, change: &mut Writing) -> Result<()> {
        sqlx::query(
            r#"INSERT INTO audit_events (id, at, account, "user", email, token, via, origin, act, thing,
                                         operation, result, count)
               VALUES ($1, $2,
                       COALESCE($3, (SELECT MIN(members.account) FROM users
                                     JOIN members ON members."user" = users.id
                                     WHERE users.email = $10 AND $12 IN ('bad_credentials', 'bad_code'))),
                       $4, COALESCE($5, (SELECT email FROM users WHERE id = $4)),
                       $6, $7, $8, $9, $10, $11, $12, $13)"#,
        )
        .bind(AuditEventId::new(self.at, random()).to_string())
        .bind(self.at.0)
        .bind(self.account.map(|id| id.to_string()))
        .bind(self.user.map(|id| id.to_string()))
        .bind(self.email.as_deref().map(bounded))
        .bind(self.token.map(|id| id.to_string()))
        .bind(bounded(&self.via))
        .bind(self.origin.as_deref().map(bounded))
        .bind(bounded(&self.act))
        .bind(self.thing.as_deref().map(bounded))
        .bind(self.operation.map(|id| id.to_string()))
        .bind(bounded(&self.result))
        .bind(to_big(self.count))
        .execute(&mut **change)
        .await?;
        Ok(())
    }
}

/// As much of a text as a column takes.
fn bounded(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

/// Which events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Of this account; of all, and nobody's, when absent.
    pub(crate) account: Option<AccountId>,
    /// Since this instant.
    pub(crate) from: Option<Micros>,
    /// Before this instant.
    pub(crate) to: Option<Micros>,
    /// Of this person.
    pub(crate) user: Option<UserId>,
    /// Acts that this covers.
    pub(crate) act: Option<Scope>,
    /// `done`, `failed` (all else) or a code.
    pub(crate) result: Option<String>,
    /// About this thing or operation.
    pub(crate) thing: Option<String>,
    /// Older than this one.
    pub(crate) before: Option<AuditEventId>,
}

impl Wanted {
    fn select(&self, limit: usize) -> Builder {
        let mut sql = Builder::new(concat!(
            r#"SELECT id, at, account, "user", email, token, via, origin, act, thing, operation, result,"#,
            " count FROM audit_events WHERE TRUE"
        ));
        if let Some(account) = self.account {
            sql.push(" AND account = ").push_bind(account.to_string());
        }
        // Ids begin with the millisecond: they bound the index, the instant decides.
        if let Some(from) = self.from {
            let first = AuditEventId::new(from, [0; 10]).to_string();
            sql.push(" AND id >= ").push_bind(first);
            sql.push(" AND at >= ").push_bind(from.0);
        }
        if let Some(to) = self.to {
            let last = AuditEventId::new(to, [0xff; 10]).to_string();
            sql.push(" AND id <= ").push_bind(last);
            sql.push(" AND at < ").push_bind(to.0);
        }
        if let Some(before) = self.before {
            sql.push(" AND id < ").push_bind(before.to_string());
        }
        if let Some(user) = self.user {
            sql.push(r#" AND "user" = "#).push_bind(user.to_string());
        }
        match self.act.as_ref().map(Scope::as_str) {
            None | Some("*") => {}
            Some(act) => match act.strip_suffix('*') {
                // '.' ends the noun, and '/' follows '.'.
                Some(start) => {
                    let end = format!("{}/", start.trim_end_matches('.'));
                    // Not by the index of acts, which would read them all to sort them by time.
                    sql.push(" AND act || '' >= ").push_bind(start.to_owned());
                    sql.push(" AND act || '' < ").push_bind(end);
                }
                None => {
                    sql.push(" AND act = ").push_bind(act.to_owned());
                }
            },
        }
        match self.result.as_deref() {
            None => {}
            Some("failed") => {
                // In the words of its index.
                sql.push(" AND result <> 'done'");
            }
            Some(result) => {
                if result != DONE {
                    sql.push(" AND result <> 'done'");
                }
                sql.push(" AND result = ").push_bind(result.to_owned());
            }
        }
        if let Some(thing) = &self.thing {
            // Two short look-ups, each by its index, instead of a walk through the account's events.
            sql.push(" AND id IN (SELECT id FROM audit_events WHERE thing = ")
                .push_bind(thing.clone());
            sql.push(" UNION ALL SELECT id FROM audit_events WHERE operation = ")
                .push_bind(thing.clone());
            sql.push(")");
        }
        sql.push(" ORDER BY id DESC LIMIT ")
            .push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        sql
    }
}

#[derive(FromRow)]
struct EventRow {
    id: String,
    at: i64,
    account: Option<String>,
    user: Option<String>,
    email: Option<String>,
    token: Option<String>,
    via: String,
    origin: Option<String>,
    act: String,
    thing: Option<String>,
    operation: Option<String>,
    result: String,
    count: i64,
}

impl EventRow {
    fn read(self) -> Result<AuditEvent> {
        Ok(AuditEvent {
            id: parsed(TABLE, &self.id)?,
            at: Micros(self.at),
            account: parsed_option(TABLE, self.account.as_deref())?,
            user: parsed_option(TABLE, self.user.as_deref())?,
            email: self.email,
            token: parsed_option(TABLE, self.token.as_deref())?,
            via: self.via,
            origin: self.origin,
            act: self.act,
            thing: self.thing,
            operation: parsed_option(TABLE, self.operation.as_deref())?,
            result: self.result,
            count: from_big(TABLE, self.count)?,
        })
    }
}

impl Store {
    /// Adds events that stand for themselves.
    pub(crate) async fn add_audit_events(&self, entries: &[Entry]) -> Result<()> {
        let mut change = self.write(Durability::Process).await?;
        for entry in entries {
            entry.insert(&mut change).await?;
        }
        change.commit().await
    }

    /// Events, newest first.
    pub(crate) async fn audit_events(
        &self,
        wanted: &Wanted,
        limit: usize,
    ) -> Result<Vec<AuditEvent>> {
        let sql = wanted.select(limit);
        let rows: Vec<EventRow> = sql.build_as().fetch_all(&mut *self.read().await?).await?;
        rows.into_iter().map(EventRow::read).collect()
    }

    /// Forgets events from before `before`.
    pub(crate) async fn drop_audit_events(&self, before: Micros) -> Result<()> {
        let end = AuditEventId::new(before, [0; 10]).to_string();
        loop {
            // In portions: others write in between.
            let mut change = self.write_one(Durability::Process).await?;
            let dropped = sqlx::query(
                "DELETE FROM audit_events WHERE id IN \
                 (SELECT id FROM audit_events WHERE id < $1 ORDER BY id LIMIT $2)",
            )
            .bind(&end)
            .bind(DROPPED_AT_ONCE)
            .execute(&mut *change)
            .await?
            .rows_affected();
            change.commit().await?;
            if i64::try_from(dropped).unwrap_or(0) < DROPPED_AT_ONCE {
                return Ok(());
            }
        }
    }
}
