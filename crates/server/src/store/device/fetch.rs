//! A program asks for its token: what it hears, and how the token is made when somebody has approved it.

use storm_protocol::{
    api::Token,
    ident::{Micros, TokenId},
};

use super::{COLUMNS, Row, TABLE};
use crate::{
    auth::{audit, secret::StoredSecret},
    clock::random,
    store::{Durability, Result, Store, Writing, from_json_option, parsed, tokens::insert_token},
};

/// Seconds that are added to the interval of who asks too soon, as RFC 8628 has it.
const SLOW_DOWN_SECONDS: i64 = 5;
/// Seconds between two questions at most.
const MAX_INTERVAL_SECONDS: i64 = 60;

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

impl Store {
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
