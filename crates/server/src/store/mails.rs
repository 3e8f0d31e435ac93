//! E-mail that is to go out.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::ident::{AccountId, Micros, OperationId};

use super::{Durability, Result, Store, Writing};
use crate::{clock::random, mail::Mail};

/// Messages that may wait before nobody may cause another. Those that are about somebody's own safety are queued
/// all the same: each comes of a change that they made.
pub(crate) const MAX_QUEUED: i64 = 10_000;
/// The longest reason that is kept, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// A message that waits.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    /// Its id.
    pub(crate) id: String,
    /// The message.
    pub(crate) mail: Mail,
    /// How often it was tried.
    pub(crate) attempts: i64,
    /// Since when it waits.
    pub(crate) created_at: Micros,
}

/// Queues a message, on an account's behalf if on anybody's, in the caller's transaction. Wake `bus.mail` once that is
/// committed.
pub(super) async fn queue(
    change: &mut Writing,
    account: Option<AccountId>,
    mail: &Mail,
    now: Micros,
) -> Result<()> {
    // Any id of version 7 serves.
    let id = OperationId::new(now, random());
    sqlx::query(
        "INSERT INTO mails (id, recipient, subject, body_text, body_html, state, next_try_at, created_at, \
         account) VALUES ($1, $2, $3, $4, $5, 'queued', $6, $6, $7)",
    )
    .bind(id.to_string())
    .bind(&mail.to)
    .bind(&mail.subject)
    .bind(&mail.text)
    .bind(&mail.html)
    .bind(now.0)
    .bind(account.map(|id| id.to_string()))
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Messages that went or wait on an account's behalf since an instant.
pub(super) async fn count(change: &mut Writing, account: AccountId, since: Micros) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM mails WHERE account = $1 AND created_at > $2";
    let count = sqlx::query_scalar(sql)
        .bind(account.to_string())
        .bind(since.0);
    Ok(count.fetch_one(&mut **change).await?)
}

impl Store {
    /// Whether as many messages wait as may.
    pub(crate) async fn are_mails_full(&self) -> Result<bool> {
        let sql =
            "SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state = 'queued' LIMIT $1) AS waiting";
        let waiting: i64 = sqlx::query_scalar(sql)
            .bind(MAX_QUEUED)
            .fetch_one(&mut *self.read().await?)
            .await?;
        Ok(waiting >= MAX_QUEUED)
    }

    /// Messages whose time has come, oldest first.
    pub(crate) async fn mails_due(&self, now: Micros, limit: i64) -> Result<Vec<Queued>> {
        let rows = sqlx::query(
            "SELECT id, recipient, subject, body_text, body_html, attempts, created_at FROM mails \
             WHERE state = 'queued' AND next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2",
        )
        .bind(now.0)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(Queued {
                id: row.try_get("id")?,
                mail: Mail {
                    to: row.try_get("recipient")?,
                    subject: row.try_get("subject")?,
                    text: row.try_get("body_text")?,
                    html: row.try_get("body_html")?,
                },
                attempts: row.try_get("attempts")?,
                created_at: Micros(row.try_get("created_at")?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// A message went. What it said is forgotten.
    pub(crate) async fn mail_sent(&self, id: &str, now: Micros) -> Result<()> {
        let mut change = self.write_one(Durability::Machine).await?;
        sqlx::query(
            "UPDATE mails SET state = 'sent', ended_at = $2, body_text = NULL, body_html = NULL, \
             error = NULL, attempts = attempts + 1 WHERE id = $1 AND state = 'queued'",
        )
        .bind(id)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// A message did not go; it is tried at `next`, or given up.
    pub(crate) async fn mail_not_sent(
        &self,
        id: &str,
        error: &str,
        next: Option<Micros>,
        now: Micros,
    ) -> Result<()> {
        let error: String = error.chars().take(MAX_ERROR_CHARS).collect();
        let sql = match next {
            Some(_) => {
                "UPDATE mails SET attempts = attempts + 1, error = $2, next_try_at = $3 \
                 WHERE id = $1 AND state = 'queued'"
            }
            None => {
                "UPDATE mails SET attempts = attempts + 1, error = $2, state = 'failed', ended_at = $3, \
                 body_text = NULL, body_html = NULL WHERE id = $1 AND state = 'queued'"
            }
        };
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query(sql)
            .bind(id)
            .bind(error)
            .bind(next.unwrap_or(now).0)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// Forgets what ended before `before`.
    pub(crate) async fn drop_mails(&self, before: Micros) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query("DELETE FROM mails WHERE created_at < $1 AND state <> 'queued'")
            .bind(before.0)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
