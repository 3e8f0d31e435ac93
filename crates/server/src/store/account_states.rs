//! What became of accounts, and each step from one state to the next: a compare-and-set, on disk when
//! it returns. What follows for keys and buckets stands in `account_remains.rs`.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    api::AccountState,
    ident::{AccountId, Micros},
};

use super::{
    Durability, Result, Store, StoreError, Writing, closing_days::LONGEST_GAP_SECONDS, mails,
    operations::counts, parsed,
};
use crate::mail::{self, Mail};

const TABLE: &str = "account_states";

/// What became of a wish to change an account's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It is done.
    Yes,
    /// There is no such account.
    NoAccount,
    /// It is in this state, from which that step does not lead.
    Not(AccountState),
    /// Somebody who runs the platform is in it.
    HasOperator,
    /// Its buckets are being cleared.
    TooLate,
    /// An operator closes it.
    ByOperator,
}

/// Who closes an account, and when its buckets are cleared.
pub(crate) struct Closing<'a> {
    /// Whose e-mail address.
    pub(crate) by: &'a str,
    /// Whether they do so as one who runs the platform.
    pub(crate) by_operator: bool,
    /// When its buckets are cleared.
    pub(crate) clears_at: Micros,
    /// Now.
    pub(crate) now: Micros,
}

/// An account that something is to be done for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// The account.
    pub(crate) account: AccountId,
    /// Its state.
    pub(crate) state: AccountState,
    /// Since when.
    pub(crate) since: Micros,
    /// Whether its buckets are cleared.
    pub(crate) clearing: bool,
}

/// The state of a row; an account without one is active.
pub(super) fn account_state(text: Option<&str>) -> Result<AccountState> {
    match text {
        None | Some("active") => Ok(AccountState::Active),
        Some("suspended") => Ok(AccountState::Suspended),
        Some("closing") => Ok(AccountState::Closing),
        Some("closed") => Ok(AccountState::Closed),
        Some(other) => Err(StoreError::Row {
            table: TABLE,
            what: format!("state is {other:?}"),
        }),
    }
}

