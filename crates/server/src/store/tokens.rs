//! API tokens. A token is its maker's: it may what they may, or less, in one account.

use crate::store::sql::{Builder, Connection};
use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, Row as _};
use storm_protocol::{
    api::Token,
    ident::{AccountId, BucketId, Micros, TokenId, UserId},
};

use super::{
    Durability, Result, Store, Writing, from_json, parsed,
    sessions::{Person, PersonRow},
    to_json,
};
use crate::auth::{access::TokenRights, audit, secret::StoredSecret};

const TABLE: &str = "tokens";

/// Seconds that `last_used_at` may lag behind, so that most requests write nothing.
const LAST_USED_LAG_SECONDS: i64 = 60;

#[derive(FromRow)]
struct TokenRow {
    id: String,
    name: String,
    created_at: i64,
    last_used_at: Option<i64>,
    expires_at: Option<i64>,
    scopes: String,
    on_buckets: i64,
}

impl TokenRow {
    fn read(self, buckets: Option<BTreeSet<BucketId>>) -> Result<Token> {
        Ok(Token {
            id: parsed(TABLE, &self.id)?,
            scopes: from_json(TABLE, &self.scopes)?,
            buckets: (self.on_buckets != 0)
                .then(|| buckets.unwrap_or_default().into_iter().collect()),
            name: self.name,
            created_at: Micros(self.created_at),
            last_used_at: self.last_used_at.map(Micros),
            expires_at: self.expires_at.map(Micros),
        })
    }
}

#[derive(FromRow)]
struct Holder {
    #[sqlx(flatten)]
    person: PersonRow,
    token: String,
    scopes: String,
    on_buckets: i64,
    last_used_at: Option<i64>,
    expires_at: Option<i64>,
}

impl Store {
    /// Keeps a new token, unless its maker has `most` already: then `false`.
    pub(crate) async fn create_token(
        &self,
        token: &Token,
        secret: StoredSecret,
        person: &Person,
        most: i64,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let owner = (person.user, person.account);
        if !insert_token(&mut change, token, secret, owner, most).await? {
            return Ok(false);
        }
        audit::note_thing(&token.id.to_string());
        change.commit().await?;
        Ok(true)
    }

