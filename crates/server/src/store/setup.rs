//! The first operator, and a lost password.

use storm_protocol::ident::{AccountId, Micros, UserId};

use super::{Durability, Result, Store};

/// The first person of an installation.
#[derive(Debug)]
pub struct FirstOperator<'a> {
    /// Their id.
    pub user: UserId,
    /// Their account.
    pub account: AccountId,
    /// Their e-mail address, lower case.
    pub email: &'a str,
    /// argon2id, PHC string.
    pub password_hash: &'a str,
}

impl Store {
    /// Whether there is anybody at all, the platform itself aside.
    pub async fn has_users(&self) -> Result<bool> {
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM users WHERE id <> $1 LIMIT 1")
            .bind(UserId::SYSTEM.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(any.is_some())
    }

    /// Makes the operator, their account and their ownership of it, or nothing of it. `told` says the
    /// password to whoever waits for it, before the commit: no operator exists whose password nobody
    /// was told.
    pub async fn create_first_operator(
        &self,
        first: &FirstOperator<'_>,
        now: Micros,
        told: impl FnOnce(),
    ) -> Result<()> {
        let mut transaction = self.write(Durability::Machine).await?;
        sqlx::query(
            "INSERT INTO users (id, email, password_hash, operator, created_at) VALUES ($1, $2, $3, 1, $4)",
        )
        .bind(first.user.to_string())
        .bind(first.email)
        .bind(first.password_hash)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(first.account.to_string())
            .bind(first.email)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO members (account, \"user\", role) VALUES ($1, $2, 'owner')")
            .bind(first.account.to_string())
            .bind(first.user.to_string())
            .execute(&mut *transaction)
            .await?;
        told();
        transaction.commit().await?;
        Ok(())
    }

    /// Sets a person's password and ends their sessions. `false`: there is no such person.
    pub async fn reset_password(&self, email: &str, password_hash: &str) -> Result<bool> {
        let mut transaction = self.write(Durability::Machine).await?;
        // Nobody signs in as the platform itself.
        let set = "UPDATE users SET password_hash = $2 WHERE email = $1 AND id <> $3";
        let known = sqlx::query(set)
            .bind(email)
            .bind(password_hash)
            .bind(UserId::SYSTEM.to_string())
            .execute(&mut *transaction)
            .await?
            .rows_affected()
            > 0;
        sqlx::query(
            "DELETE FROM sessions WHERE \"user\" IN (SELECT id FROM users WHERE email = $1)",
        )
        .bind(email)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM sign_in_challenges WHERE \"user\" IN (SELECT id FROM users WHERE email = $1)",
        )
        .bind(email)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(known)
    }
}
