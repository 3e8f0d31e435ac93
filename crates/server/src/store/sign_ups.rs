//! People who make an account for themselves: first a link by e-mail, then the account with them as its
//! owner.

use sqlx::Row as _;
use storm_protocol::{
    api::{AccountLimits, Role},
    ident::{AccountId, Micros, UserId},
};

use super::{Durability, Result, Store, mails, people::put_role, to_big};
use crate::{
    auth::{audit, secret::StoredSecret},
    mail::Mail,
};

/// A wish for an account.
pub(crate) struct NewSignUp<'a> {
    /// Whose, lower case.
    pub(crate) email: &'a str,
    /// What the account is to be called.
    pub(crate) name: &'a str,
    /// What is kept of the link's secret.
    pub(crate) secret: StoredSecret,
    /// What goes to the address.
    pub(crate) mail: &'a Mail,
    /// Now.
    pub(crate) now: Micros,
    /// When the link ends.
    pub(crate) expires_at: Micros,
    /// An address that was written to since then is not written to again.
    pub(crate) again_before: Micros,
    /// No more than `most` e-mails since then.
    pub(crate) since: Micros,
    /// E-mails to all addresses together.
    pub(crate) most: i64,
}

/// Somebody new, with their account.
pub(crate) struct NewOwner<'a> {
    /// Their id.
    pub(crate) user: UserId,
    /// The account's id.
    pub(crate) account: AccountId,
    /// argon2id, PHC string.
    pub(crate) password_hash: &'a str,
    /// What the account may have.
    pub(crate) limits: &'a AccountLimits,
    /// Accounts that may be made so since `since`.
    pub(crate) most: i64,
    /// Since when they count.
    pub(crate) since: Micros,
    /// Now.
    pub(crate) now: Micros,
}

/// What became of a confirmation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// The account is there.
    Yes,
    /// The link is not good, or somebody has the address by now.
    NotGood,
    /// Enough accounts were made; the link stays good.
    Full,
}

impl Store {
    /// Keeps a wish for an account and queues its e-mail. `false`: the address was written to a moment
    /// ago, or enough addresses were.
    pub(crate) async fn offer_sign_up(&self, new: &NewSignUp<'_>) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        // What has ended is kept as long as it counts.
        sqlx::query("DELETE FROM sign_ups WHERE expires_at <= $1 AND created_at <= $2")
            .bind(new.now.0)
            .bind(new.since.0)
            .execute(&mut *change)
            .await?;
        let sent: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sign_ups WHERE created_at > $1")
            .bind(new.since.0)
            .fetch_one(&mut *change)
            .await?;
        if sent >= new.most {
            tracing::warn!(sent, "enough people have asked for accounts today");
            return Ok(false);
        }
        let kept = sqlx::query(
            "INSERT INTO sign_ups (email, hash, name, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (email) DO UPDATE SET hash = excluded.hash, name = excluded.name, \
             created_at = excluded.created_at, expires_at = excluded.expires_at \
             WHERE sign_ups.created_at <= $6",
        )
        .bind(new.email)
        .bind(new.secret.0.to_string())
        .bind(new.name)
        .bind(new.now.0)
        .bind(new.expires_at.0)
        .bind(new.again_before.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if kept > 0 {
            mails::queue(&mut change, None, new.mail, new.now).await?;
            change.commit().await?;
        }
        Ok(kept > 0)
    }

    /// The address that a link is for, while it is good.
    pub(crate) async fn sign_up_of(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<String>> {
        let found = sqlx::query_scalar(
            "SELECT email FROM sign_ups WHERE hash = $1 AND expires_at > $2 \
             AND NOT EXISTS (SELECT 1 FROM users WHERE users.email = sign_ups.email)",
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found)
    }

    /// Makes somebody and their account with a link, once, or nothing of it.
    pub(crate) async fn confirm_sign_up(
        &self,
        secret: StoredSecret,
        owner: &NewOwner<'_>,
    ) -> Result<Confirmed> {
        let mut change = self.write(Durability::Machine).await?;
        let taken = sqlx::query(
            "DELETE FROM sign_ups WHERE hash = $1 AND expires_at > $2 RETURNING email, name",
        )
        .bind(secret.0.to_string())
        .bind(owner.now.0)
        .fetch_optional(&mut *change)
        .await?;
        let Some(taken) = taken else {
            return Ok(Confirmed::NotGood);
        };
        let made: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM signed_up_accounts WHERE made_at > $1")
                .bind(owner.since.0)
                .fetch_one(&mut *change)
                .await?;
        if made >= owner.most {
            return Ok(Confirmed::Full);
        }
        let person = sqlx::query(
            "INSERT INTO users (id, email, password_hash, created_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING",
        )
        .bind(owner.user.to_string())
        .bind(taken.try_get::<&str, _>("email")?)
        .bind(owner.password_hash)
        .bind(owner.now.0)
        .execute(&mut *change)
        .await?;
        if person.rows_affected() == 0 {
            return Ok(Confirmed::NotGood);
        }
        sqlx::query("INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(owner.account.to_string())
            .bind(taken.try_get::<&str, _>("name")?)
            .bind(owner.now.0)
            .execute(&mut *change)
            .await?;
        put_role(&mut change, owner.account, owner.user, Role::Owner).await?;
        let limits = owner.limits;
        sqlx::query(
            "INSERT INTO account_limits (account, storage_bytes, buckets, keys, reset_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(owner.account.to_string())
        .bind(limits.storage_bytes.map(|limit| to_big(limit.get())))
        .bind(limits.buckets.map(|limit| to_big(limit.get())))
        .bind(limits.keys.map(|limit| to_big(limit.get())))
        .bind(owner.now.0)
        .execute(&mut *change)
        .await?;
        sqlx::query("INSERT INTO signed_up_accounts (account, made_at) VALUES ($1, $2)")
            .bind(owner.account.to_string())
            .bind(owner.now.0)
            .execute(&mut *change)
            .await?;
        audit::note_act("sign_up.confirm");
        audit::note_who(owner.user, owner.account);
        audit::expect_change();
        change.commit().await?;
        Ok(Confirmed::Yes)
    }
}
