//! Who comes by a company's provider: sign-ins under way, and who is let in as whom.
//!
//! A provider's word counts for its company alone. Whoever could be led elsewhere by it is refused:
//! operators, and people who are in other accounts too.

use sqlx::Row as _;
use storm_protocol::{
    api::{AccountState, Role},
    ident::{AccountId, Micros, UserId},
};

use super::{
    Durability, Result, Store, Writing,
    account_states::state_in,
    audit::{DONE, Entry},
    parsed, passkeys,
    people::{owners, put_role, role_in, take_out},
    sessions::end_others,
};
use crate::{auth::secret::StoredSecret, clock::random};

/// A sign-in that was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    /// The session whose person proves again who they are; none: a session begins.
    pub(crate) session: Option<StoredSecret>,
    /// When it began.
    pub(crate) created_at: Micros,
}

/// Somebody whom a provider vouches for.
pub(crate) struct Arrival<'a> {
    /// Whose word it is.
    pub(crate) issuer: &'a str,
    /// Who it is there.
    pub(crate) subject: &'a str,
    /// Their e-mail address, in lower case, of one of the company's domains.
    pub(crate) email: &'a str,
    /// The company's account.
    pub(crate) account: AccountId,
    /// Their role by their groups; none: they are not to be in it.
    pub(crate) role: Option<Role>,
    /// Who it has to be.
    pub(crate) expected: Option<UserId>,
    /// From where they come.
    pub(crate) origin: Option<&'a str>,
    /// Until when this word counts for their API tokens.
    pub(crate) tokens_until: Micros,
}

/// Whether they are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// They are in the account, in their role.
    In(UserId),
    /// No group of theirs has a role; they are out of the account, unless they are its last owner.
    NoRole,
    /// They run the platform, or are in another account.
    NotTheirs,
    /// Their address is somebody's whom the provider calls otherwise.
    Taken,
    /// It is not who it has to be.
    Another,
    /// There is no such account.
    NoAccount,
    /// They would be new in an account that is suspended or being closed.
    NotNow,
}

