//! The days of a closing that count: those on which the platform was seen running. An account whose days
//! are over loses everything, so a clock that jumps must not end them, and while nobody could sign in to
//! cancel, none goes by. Each closing keeps until when it was counted; what lies beyond the longest gap, in
//! either direction, moves its end by as much, so that what is left stays what it was.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    envelope::Via,
    ident::{AccountId, Micros, UserId},
};

use super::{
    Durability, Result, Store,
    audit::{DONE, Entry},
    parsed,
};

const TABLE: &str = "account_states";
/// Seconds after which it is counted again.
const COUNT_AGAIN_SECONDS: i64 = 60;
/// The longest time in seconds between two counts that is counted as having gone by.
pub(super) const LONGEST_GAP_SECONDS: i64 = 6 * 3600;

/// A closing whose end was moved, because the clock jumped or nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MovedClosing {
    /// Of this account.
    pub(crate) account: AccountId,
    /// By how many seconds; below zero: the clock went back.
    pub(crate) seconds: i64,
}

struct Closing {
    account: AccountId,
    clears_at: i64,
    counted_at: Option<i64>,
}

impl Store {
    /// Counts the days of all closings up to now.
    pub(crate) async fn count_closing_days(&self, now: Micros) -> Result<Vec<MovedClosing>> {
        let mut moved = vec![];
        for closing in self.closings_to_count(now).await? {
            moved.extend(self.count(&closing, now).await?);
        }
        Ok(moved)
    }

    async fn closings_to_count(&self, now: Micros) -> Result<Vec<Closing>> {
        let rows = sqlx::query(
            "SELECT account, clears_at, counted_at FROM account_states WHERE state = 'closing' \
             AND clearing_since IS NULL AND (counted_at IS NULL OR counted_at < $1 OR counted_at > $2)",
        )
        .bind(now.plus_seconds(-COUNT_AGAIN_SECONDS).0)
        .bind(now.plus_seconds(COUNT_AGAIN_SECONDS).0)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(Closing {
                account: parsed(TABLE, row.try_get("account")?)?,
                clears_at: row.try_get("clears_at")?,
                counted_at: row.try_get("counted_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Somebody else may have counted meanwhile: then nothing.
    async fn count(&self, closing: &Closing, now: Micros) -> Result<Option<MovedClosing>> {
        let &Closing {
            account,
            clears_at,
            counted_at,
        } = closing;
        let gap = counted_at.map_or(0, |at| now.0.saturating_sub(at));
        let shift = match gap.saturating_abs() > LONGEST_GAP_SECONDS * Micros::SECOND {
            true => gap,
            false => 0,
        };
        let clears_at = Micros(clears_at.saturating_add(shift));
        let durability = match shift {
            0 => Durability::Process,
            _ => Durability::Machine,
        };
        let mut change = self.write(durability).await?;
        let counted = sqlx::query(
            "UPDATE account_states SET counted_at = $2, clears_at = $3 WHERE account = $1 \
             AND state = 'closing' AND clearing_since IS NULL AND COALESCE(counted_at, -1) = $4",
        )
        .bind(account.to_string())
        .bind(now.0)
        .bind(clears_at.0)
        .bind(counted_at.unwrap_or(-1))
        .execute(&mut *change)
        .await?
        .rows_affected();
        if counted == 0 {
            return Ok(None);
        }
        if shift != 0 {
            entry(account, clears_at, now).insert(&mut change).await?;
        }
        change.commit().await?;
        let seconds = shift / Micros::SECOND;
        Ok((shift != 0).then_some(MovedClosing { account, seconds }))
    }
}

/// The trail says when it ends now.
fn entry(account: AccountId, clears_at: Micros, now: Micros) -> Entry {
    let clears_at = jiff::Timestamp::from_microsecond(clears_at.0)
        .map_or_else(|_| clears_at.0.to_string(), |at| at.to_string());
    Entry {
        at: now,
        account: Some(account),
        user: Some(UserId::SYSTEM),
        via: Via::System.as_str().to_owned(),
        act: "account.move_clearing".to_owned(),
        thing: Some(clears_at),
        result: DONE.to_owned(),
        count: 1,
        ..Entry::default()
    }
}
