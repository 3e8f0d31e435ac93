//! Passwords that people set: their own, with the old one, or a new one with a link from an e-mail.

use sqlx::Row as _;
use storm_protocol::ident::{Micros, UserId};

use super::{Durability, Result, Store, challenges, mails, parsed, sessions::end_others};
use crate::{
    auth::{audit, secret::StoredSecret},
    mail::Mail,
};

impl Store {
    /// Sets somebody's password and ends their other sessions, and a link that would set another one.
    pub(crate) async fn set_password(
        &self,
        user: UserId,
        hash: &str,
        current: Option<StoredSecret>,
    ) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(user.to_string())
            .bind(hash)
            .execute(&mut *change)
            .await?;
        sqlx::query(r#"DELETE FROM password_resets WHERE "user" = $1"#)
            .bind(user.to_string())
            .execute(&mut *change)
            .await?;
        end_others(&mut change, user, current).await?;
        challenges::void(&mut change, user).await?;
        change.commit().await
    }

    /// Takes the password of somebody who has a passkey, ends their other sessions, and a link that would set
    /// another one, and tells them. `false`: the password is their last way in.
    pub(crate) async fn remove_password(
        &self,
        user: UserId,
        current: Option<StoredSecret>,
        (mail, now): (&Mail, Micros),
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let removed = sqlx::query(
            r#"UPDATE users SET password_hash = NULL WHERE id = $1
               AND EXISTS (SELECT 1 FROM passkeys WHERE passkeys."user" = users.id)"#,
        )
        .bind(user.to_string())
        .execute(&mut *change)
        .await?
        .rows_affected();
        if removed == 0 {
            return Ok(false);
        }
        sqlx::query(r#"DELETE FROM password_resets WHERE "user" = $1"#)
            .bind(user.to_string())
            .execute(&mut *change)
            .await?;
        end_others(&mut change, user, current).await?;
        challenges::void(&mut change, user).await?;
        mails::queue(&mut change, None, mail, now).await?;
        audit::note_thing("password");
        change.commit().await?;
        Ok(true)
    }

    /// Keeps a link that sets a new password and queues its e-mail, unless one was made since `since`, or
    /// a company's provider says who this is: then nothing.
    pub(crate) async fn offer_reset(
        &self,
        user: UserId,
        secret: StoredSecret,
        mail: &Mail,
        (now, expires_at, since): (Micros, Micros, Micros),
    ) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        let offered = sqlx::query(
            r#"INSERT INTO password_resets ("user", hash, created_at, expires_at)
               SELECT id, $2, $3, $4 FROM users WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM oidc_people WHERE oidc_people."user" = users.id)
               ON CONFLICT ("user") DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at,
               expires_at = excluded.expires_at WHERE password_resets.created_at <= $5"#,
        )
        .bind(user.to_string())
        .bind(secret.0.to_string())
        .bind(now.0)
        .bind(expires_at.0)
        .bind(since.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if offered > 0 {
            mails::queue(&mut change, None, mail, now).await?;
            change.commit().await?;
        }
        Ok(())
    }

    /// Whose password the link of a reset sets, by e-mail address, while it is good.
    pub(crate) async fn reset_of(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<String>> {
        let sql = r#"SELECT email FROM password_resets JOIN users ON users.id = "user"
                     WHERE hash = $1 AND password_resets.expires_at > $2"#;
        let found: Option<String> = sqlx::query_scalar(sql)
            .bind(secret.0.to_string())
            .bind(now.0)
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(found)
    }

    /// Sets a new password with a link, once, and ends all sessions. `false`: the link is not good.
    pub(crate) async fn reset_with(
        &self,
        secret: StoredSecret,
        hash: &str,
        now: Micros,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let taken = sqlx::query(
            r#"DELETE FROM password_resets WHERE hash = $1 AND expires_at > $2 RETURNING "user""#,
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .fetch_optional(&mut *change)
        .await?;
        let Some(taken) = taken else { return Ok(false) };
        let user: UserId = parsed("password_resets", taken.try_get("user")?)?;
        sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(user.to_string())
            .bind(hash)
            .execute(&mut *change)
            .await?;
        end_others(&mut change, user, None).await?;
        challenges::void(&mut change, user).await?;
        audit::note_act("password.reset");
        audit::note_thing(&user.to_string());
        audit::expect_change();
        change.commit().await?;
        Ok(true)
    }
}
