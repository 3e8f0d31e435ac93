//! Programs that wait to be let in. Each has two codes, kept as hashes: its own, and the one that people
//! compare. Who approves one says what its token is for; the token is made when it is fetched, so that
//! its secret stands nowhere.

mod fetch;

use sqlx::FromRow;
use storm_protocol::ident::{AccountId, Micros, Scope, UserId};

pub(crate) use self::fetch::Fetched;
use super::{Durability, Result, Store, from_json_option, to_json};
use crate::auth::secret::StoredSecret;

const TABLE: &str = "device_authorizations";

/// Seconds that a program has to fetch its token once it is approved, however late that is.
const FETCH_SECONDS: i64 = 60;

/// A program that asks to be let in.
pub(crate) struct NewDevice<'a> {
    /// What is kept of its own code.
    pub(crate) device: StoredSecret,
    /// What is kept of the code that people compare.
    pub(crate) user: StoredSecret,
    /// The program's name.
    pub(crate) client: &'a str,
    /// Its machine's name.
    pub(crate) host: &'a str,
    /// What its token may.
    pub(crate) scopes: Option<&'a [Scope]>,
    /// Days that its token lasts.
    pub(crate) token_days: u32,
    /// The address that it asks from.
    pub(crate) origin: Option<&'a str>,
    /// Its network, whose programs are counted together.
    pub(crate) network: &'a str,
    /// When.
    pub(crate) created_at: Micros,
    /// When its codes end.
    pub(crate) expires_at: Micros,
    /// Seconds between two questions.
    pub(crate) interval_seconds: u32,
}

/// One that waits for an answer.
pub(crate) struct Waiting {
    /// The program's name.
    pub(crate) client: String,
    /// Its machine's name.
    pub(crate) host: String,
    /// What its token is to be allowed.
    pub(crate) scopes: Option<Vec<Scope>>,
    /// Days that its token lasts.
    pub(crate) token_days: u32,
    /// The address that it asks from.
    pub(crate) origin: Option<String>,
    /// When it asked.
    pub(crate) created_at: Micros,
    /// When its codes end.
    pub(crate) expires_at: Micros,
}

/// What somebody gives a program.
pub(crate) struct Approval<'a> {
    /// Who.
    pub(crate) user: UserId,
    /// In which account.
    pub(crate) account: AccountId,
    /// What its token may.
    pub(crate) scopes: &'a [Scope],
    /// When its token ends.
    pub(crate) token_ends_at: Micros,
    /// When this was said.
    pub(crate) at: Micros,
}

#[derive(FromRow)]
struct Row {
    client: String,
    host: String,
    scopes: Option<String>,
    token_days: i64,
    origin: Option<String>,
    created_at: i64,
    expires_at: i64,
    polled_at: Option<i64>,
    interval_seconds: i64,
    state: String,
    user: Option<String>,
    account: Option<String>,
    token_ends_at: Option<i64>,
}

const COLUMNS: &str = r#"client, host, scopes, token_days, origin, created_at, expires_at, polled_at,
                         interval_seconds, state, "user", account, token_ends_at"#;

impl Row {
    fn read(self) -> Result<Waiting> {
        Ok(Waiting {
            scopes: from_json_option(TABLE, self.scopes.as_deref())?,
            token_days: u32::try_from(self.token_days).unwrap_or(u32::MAX),
            client: self.client,
            host: self.host,
            origin: self.origin,
            created_at: Micros(self.created_at),
            expires_at: Micros(self.expires_at),
        })
    }
}

impl Store {
    /// Keeps a program that asks, and forgets those whose time is over; `false` when `most` wait from its
    /// network already, or `most_of_all` from everywhere.
    pub(crate) async fn begin_device(
        &self,
        new: &NewDevice<'_>,
        most: i64,
        most_of_all: i64,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Process).await?;
        sqlx::query("DELETE FROM device_authorizations WHERE expires_at <= $1")
            .bind(new.created_at.0)
            .execute(&mut *change)
            .await?;
        let sql = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN network = $1 THEN 1 ELSE 0 END), 0) \
                   FROM device_authorizations";
        let (all, from_there): (i64, i64) = sqlx::query_as(sql)
            .bind(new.network)
            .fetch_one(&mut *change)
            .await?;
        if all >= most_of_all || from_there >= most {
            return Ok(false);
        }
        let scopes = new.scopes.map(|scopes| to_json(TABLE, &scopes));
        sqlx::query(
            "INSERT INTO device_authorizations (device_hash, user_hash, client, host, scopes, token_days,
                                                origin, network, created_at, expires_at, interval_seconds)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(new.device.0.to_string())
        .bind(new.user.0.to_string())
        .bind(new.client)
        .bind(new.host)
        .bind(scopes.transpose()?)
        .bind(i64::from(new.token_days))
        .bind(new.origin)
        .bind(new.network)
        .bind(new.created_at.0)
        .bind(new.expires_at.0)
        .bind(i64::from(new.interval_seconds))
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(true)
    }

    /// The program that waits under a code for people.
    pub(crate) async fn waiting_device(
        &self,
        code: StoredSecret,
        now: Micros,
    ) -> Result<Option<Waiting>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM device_authorizations
             WHERE user_hash = $1 AND state = 'pending' AND expires_at > $2"
        );
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(code.0.to_string())
            .bind(now.0)
            .fetch_optional(&mut *self.read().await?)
            .await?;
        row.map(Row::read).transpose()
    }

    /// Lets a program in; whether it still waited.
    pub(crate) async fn approve_device(
        &self,
        code: StoredSecret,
        approval: &Approval<'_>,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let approved = sqlx::query(
            r#"UPDATE device_authorizations
               SET state = 'approved', "user" = $3, account = $4, scopes = $5, token_ends_at = $6,
                   expires_at = CASE WHEN expires_at > $7 THEN expires_at ELSE $7 END
               WHERE user_hash = $1 AND state = 'pending' AND expires_at > $2"#,
        )
        .bind(code.0.to_string())
        .bind(approval.at.0)
        .bind(approval.user.to_string())
        .bind(approval.account.to_string())
        .bind(to_json(TABLE, &approval.scopes)?)
        .bind(approval.token_ends_at.0)
        .bind(approval.at.plus_seconds(FETCH_SECONDS).0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if approved == 0 {
            return Ok(false);
        }
        change.commit().await?;
        Ok(true)
    }

    /// Turns a program away; whether it still waited.
    pub(crate) async fn deny_device(&self, code: StoredSecret, now: Micros) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let denied = sqlx::query(
            "UPDATE device_authorizations SET state = 'denied'
             WHERE user_hash = $1 AND state = 'pending' AND expires_at > $2",
        )
        .bind(code.0.to_string())
        .bind(now.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if denied == 0 {
            return Ok(false);
        }
        change.commit().await?;
        Ok(true)
    }
}
