//! What authenticators were asked to sign. Nothing is answered twice: what takes the answer deletes the
//! question first.

use storm_protocol::ident::{Micros, UserId};

use super::{Durability, Result, Store, Writing};
use crate::auth::secret::StoredSecret;

/// Sign-ins that may be under way. More make the oldest ones begin again, so that whoever floods keeps nobody
/// out.
const MAX_SIGN_INS: i64 = 10_000;

/// What a signature is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To make a passkey.
    Create(UserId),
    /// To sign in, whoever it is.
    SignIn,
    /// To prove again who is there.
    Reauthenticate(UserId),
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::SignIn => "sign_in",
            Self::Reauthenticate(_) => "reauthenticate",
        }
    }

    /// Whose answer alone counts.
    pub(crate) const fn user(self) -> Option<UserId> {
        match self {
            Self::Create(user) | Self::Reauthenticate(user) => Some(user),
            Self::SignIn => None,
        }
    }
}

impl Store {
    /// Keeps what an authenticator is asked to sign, in place of what its person was asked before for the
    /// same purpose, and forgets what nobody answered.
    pub(crate) async fn begin_passkey_challenge(
        &self,
        secret: StoredSecret,
        purpose: Purpose,
        state: &str,
        (now, expires_at): (Micros, Micros),
    ) -> Result<()> {
        let mut change = self.write(Durability::Process).await?;
        let user = purpose.user().map(|user| user.to_string());
        sqlx::query("DELETE FROM passkey_challenges WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&mut *change)
            .await?;
        sqlx::query(r#"DELETE FROM passkey_challenges WHERE "user" = $1 AND purpose = $2"#)
            .bind(user.as_deref().unwrap_or_default())
            .bind(purpose.name())
            .execute(&mut *change)
            .await?;
        if purpose == Purpose::SignIn {
            make_room(&mut change).await?;
        }
        sqlx::query(
            r#"INSERT INTO passkey_challenges (hash, purpose, "user", state, expires_at)
               VALUES ($1, $2, $3, $4, $5)"#,
        )
        .bind(secret.0.to_string())
        .bind(purpose.name())
        .bind(user)
        .bind(state)
        .bind(expires_at.0)
        .execute(&mut *change)
        .await?;
        change.commit().await
    }

    /// Takes what was asked, once.
    pub(crate) async fn take_passkey_challenge(
        &self,
        secret: StoredSecret,
        purpose: Purpose,
        now: Micros,
    ) -> Result<Option<String>> {
        let mut change = self.write(Durability::Process).await?;
        let state = sqlx::query_scalar(
            r#"DELETE FROM passkey_challenges
               WHERE hash = $1 AND purpose = $2 AND COALESCE("user", '') = $3 AND expires_at > $4
               RETURNING state"#,
        )
        .bind(secret.0.to_string())
        .bind(purpose.name())
        .bind(
            purpose
                .user()
                .map(|user| user.to_string())
                .unwrap_or_default(),
        )
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await?;
        change.commit().await?;
        Ok(state)
    }
}

/// Forgets the oldest sign-ins that are under way, so that one more is not too many.
async fn make_room(change: &mut Writing) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM passkey_challenges WHERE purpose = 'sign_in'";
    let open: i64 = sqlx::query_scalar(sql).fetch_one(&mut **change).await?;
    if open < MAX_SIGN_INS {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM passkey_challenges WHERE hash IN
         (SELECT hash FROM passkey_challenges WHERE purpose = 'sign_in' ORDER BY expires_at, hash LIMIT $1)",
    )
    .bind(open - MAX_SIGN_INS + 1)
    .execute(&mut **change)
    .await?;
    Ok(())
}