impl Store {
    /// Keeps that a sign-in is under way, and forgets those that ended. `false`: there are `most` already.
    pub(crate) async fn begin_flow(
        &self,
        (state, browser): (StoredSecret, StoredSecret),
        provider: &str,
        session: Option<StoredSecret>,
        (now, expires_at): (Micros, Micros),
        most: i64,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Process).await?;
        sqlx::query("DELETE FROM oidc_flows WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&mut *change)
            .await?;
        let open: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM oidc_flows")
            .fetch_one(&mut *change)
            .await?;
        if open >= most {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO oidc_flows (state, browser, provider, session, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(state.0.to_string())
        .bind(browser.0.to_string())
        .bind(provider)
        .bind(session.map(|session| session.0.to_string()))
        .bind(now.0)
        .bind(expires_at.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(true)
    }

    /// Takes a sign-in that this browser began at this provider, once.
    pub(crate) async fn take_flow(
        &self,
        (state, browser): (StoredSecret, StoredSecret),
        provider: &str,
        now: Micros,
    ) -> Result<Option<Flow>> {
        let mut change = self.write(Durability::Process).await?;
        let taken = sqlx::query(
            "DELETE FROM oidc_flows WHERE state = $1 AND browser = $2 AND provider = $3 AND expires_at > $4 \
             RETURNING session, created_at",
        )
        .bind(state.0.to_string())
        .bind(browser.0.to_string())
        .bind(provider)
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await?;
        change.commit().await?;
        let Some(row) = taken else { return Ok(None) };
        let session: Option<String> = row.try_get("session")?;
        let session = session
            .map(|text| parsed("oidc_flows", &text))
            .transpose()?;
        Ok(Some(Flow {
            session: session.map(StoredSecret),
            created_at: Micros(row.try_get("created_at")?),
        }))
    }

    /// Lets somebody in whom a provider vouches for, as far as that goes, and sets their role.
    pub(crate) async fn admit(&self, arrival: &Arrival<'_>, now: Micros) -> Result<Admission> {
        let mut change = self.write(Durability::Machine).await?;
        let admission = admitted(&mut change, arrival, now).await?;
        match admission {
            Admission::In(_) | Admission::NoRole => change.commit().await?,
            Admission::NotTheirs
            | Admission::Taken
            | Admission::Another
            | Admission::NoAccount
            | Admission::NotNow => {}
        }
        Ok(admission)
    }
}

async fn admitted(change: &mut Writing, arrival: &Arrival<'_>, now: Micros) -> Result<Admission> {
    let state = match state_in(change, arrival.account).await? {
        None | Some(AccountState::Closed) => return Ok(Admission::NoAccount),
        Some(state) => state,
    };
    let linked: Option<String> =
        sqlx::query_scalar(r#"SELECT "user" FROM oidc_people WHERE issuer = $1 AND subject = $2"#)
            .bind(arrival.issuer)
            .bind(arrival.subject)
            .fetch_optional(&mut **change)
            .await?;
    let (user, is_linked) = match linked {
        Some(user) => (Some(parsed("oidc_people", &user)?), true),
        None => (with_address(change, arrival.email).await?, false),
    };
    // A proof links nobody: linking would end the very session that it is for.
    if arrival.expected.is_some() && (arrival.expected != user || !is_linked) {
        return Ok(Admission::Another);
    }
    let has = match user {
        Some(user) => {
            if reaches_further(change, user, arrival.account).await? {
                return Ok(Admission::NotTheirs);
            }
            role_in(change, arrival.account, user).await?
        }
        None => None,
    };
    // Somebody who is known, but neither by this provider nor in this account, is not its to name.
    if user.is_some() && !is_linked && has.is_none() {
        return Ok(Admission::NotTheirs);
    }
    let Some(role) = arrival.role else {
        if let (Some(user), true, Some(has)) = (user, is_linked, has) {
            leave(change, arrival, user, has, now).await?;
        }
        return Ok(Admission::NoRole);
    };
    // As with an invitation: who is in looks on, nobody new comes in.
    if has.is_none() && state != AccountState::Active {
        return Ok(Admission::NotNow);
    }
    let user = match user {
        Some(user) if is_linked => user,
        Some(user) if link(change, arrival, user, now).await? => user,
        Some(_) => return Ok(Admission::Taken),
        None => arrive(change, arrival, now).await?,
    };
    renew_word(change, arrival, user).await?;
    if has != Some(role) && !is_last_owner(change, arrival.account, has).await? {
        put_role(change, arrival.account, user, role).await?;
        tell(change, arrival, user, "member.set_role", now).await?;
    }
    Ok(Admission::In(user))
}

async fn with_address(change: &mut Writing, email: &str) -> Result<Option<UserId>> {
    let found: Option<String> = sqlx::query_scalar("SELECT id FROM users WHERE email = $1")
        .bind(email)
        .fetch_optional(&mut **change)
        .await?;
    found.map(|id| parsed("users", &id)).transpose()
}

/// Whether somebody runs the platform, or is in another account than this one.
async fn reaches_further(change: &mut Writing, user: UserId, account: AccountId) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(
        r#"SELECT 1 FROM users WHERE id = $1 AND (operator <> 0 OR id = $3 OR EXISTS
           (SELECT 1 FROM members WHERE members."user" = users.id AND account <> $2))"#,
    )
    .bind(user.to_string())
    .bind(account.to_string())
    .bind(UserId::SYSTEM.to_string())
    .fetch_optional(&mut **change)
    .await?;
    Ok(found.is_some())
}

/// From here on the provider says who this is: their password and passkeys are gone, and whoever is signed in with it is
/// out. `false`: the same issuer calls them otherwise.
async fn link(
    change: &mut Writing,
    arrival: &Arrival<'_>,
    user: UserId,
    now: Micros,
) -> Result<bool> {
    let linked = sqlx::query(
        r#"INSERT INTO oidc_people ("user", issuer, subject, linked_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT ("user") DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject,
           linked_at = excluded.linked_at WHERE oidc_people.issuer <> excluded.issuer"#,
    )
    .bind(user.to_string())
    .bind(arrival.issuer)
    .bind(arrival.subject)
    .bind(now.0)
    .execute(&mut **change)
    .await?
    .rows_affected();
    if linked == 0 {
        return Ok(false);
    }
    for sql in [
        "UPDATE users SET password_hash = NULL WHERE id = $1",
        r#"DELETE FROM password_resets WHERE "user" = $1"#,
    ] {
        sqlx::query(sql)
            .bind(user.to_string())
            .execute(&mut **change)
            .await?;
    }
    passkeys::forget(change, user).await?;
    end_others(change, user, None).await?;
    tell(change, arrival, user, "member.link", now).await?;
    Ok(true)
}

/// Their API tokens go on.
async fn renew_word(change: &mut Writing, arrival: &Arrival<'_>, user: UserId) -> Result<()> {
    sqlx::query(r#"UPDATE oidc_people SET tokens_until = $2 WHERE "user" = $1"#)
        .bind(user.to_string())
        .bind(arrival.tokens_until.0)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Somebody new.
async fn arrive(change: &mut Writing, arrival: &Arrival<'_>, now: Micros) -> Result<UserId> {
    let user = UserId::new(now, random());
    sqlx::query("INSERT INTO users (id, email, created_at) VALUES ($1, $2, $3)")
        .bind(user.to_string())
        .bind(arrival.email)
        .bind(now.0)
        .execute(&mut **change)
        .await?;
    link(change, arrival, user, now).await?;
    Ok(user)
}

/// Out of the account, unless nobody would own it.
async fn leave(
    change: &mut Writing,
    arrival: &Arrival<'_>,
    user: UserId,
    has: Role,
    now: Micros,
) -> Result<()> {
    if is_last_owner(change, arrival.account, Some(has)).await? {
        return Ok(());
    }
    take_out(change, arrival.account, user).await?;
    tell(change, arrival, user, "member.remove", now).await
}

async fn is_last_owner(
    change: &mut Writing,
    account: AccountId,
    has: Option<Role>,
) -> Result<bool> {
    Ok(has == Some(Role::Owner) && owners(change, account).await? == 1)
}

/// The trail tells what a sign-in changed, beside the sign-in itself.
async fn tell(
    change: &mut Writing,
    arrival: &Arrival<'_>,
    user: UserId,
    act: &str,
    now: Micros,
) -> Result<()> {
    let entry = Entry {
        at: now,
        account: Some(arrival.account),
        user: Some(user),
        via: "web".to_owned(),
        origin: arrival.origin.map(str::to_owned),
        act: act.to_owned(),
        thing: Some(user.to_string()),
        result: DONE.to_owned(),
        count: 1,
        ..Entry::default()
    };
    entry.insert(change).await
}
