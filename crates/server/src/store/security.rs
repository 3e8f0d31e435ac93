//! Security events: what an operator should see. Bounded in age and number.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api,
    ident::{Micros, SecurityEventId},
};

use super::{Durability, Result, Store, Writing, parsed};
use crate::auth::audit;

/// Something that an operator should see.
#[derive(Debug, Clone, Copy)]
pub struct SecurityEvent<'a> {
    /// A stable name.
    pub kind: &'static str,
    /// Who or what it is about.
    pub subject: &'a str,
    /// The address that it came from.
    pub origin: Option<&'a str>,
    /// In words.
    pub detail: &'a str,
}

impl SecurityEvent<'_> {
    /// Writes it down in the caller's transaction.
    pub(crate) async fn insert(&self, transaction: &mut Writing, now: Micros) -> Result<()> {
        if self.kind == "sign_in_failed" {
            audit::note_thing(self.subject);
        }
        let id = SecurityEventId::new(now, crate::clock::random());
        sqlx::query(
            "INSERT INTO security_events (id, at, kind, subject, origin, detail) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.to_string())
        .bind(now.0)
        .bind(self.kind)
        .bind(self.subject)
        .bind(self.origin)
        .bind(self.detail)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Notes something that an operator should see.
    pub async fn note_security_event(&self, event: SecurityEvent<'_>, now: Micros) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        event.insert(&mut change, now).await?;
        change.commit().await
    }

    /// Security events, newest first, older than `before`, at most `limit`.
    pub(crate) async fn security_events(
        &self,
        before: Option<SecurityEventId>,
        limit: usize,
    ) -> Result<Vec<api::SecurityEvent>> {
        let rows = sqlx::query(
            "SELECT id, at, kind, subject, origin, detail FROM security_events WHERE id < $1 \
             ORDER BY id DESC LIMIT $2",
        )
        // No id is greater: ids are hex digits.
        .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_event).collect()
    }

    /// Forgets events from before `before`, and of the others all but the newest `most`. Answers
    /// with how many went.
    pub async fn drop_security_events(&self, before: Micros, most: u32) -> Result<u64> {
        let mut change = self.write_one(Durability::Process).await?;
        let dropped = sqlx::query(
            "DELETE FROM security_events WHERE at < $1 OR id IN \
             (SELECT id FROM security_events ORDER BY at DESC, id DESC LIMIT 1000000000 OFFSET $2)",
        )
        .bind(before.0)
        .bind(i64::from(most))
        .execute(&mut *change)
        .await?
        .rows_affected();
        change.commit().await?;
        Ok(dropped)
    }
}

fn read_event(row: &Record) -> Result<api::SecurityEvent> {
    Ok(api::SecurityEvent {
        id: parsed("security_events", row.try_get("id")?)?,
        at: Micros(row.try_get("at")?),
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        origin: row.try_get("origin")?,
        detail: row.try_get("detail")?,
    })
}