    /// The person whose token this is, while it lasts, they are a member, and their company's word counts if
    /// they come by one. Notes the use.
    pub(crate) async fn person_of_token(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<Person>> {
        let found: Option<Holder> = sqlx::query_as(
            r#"SELECT users.id AS "user", email, operator, accounts.id AS account,
                      accounts.name AS account_name,
                      (SELECT state FROM account_states WHERE account = accounts.id) AS account_state,
                      role, tokens.id AS token, scopes, on_buckets,
                      last_used_at, tokens.expires_at
               FROM tokens
               JOIN users ON users.id = tokens."user"
               JOIN accounts ON accounts.id = tokens.account
               JOIN members ON members."user" = users.id AND members.account = accounts.id
               WHERE tokens.hash = $1 AND (tokens.expires_at IS NULL OR tokens.expires_at > $2)
               AND (users.password_hash IS NOT NULL OR NOT EXISTS
                    (SELECT 1 FROM oidc_people WHERE oidc_people."user" = users.id AND tokens_until <= $2))"#,
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(found) = found else { return Ok(None) };
        let stale = now.plus_seconds(-LAST_USED_LAG_SECONDS).0;
        if found.last_used_at.is_none_or(|at| at < stale) {
            let mut change = self.write(Durability::Process).await?;
            sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE id = $1")
                .bind(&found.token)
                .bind(now.0)
                .execute(&mut *change)
                .await?;
            change.commit().await?;
        }
        let rights = TokenRights {
            id: parsed(TABLE, &found.token)?,
            expires_at: found.expires_at.map(Micros),
            scopes: from_json(TABLE, &found.scopes)?,
            buckets: match found.on_buckets {
                0 => None,
                _ => Some(self.token_buckets(&found.token).await?),
            },
        };
        let mut person = found.person.read()?;
        person.token = Some(rights);
        Ok(Some(person))
    }

    /// The buckets that a token is for.
    pub(super) async fn token_buckets(&self, token: &str) -> Result<BTreeSet<BucketId>> {
        let tokens = [token.to_owned()];
        let mut buckets = read_buckets(&mut *self.read().await?, &tokens).await?;
        Ok(buckets.remove(token).unwrap_or_default())
    }

    /// The tokens of a person in an account, by id after `after`.
    pub(crate) async fn tokens(
        &self,
        account: AccountId,
        user: UserId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Token>> {
        let rows: Vec<TokenRow> = sqlx::query_as(
            r#"SELECT id, name, created_at, last_used_at, expires_at, scopes, on_buckets FROM tokens
               WHERE account = $1 AND "user" = $2 AND id > $3 ORDER BY id LIMIT $4"#,
        )
        .bind(account.to_string())
        .bind(user.to_string())
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let limited = rows.iter().filter(|row| row.on_buckets != 0);
        let limited: Vec<String> = limited.map(|row| row.id.clone()).collect();
        let mut buckets = read_buckets(&mut *self.read().await?, &limited).await?;
        let read = |row: TokenRow| {
            let buckets = buckets.remove(&row.id);
            row.read(buckets)
        };
        rows.into_iter().map(read).collect()
    }

    /// Deletes a token of a person; whether it was there.
    pub(crate) async fn delete_token(
        &self,
        account: AccountId,
        user: UserId,
        token: TokenId,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let sql = r#"DELETE FROM tokens WHERE id = $1 AND account = $2 AND "user" = $3"#;
        let deleted = sqlx::query(sql)
            .bind(token.to_string())
            .bind(account.to_string())
            .bind(user.to_string())
            .execute(&mut *change)
            .await?
            .rows_affected();
        change.commit().await?;
        Ok(deleted > 0)
    }
}

/// Adds a token, unless its maker has `most` already: then `false`.
pub(super) async fn insert_token(
    change: &mut Writing,
    token: &Token,
    secret: StoredSecret,
    (user, account): (UserId, AccountId),
    most: i64,
) -> Result<bool> {
    let sql = r#"SELECT count(*) FROM tokens WHERE account = $1 AND "user" = $2"#;
    let (count,): (i64,) = sqlx::query_as(sql)
        .bind(account.to_string())
        .bind(user.to_string())
        .fetch_one(&mut **change)
        .await?;
    if count >= most {
        return Ok(false);
    }
    sqlx::query(
        r#"INSERT INTO tokens (id, hash, "user", account, name, created_at, expires_at, scopes,
                               on_buckets)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
    )
    .bind(token.id.to_string())
    .bind(secret.0.to_string())
    .bind(user.to_string())
    .bind(account.to_string())
    .bind(&token.name)
    .bind(token.created_at.0)
    .bind(token.expires_at.map(|at| at.0))
    .bind(to_json(TABLE, &token.scopes)?)
    .bind(i64::from(token.buckets.is_some()))
    .execute(&mut **change)
    .await?;
    for bucket in token.buckets.iter().flatten() {
        sqlx::query("INSERT INTO token_buckets (token, bucket) VALUES ($1, $2)")
            .bind(token.id.to_string())
            .bind(bucket.to_string())
            .execute(&mut **change)
            .await?;
    }
    Ok(true)
}

/// The buckets of each of these tokens that has any.
async fn read_buckets(
    connection: &mut Connection,
    tokens: &[String],
) -> Result<BTreeMap<String, BTreeSet<BucketId>>> {
    let mut buckets: BTreeMap<String, BTreeSet<BucketId>> = BTreeMap::new();
    if tokens.is_empty() {
        return Ok(buckets);
    }
    let mut select = Builder::new("SELECT token, bucket FROM token_buckets WHERE token IN (");
    let mut list = select.separated(", ");
    for token in tokens {
        list.push_bind(token);
    }
    select.push(")");
    for row in &select.build().fetch_all(connection).await? {
        let bucket = parsed("token_buckets", row.try_get("bucket")?)?;
        buckets
            .entry(row.try_get("token")?)
            .or_default()
            .insert(bucket);
    }
    Ok(buckets)
}
