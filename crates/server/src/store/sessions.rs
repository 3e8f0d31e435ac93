//! Sessions of the dashboard, and the person behind a session or token.

use crate::store::sql::Record;
use std::time::Duration;

use sqlx::{FromRow, Row as _};
use storm_protocol::{
    api::{AccountState, Role, Session, Whoami},
    ident::{AccountId, Micros, PasskeyId, SessionId, UserId},
};

use super::{
    Durability, Result, Store, Writing, account_states::account_state, accounts::role, parsed,
};
use crate::{
    auth::{
        access::{Rights, TokenRights},
        audit,
        secret::StoredSecret,
    },
    clock::random,
};

/// Seconds that `seen_at` may lag behind.
const SEEN_LAG_SECONDS: i64 = 60;

/// Who a request comes from, in which account and role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The person.
    pub(crate) user: UserId,
    /// Their e-mail address.
    pub(crate) email: String,
    /// The account in use.
    pub(crate) account: AccountId,
    /// Its name.
    pub(crate) account_name: String,
    /// Their role in it.
    pub(crate) role: Role,
    /// What became of the account.
    pub(crate) state: AccountState,
    /// Whether they run the platform.
    pub(crate) operator: bool,
    /// The API token they came with; none: a session.
    pub(crate) token: Option<TokenRights>,
    /// When they last proved who they are in the session that they came with.
    pub(crate) proved_at: Option<Micros>,
}

impl Person {
    /// The highest role that they may give: whoever runs the platform may give any.
    pub(crate) fn highest(&self) -> Role {
        match self.operator {
            true => Role::Owner,
            false => self.role,
        }
    }

    /// What they may.
    pub(crate) fn rights(&self) -> Rights<'_> {
        Rights {
            role: Some(self.role),
            operator: self.operator,
            state: self.state,
            token: self.token.as_ref(),
        }
    }
}

impl From<Person> for Whoami {
    fn from(person: Person) -> Self {
        let Person {
            user,
            email,
            account,
            account_name,
            role,
            state: _,
            operator,
            token: _,
            proved_at: _,
        } = person;
        Self {
            user,
            email,
            account,
            account_name,
            role,
            operator,
        }
    }
}

/// The columns of a person, in every query that finds one.
#[derive(FromRow)]
pub(super) struct PersonRow {
    user: String,
    email: String,
    operator: i64,
    account: String,
    account_name: String,
    account_state: Option<String>,
    role: String,
}

#[derive(FromRow)]
struct Holder {
    #[sqlx(flatten)]
    person: PersonRow,
    seen_at: Option<i64>,
    proved_at: i64,
}

impl PersonRow {
    pub(super) fn read(self) -> Result<Person> {
        Ok(Person {
            user: parsed("users", &self.user)?,
            email: self.email,
            account: parsed("accounts", &self.account)?,
            account_name: self.account_name,
            role: role(&self.role)?,
            state: account_state(self.account_state.as_deref())?,
            operator: self.operator != 0,
            token: None,
            proved_at: None,
        })
    }
}

/// A session to begin.
pub(crate) struct NewSession<'a> {
    /// What is kept of its secret.
    pub(crate) secret: StoredSecret,
    /// Who signed in.
    pub(crate) user: UserId,
    /// The account they begin with.
    pub(crate) account: AccountId,
    /// From where.
    pub(crate) origin: Option<&'a str>,
    /// With what, in its own words.
    pub(crate) user_agent: Option<&'a str>,
    /// When.
    pub(crate) created_at: Micros,
    /// How.
    pub(crate) method: &'a str,
    /// With which passkey, if with one.
    pub(crate) passkey: Option<PasskeyId>,
    /// How long it lasts unused.
    pub(crate) idle: Duration,
    /// When it ends at the latest.
    pub(crate) ends_at: Micros,
}

