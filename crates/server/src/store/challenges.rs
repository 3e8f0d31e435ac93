//! People who have proved the first half of who they are: what a challenge is, how it is answered once, and
//! what makes it void. What proves the second half stands in `second_factors`.

use storm_protocol::ident::{Micros, UserId};

use super::{Durability, Result, Store, Writing, parsed};
use crate::auth::secret::StoredSecret;

/// Tries that a challenge takes.
const MAX_TRIES: i64 = 5;

/// A challenge that is open.
pub(crate) struct Challenge {
    /// Whose it is.
    pub(crate) user: UserId,
    /// Their e-mail address.
    pub(crate) email: String,
    /// How they proved the first half.
    pub(crate) method: String,
}

impl Store {
    /// Opens a challenge for somebody who has proved the first half by `method`, and forgets those that are
    /// over.
    pub(crate) async fn begin_challenge(
        &self,
        secret: StoredSecret,
        user: UserId,
        method: &str,
        (now, expires_at): (Micros, Micros),
    ) -> Result<()> {
        let mut change = self.write(Durability::Process).await?;
        sqlx::query("DELETE FROM sign_in_challenges WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&mut *change)
            .await?;
        sqlx::query(
            r#"INSERT INTO sign_in_challenges (hash, "user", method, expires_at) VALUES ($1, $2, $3, $4)"#,
        )
        .bind(secret.0.to_string())
        .bind(user.to_string())
        .bind(method)
        .bind(expires_at.0)
        .execute(&mut *change)
        .await?;
        change.commit().await
    }

    /// An open challenge with a try left.
    pub(crate) async fn challenge(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<Challenge>> {
        let sql = r#"SELECT users.id, email, method FROM sign_in_challenges
                     JOIN users ON users.id = sign_in_challenges."user"
                     WHERE hash = $1 AND expires_at > $2 AND tries < $3"#;
        let found: Option<(String, String, String)> = sqlx::query_as(sql)
            .bind(secret.0.to_string())
            .bind(now.0)
            .bind(MAX_TRIES)
            .fetch_optional(&mut *self.read().await?)
            .await?;
        found
            .map(|(user, email, method)| {
                Ok(Challenge {
                    user: parsed("sign_in_challenges", &user)?,
                    email,
                    method,
                })
            })
            .transpose()
    }

    /// Counts a try, before it is looked at, so that many at once are not more. `false`: none was left.
    pub(crate) async fn try_challenge(&self, secret: StoredSecret, now: Micros) -> Result<bool> {
        let mut change = self.write(Durability::Process).await?;
        let counted = sqlx::query(
            "UPDATE sign_in_challenges SET tries = tries + 1
             WHERE hash = $1 AND expires_at > $2 AND tries < $3",
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .bind(MAX_TRIES)
        .execute(&mut *change)
        .await?
        .rows_affected();
        change.commit().await?;
        Ok(counted > 0)
    }
}

/// Ends a challenge of somebody, in the transaction that takes their proof. `false`: it is not open.
pub(super) async fn redeem(
    change: &mut Writing,
    secret: StoredSecret,
    user: UserId,
    now: Micros,
) -> Result<bool> {
    let sql =
        r#"DELETE FROM sign_in_challenges WHERE hash = $1 AND "user" = $2 AND expires_at > $3"#;
    let ended = sqlx::query(sql)
        .bind(secret.0.to_string())
        .bind(user.to_string())
        .bind(now.0)
        .execute(&mut **change)
        .await?
        .rows_affected();
    Ok(ended > 0)
}

/// Ends all of somebody's challenges: what they proved, or have to prove, is another thing now.
pub(super) async fn void(change: &mut Writing, user: UserId) -> Result<()> {
    sqlx::query(r#"DELETE FROM sign_in_challenges WHERE "user" = $1"#)
        .bind(user.to_string())
        .execute(&mut **change)
        .await?;
    Ok(())
}
