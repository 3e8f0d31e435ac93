//! Programs that wait to be let in. Each has two codes, kept as hashes: its own, and the one that people
//! compare. Who approves one says what its token is for; the token is made when it is fetched, so that
//! its secret stands nowhere.

use sqlx::FromRow;
use storm_protocol::{
    api::Token,
    ident::{AccountId, Micros, Scope, TokenId, UserId},
};

use super::{
    Durability, Result, Store, Writing, from_json_option, parsed, to_json, tokens::insert_token,
};
use crate::{
    auth::{audit, secret::StoredSecret},
    clock::random,
};

const TABLE: &str = "device_authorizations";

/// Seconds that a program has to fetch its token once it is approved, however late that is.
const FETCH_SECONDS: i64 = 60;
/// Seconds that are added to the interval of who asks too soon, as RFC 8628 has it.
const SLOW_DOWN_SECONDS: i64 = 5;
/// Seconds between two questions at most.
const MAX_INTERVAL_SECONDS: i64 = 60;

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

/// What a program hears that asks for its token.
pub(crate) enum Fetched {
    /// Here it is.
    Token(Token),
    /// Nobody has answered: ask again after so many seconds. Whether it was asked too soon.
    Pending(u64, bool),
    /// Somebody said no.
    Denied,
    /// Whoever approved it has too many tokens.
    TooMany,
    /// The code is no code, was used, or has ended.
    Ended,
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
            .fetch_optional(&mut *self.read().await)
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

    /// Answers a program that asks for its token. An answer that ends the matter is given once. `secret`: of
    /// the token, if one is made; a person may have `most` in an account.
    pub(crate) async fn fetch_device(
        &self,
        code: StoredSecret,
        secret: StoredSecret,
        most: i64,
        now: Micros,
    ) -> Result<Fetched> {
        let mut change = self.write(Durability::Machine).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM device_authorizations WHERE device_hash = $1 AND expires_at > $2"
        );
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(code.0.to_string())
            .bind(now.0)
            .fetch_optional(&mut *change)
            .await?;
        let Some(row) = row else {
            return Ok(Fetched::Ended);
        };
        let fetched = match row.state.as_str() {
            "pending" => pending(&mut change, code, &row, now).await?,
            "approved" => {
                forget(&mut change, code).await?;
                make_token(&mut change, row, secret, most, now).await?
            }
            _ => {
                forget(&mut change, code).await?;
                Fetched::Denied
            }
        };
        change.commit().await?;
        Ok(fetched)
    }
}

/// Notes the question; one that comes too soon makes the interval longer.
async fn pending(
    change: &mut Writing,
    code: StoredSecret,
    row: &Row,
    now: Micros,
) -> Result<Fetched> {
    let due = row
        .polled_at
        .map(|at| Micros(at).plus_seconds(row.interval_seconds));
    let too_soon = due.is_some_and(|due| now < due);
    let longer = (row.interval_seconds + SLOW_DOWN_SECONDS).min(MAX_INTERVAL_SECONDS);
    let interval = if too_soon {
        longer
    } else {
        row.interval_seconds
    };
    sqlx::query(
        "UPDATE device_authorizations SET polled_at = $2, interval_seconds = $3 WHERE device_hash = $1",
    )
    .bind(code.0.to_string())
    .bind(now.0)
    .bind(interval)
    .execute(&mut **change)
    .await?;
    Ok(Fetched::Pending(interval.unsigned_abs(), too_soon))
}

async fn forget(change: &mut Writing, code: StoredSecret) -> Result<()> {
    sqlx::query("DELETE FROM device_authorizations WHERE device_hash = $1")
        .bind(code.0.to_string())
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Makes the token, if whoever approved it is still in the account.
async fn make_token(
    change: &mut Writing,
    row: Row,
    secret: StoredSecret,
    most: i64,
    now: Micros,
) -> Result<Fetched> {
    let owner = row.user.as_deref().zip(row.account.as_deref());
    let scopes = from_json_option(TABLE, row.scopes.as_deref())?;
    let (Some((user, account)), Some(scopes)) = (owner, scopes) else {
        return Ok(Fetched::Ended);
    };
    let member: Option<(i64,)> =
        sqlx::query_as(r#"SELECT 1 FROM members WHERE account = $1 AND "user" = $2"#)
            .bind(account)
            .bind(user)
            .fetch_optional(&mut **change)
            .await?;
    if member.is_none() {
        return Ok(Fetched::Denied);
    }
    let owner = (parsed(TABLE, user)?, parsed(TABLE, account)?);
    let token = Token {
        id: TokenId::new(now, random()),
        name: format!("{} on {}", row.client, row.host),
        created_at: now,
        last_used_at: None,
        expires_at: row.token_ends_at.map(Micros),
        scopes,
        buckets: None,
    };
    if !insert_token(change, &token, secret, owner, most).await? {
        return Ok(Fetched::TooMany);
    }
    audit::note_act("token.create");
    audit::note_who(owner.0, owner.1);
    audit::note_thing(&token.id.to_string());
    audit::expect_change();
    Ok(Fetched::Token(token))
}