impl Store {
    /// The state of an account; one that there is not is active.
    pub(crate) async fn account_state(&self, account: AccountId) -> Result<AccountState> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT state FROM account_states WHERE account = $1")
                .bind(account.to_string())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        account_state(text.as_deref())
    }

    /// Suspends an account that is active; or says another reason.
    pub(crate) async fn suspend_account(
        &self,
        account: AccountId,
        reason: &str,
        now: Micros,
    ) -> Result<Moved> {
        let mut change = self.write(Durability::Machine).await?;
        let Some(state) = state_in(&mut change, account).await? else {
            return Ok(Moved::NoAccount);
        };
        if !matches!(state, AccountState::Active | AccountState::Suspended) {
            return Ok(Moved::Not(state));
        }
        sqlx::query(
            "INSERT INTO account_states (account, state, reason, since) VALUES ($1, 'suspended', $2, $3) \
             ON CONFLICT (account) DO UPDATE SET reason = excluded.reason, since = CASE WHEN \
             account_states.state = 'suspended' THEN account_states.since ELSE excluded.since END, \
             state = excluded.state",
        )
        .bind(account.to_string())
        .bind(reason)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(Moved::Yes)
    }

    /// Lets a suspended account go on. Its keys follow.
    pub(crate) async fn resume_account(&self, account: AccountId, now: Micros) -> Result<Moved> {
        let mut change = self.write(Durability::Machine).await?;
        let Some(state) = state_in(&mut change, account).await? else {
            return Ok(Moved::NoAccount);
        };
        if state != AccountState::Suspended {
            return Ok(Moved::Not(state));
        }
        sqlx::query(
            "UPDATE account_states SET state = 'active', reason = NULL, since = $2 WHERE account = $1",
        )
        .bind(account.to_string())
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(Moved::Yes)
    }

    /// Begins to close an account, and tells its owners in the same transaction.
    pub(crate) async fn close_account(
        &self,
        account: AccountId,
        closing: &Closing<'_>,
    ) -> Result<Moved> {
        let mut change = self.write(Durability::Machine).await?;
        let Some(state) = state_in(&mut change, account).await? else {
            return Ok(Moved::NoAccount);
        };
        if !matches!(state, AccountState::Active | AccountState::Suspended) {
            return Ok(Moved::Not(state));
        }
        if has_operator(&mut change, account).await? {
            return Ok(Moved::HasOperator);
        }
        sqlx::query(
            "INSERT INTO account_states (account, state, since, clears_at, by_operator, \
             suspended_before, counted_at) VALUES ($1, 'closing', $2, $3, $4, $5, $2) \
             ON CONFLICT (account) DO UPDATE SET state = excluded.state, since = excluded.since, \
             clears_at = excluded.clears_at, by_operator = excluded.by_operator, \
             suspended_before = excluded.suspended_before, counted_at = excluded.counted_at",
        )
        .bind(account.to_string())
        .bind(closing.now.0)
        .bind(closing.clears_at.0)
        .bind(i64::from(closing.by_operator))
        .bind(i64::from(state == AccountState::Suspended))
        .execute(&mut *change)
        .await?;
        tell_owners(&mut change, account, closing.now, |to, name| {
            mail::account_closing(to, name, closing.by, closing.clears_at)
        })
        .await?;
        change.commit().await?;
        Ok(Moved::Yes)
    }

    /// Cancels the closing of an account whose buckets are still kept. Its keys do not come back.
    pub(crate) async fn cancel_close(
        &self,
        account: AccountId,
        by_operator: bool,
        now: Micros,
    ) -> Result<Moved> {
        let mut change = self.write(Durability::Machine).await?;
        let Some(state) = state_in(&mut change, account).await? else {
            return Ok(Moved::NoAccount);
        };
        if state != AccountState::Closing {
            return Ok(Moved::Not(state));
        }
        let row = sqlx::query(
            "SELECT clearing_since, by_operator FROM account_states WHERE account = $1",
        )
        .bind(account.to_string())
        .fetch_one(&mut *change)
        .await?;
        if row.try_get::<Option<i64>, _>("clearing_since")?.is_some() {
            return Ok(Moved::TooLate);
        }
        if row.try_get::<i64, _>("by_operator")? != 0 && !by_operator {
            return Ok(Moved::ByOperator);
        }
        sqlx::query(
            "UPDATE account_states SET since = $2, clears_at = NULL, by_operator = 0, \
             state = CASE WHEN suspended_before = 1 THEN 'suspended' ELSE 'active' END, \
             suspended_before = 0 WHERE account = $1",
        )
        .bind(account.to_string())
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(Moved::Yes)
    }

    /// Begins to clear the buckets of accounts whose time has come, by a clock that has counted their days:
    /// from here on nothing is cancelled.
    pub(crate) async fn begin_clearings(&self, now: Micros) -> Result<()> {
        let counted_since = now.plus_seconds(-LONGEST_GAP_SECONDS);
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM account_states WHERE state = 'closing' AND clearing_since IS NULL \
             AND clears_at <= $1 AND counted_at >= $2 LIMIT 1",
        )
        .bind(now.0)
        .bind(counted_since.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        if due.is_none() {
            return Ok(());
        }
        let mut change = self.write_one(Durability::Machine).await?;
        sqlx::query(
            "UPDATE account_states SET clearing_since = $1 WHERE state = 'closing' \
             AND clearing_since IS NULL AND clears_at <= $1 AND counted_at >= $2",
        )
        .bind(now.0)
        .bind(counted_since.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// Ends the closing of an account of which nothing is left and nothing can come any more: its people,
    /// their sessions, tokens and invitations go with it, and its owners are told. `false`: something is
    /// left.
    pub(crate) async fn end_closing(&self, account: AccountId, now: Micros) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let ended = sqlx::query(concat!(
            "UPDATE account_states SET state = 'closed', since = $2, clears_at = NULL WHERE account = $1 \
             AND state = 'closing' AND clearing_since IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM buckets WHERE buckets.account = $1 AND gone_at IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.account = $1 AND gone_at IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.account = $1 AND operations.",
            counts!(),
            ")"
        ))
        .bind(account.to_string())
        .bind(now.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        tell_owners(&mut change, account, now, mail::account_closed).await?;
        for sql in [
            "DELETE FROM suspended_keys WHERE account = $1",
            "DELETE FROM invitations WHERE account = $1",
            "DELETE FROM sessions WHERE account = $1",
            "DELETE FROM token_buckets WHERE token IN (SELECT id FROM tokens WHERE account = $1)",
            "DELETE FROM tokens WHERE account = $1",
            "DELETE FROM members WHERE account = $1",
        ] {
            sqlx::query(sql)
                .bind(account.to_string())
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
        Ok(true)
    }

    /// Accounts that something may be to do for: those that are suspended or being closed, those whose
    /// keys are to work again, and closed ones where something has appeared.
    pub(crate) async fn kept_accounts(&self) -> Result<Vec<Kept>> {
        let rows = sqlx::query(
            "SELECT account, state, since, clearing_since FROM account_states s \
             WHERE state IN ('suspended', 'closing') \
             OR (state = 'active' AND EXISTS (SELECT 1 FROM suspended_keys k WHERE k.account = s.account)) \
             OR (state = 'closed' AND (EXISTS (SELECT 1 FROM keys k WHERE k.account = s.account \
               AND k.gone_at IS NULL) OR EXISTS (SELECT 1 FROM buckets b WHERE b.account = s.account \
               AND b.gone_at IS NULL))) ORDER BY account",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(Kept {
                account: parsed(TABLE, row.try_get("account")?)?,
                state: account_state(row.try_get("state")?)?,
                since: Micros(row.try_get("since")?),
                clearing: row.try_get::<Option<i64>, _>("clearing_since")?.is_some(),
            })
        };
        rows.iter().map(read).collect()
    }
}

/// The state of an account; none: there is no such account.
pub(super) async fn state_in(
    change: &mut Writing,
    account: AccountId,
) -> Result<Option<AccountState>> {
    let found: Option<Option<String>> = sqlx::query_scalar(
        "SELECT s.state FROM accounts a LEFT JOIN account_states s ON s.account = a.id WHERE a.id = $1",
    )
    .bind(account.to_string())
    .fetch_optional(&mut **change)
    .await?;
    found.map(|text| account_state(text.as_deref())).transpose()
}

/// Whether somebody who runs the platform is in an account: they would lose their way in with it.
async fn has_operator(change: &mut Writing, account: AccountId) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM members m JOIN users u ON u.id = m.\"user\" \
         WHERE m.account = $1 AND u.operator = 1 LIMIT 1",
    )
    .bind(account.to_string())
    .fetch_optional(&mut **change)
    .await?;
    Ok(found.is_some())
}

/// Queues an e-mail to each owner.
async fn tell_owners(
    change: &mut Writing,
    account: AccountId,
    now: Micros,
    words: impl Fn(&str, &str) -> Mail,
) -> Result<()> {
    let rows = sqlx::query(
        "SELECT u.email, a.name FROM members m JOIN users u ON u.id = m.\"user\" \
         JOIN accounts a ON a.id = m.account WHERE m.account = $1 AND m.role = 'owner' ORDER BY u.email",
    )
    .bind(account.to_string())
    .fetch_all(&mut **change)
    .await?;
    for row in &rows {
        let mail = words(row.try_get("email")?, row.try_get("name")?);
        mails::queue(change, Some(account), &mail, now).await?;
    }
    Ok(())
}