impl Store {
    /// Begins a session, and forgets those that have ended. `false`: the passkey that was to begin it was
    /// deleted meanwhile.
    pub(crate) async fn begin_session(&self, session: NewSession<'_>) -> Result<bool> {
        let idle = i64::try_from(session.idle.as_micros()).unwrap_or(i64::MAX);
        let expires_at = session.created_at.0.saturating_add(idle);
        let mut change = self.write(Durability::Process).await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(session.created_at.0)
            .execute(&mut *change)
            .await?;
        let begun = sqlx::query(
            r#"INSERT INTO sessions (hash, "user", account, origin, created_at, expires_at, id, user_agent,
                                     method, proved_at, idle_micros, ends_at, passkey)
               SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $5, $10, $11, $12
               WHERE $12 IS NULL OR EXISTS (SELECT 1 FROM passkeys WHERE id = $12)"#,
        )
        .bind(session.secret.0.to_string())
        .bind(session.user.to_string())
        .bind(session.account.to_string())
        .bind(session.origin)
        .bind(session.created_at.0)
        .bind(expires_at.min(session.ends_at.0))
        .bind(SessionId::new(session.created_at, random()).to_string())
        .bind(session.user_agent)
        .bind(session.method)
        .bind(idle)
        .bind(session.ends_at.0)
        .bind(session.passkey.map(|id| id.to_string()))
        .execute(&mut *change)
        .await?
        .rows_affected();
        if begun == 0 {
            return Ok(false);
        }
        audit::note_act("session.create");
        audit::note_who(session.user, session.account);
        audit::expect_change();
        change.commit().await?;
        Ok(true)
    }

    /// The sessions of somebody that last, oldest first; `current`: the one that asks.
    pub(crate) async fn sessions(
        &self,
        user: UserId,
        current: Option<StoredSecret>,
        now: Micros,
    ) -> Result<Vec<Session>> {
        let rows = sqlx::query(
            r#"SELECT id, hash, origin, user_agent, method, created_at, seen_at, expires_at FROM sessions
               WHERE "user" = $1 AND expires_at > $2 ORDER BY id"#,
        )
        .bind(user.to_string())
        .bind(now.0)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let current = current.map(|secret| secret.0.to_string());
        let read = |row: &Record| {
            let hash: String = row.try_get("hash")?;
            Ok(Session {
                id: parsed("sessions", row.try_get("id")?)?,
                origin: row.try_get("origin")?,
                user_agent: row.try_get("user_agent")?,
                method: row.try_get("method")?,
                created_at: Micros(row.try_get("created_at")?),
                seen_at: row.try_get::<Option<i64>, _>("seen_at")?.map(Micros),
                expires_at: Micros(row.try_get("expires_at")?),
                current: Some(hash) == current,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Ends one of somebody's sessions; whether it was there.
    pub(crate) async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let ended = sqlx::query(r#"DELETE FROM sessions WHERE id = $1 AND "user" = $2"#)
            .bind(id.to_string())
            .bind(user.to_string())
            .execute(&mut *change)
            .await?
            .rows_affected();
        change.commit().await?;
        Ok(ended > 0)
    }

    /// Ends all of somebody's sessions but `current`.
    pub(crate) async fn end_other_sessions(
        &self,
        user: UserId,
        current: Option<StoredSecret>,
    ) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        end_others(&mut change, user, current).await?;
        change.commit().await
    }

    /// The person whose session this is, while it lasts and they are a member.
    pub(crate) async fn person_of_session(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<Person>> {
        let row: Option<Holder> = sqlx::query_as(
            r#"SELECT users.id AS "user", email, operator, accounts.id AS account,
                      accounts.name AS account_name, role, sessions.seen_at,
                      (SELECT state FROM account_states WHERE account = accounts.id) AS account_state,
                      sessions.proved_at
               FROM sessions
               JOIN users ON users.id = sessions."user"
               JOIN accounts ON accounts.id = sessions.account
               JOIN members ON members."user" = users.id AND members.account = accounts.id
               WHERE sessions.hash = $1 AND sessions.expires_at > $2"#,
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(found) = row else { return Ok(None) };
        let stale = now.plus_seconds(-SEEN_LAG_SECONDS).0;
        if found.seen_at.is_none_or(|at| at < stale) {
            let mut change = self.write_one(Durability::Process).await?;
            sqlx::query(
                "UPDATE sessions SET seen_at = $2, expires_at =
                     CASE WHEN $2 + idle_micros < ends_at THEN $2 + idle_micros ELSE ends_at END
                 WHERE hash = $1",
            )
            .bind(secret.0.to_string())
            .bind(now.0)
            .execute(&mut *change)
            .await?;
            change.commit().await?;
        }
        let person = found.person.read()?;
        Ok(Some(Person {
            proved_at: Some(Micros(found.proved_at)),
            ..person
        }))
    }

    /// Keeps that whoever has this session has proved again who they are.
    pub(crate) async fn prove_session(&self, secret: StoredSecret, now: Micros) -> Result<()> {
        let mut change = self.write(Durability::Process).await?;
        sqlx::query("UPDATE sessions SET proved_at = $2 WHERE hash = $1")
            .bind(secret.0.to_string())
            .bind(now.0)
            .execute(&mut *change)
            .await?;
        change.commit().await
    }

    /// Ends a session. One that is not there has ended.
    pub(crate) async fn end_session(&self, secret: StoredSecret) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        let ended: Vec<(String, String)> =
            sqlx::query_as(r#"DELETE FROM sessions WHERE hash = $1 RETURNING "user", account"#)
                .bind(secret.0.to_string())
                .fetch_all(&mut *change)
                .await?;
        if let Some((user, account)) = ended.first() {
            audit::note_who(parsed("users", user)?, parsed("accounts", account)?);
            audit::expect_change();
        }
        change.commit().await
    }
}

/// Ends all of somebody's sessions but `current`.
pub(super) async fn end_others(
    change: &mut Writing,
    user: UserId,
    current: Option<StoredSecret>,
) -> Result<()> {
    sqlx::query(r#"DELETE FROM sessions WHERE "user" = $1 AND hash <> $2"#)
        .bind(user.to_string())
        .bind(
            current
                .map(|secret| secret.0.to_string())
                .unwrap_or_default(),
        )
        .execute(&mut **change)
        .await?;
    Ok(())
}
