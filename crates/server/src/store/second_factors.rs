//! Second factors: authenticator apps and recovery codes. No code is taken twice: what takes one is a
//! single comparison and change.

use storm_protocol::{
    api::SignInMethods,
    ident::{Micros, UserId},
};

use super::{
    Durability, Result, Store, Writing, audit, challenges, mails, passkeys, sessions::end_others,
};
use crate::{
    auth::{audit::note_thing, secret::StoredSecret},
    mail::Mail,
};

/// What a right code uses up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spent {
    /// The step of time of an authenticator app's code, and all before it.
    Step(i64),
    /// A recovery code.
    Recovery(StoredSecret),
}

impl Store {
    /// What somebody can sign in with.
    pub(crate) async fn sign_in_methods(&self, user: UserId) -> Result<SignInMethods> {
        let sql = r#"SELECT CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END,
                       (SELECT confirmed_at FROM totp_factors WHERE "user" = users.id),
                       (SELECT COUNT(*) FROM recovery_codes WHERE "user" = users.id),
                       (SELECT COUNT(*) FROM passkeys WHERE "user" = users.id)
                     FROM users WHERE id = $1"#;
        let (password, totp_since, recovery_codes, passkeys): (i64, Option<i64>, i64, i64) =
            sqlx::query_as(sql)
                .bind(user.to_string())
                .fetch_one(&mut *self.read().await?)
                .await?;
        Ok(SignInMethods {
            password: password != 0,
            totp_since: totp_since.map(Micros),
            recovery_codes: u32::try_from(recovery_codes).unwrap_or_default(),
            passkeys: u32::try_from(passkeys).unwrap_or_default(),
        })
    }

    /// What proves the second half of who somebody is; nothing: the first is enough.
    pub(crate) async fn second_factors(&self, user: UserId) -> Result<Vec<String>> {
        let has = self.sign_in_methods(user).await?;
        let mut methods = vec![];
        if has.totp_since.is_some() {
            methods.push("totp".to_owned());
        }
        if !methods.is_empty() && has.recovery_codes > 0 {
            methods.push("recovery_code".to_owned());
        }
        // With one of these one begins anew: it signs in alone.
        if !methods.is_empty() && has.passkeys > 0 {
            methods.push("passkey".to_owned());
        }
        Ok(methods)
    }

    /// Somebody's authenticator app, sealed, if it is confirmed, or is not, as asked.
    pub(crate) async fn totp(&self, user: UserId, confirmed: bool) -> Result<Option<String>> {
        let sql = r#"SELECT sealed FROM totp_factors
                     WHERE "user" = $1 AND (confirmed_at IS NOT NULL) = ($2 <> 0)"#;
        let found = sqlx::query_scalar(sql)
            .bind(user.to_string())
            .bind(i64::from(confirmed))
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(found)
    }

    /// Keeps an authenticator app to confirm, in the place of one that was not. `false`: one is in use.
    pub(crate) async fn begin_totp(&self, user: UserId, sealed: &str, now: Micros) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let begun = sqlx::query(
            r#"INSERT INTO totp_factors ("user", sealed, created_at) VALUES ($1, $2, $3)
               ON CONFLICT ("user") DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at
               WHERE totp_factors.confirmed_at IS NULL"#,
        )
        .bind(user.to_string())
        .bind(sealed)
        .bind(now.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if begun > 0 {
            change.commit().await?;
        }
        Ok(begun > 0)
    }

    /// Confirms the authenticator app that was kept as `sealed`, with its first code and new recovery codes,
    /// and ends all of its person's sessions but `current`: they were begun without it. `false`: there is none
    /// to confirm.
    pub(crate) async fn confirm_totp(
        &self,
        user: UserId,
        (sealed, step): (&str, i64),
        codes: &[StoredSecret],
        current: Option<StoredSecret>,
        (mail, now): (&Mail, Micros),
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let confirmed = sqlx::query(
            r#"UPDATE totp_factors SET confirmed_at = $4, last_step = $3
               WHERE "user" = $1 AND sealed = $2 AND confirmed_at IS NULL"#,
        )
        .bind(user.to_string())
        .bind(sealed)
        .bind(step)
        .bind(now.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if confirmed == 0 {
            return Ok(false);
        }
        put_recovery_codes(&mut change, user, codes).await?;
        end_others(&mut change, user, current).await?;
        challenges::void(&mut change, user).await?;
        mails::queue(&mut change, None, mail, now).await?;
        change.commit().await?;
        Ok(true)
    }

    /// Takes a code of somebody, once, and the challenge that it answers, if it answers one. `false`: it was
    /// taken before, or the challenge is not open.
    pub(crate) async fn spend_code(
        &self,
        user: UserId,
        spent: Spent,
        challenge: Option<StoredSecret>,
        now: Micros,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        if let Some(secret) = challenge
            && !challenges::redeem(&mut change, secret, user, now).await?
        {
            return Ok(false);
        }
        let query = match spent {
            Spent::Step(step) => sqlx::query(
                r#"UPDATE totp_factors SET last_step = $2
                   WHERE "user" = $1 AND last_step < $2 AND confirmed_at IS NOT NULL"#,
            )
            .bind(user.to_string())
            .bind(step),
            Spent::Recovery(code) => {
                sqlx::query(r#"DELETE FROM recovery_codes WHERE "user" = $1 AND hash = $2"#)
                    .bind(user.to_string())
                    .bind(code.0.to_string())
            }
        };
        let taken = query.execute(&mut *change).await?.rows_affected() > 0;
        if taken {
            change.commit().await?;
        }
        Ok(taken)
    }

    /// Gives somebody new recovery codes in place of the old ones. `false`: they have no second factor.
    pub(crate) async fn renew_recovery_codes(
        &self,
        user: UserId,
        codes: &[StoredSecret],
        mail: &Mail,
        now: Micros,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let sql = r#"SELECT 1 FROM totp_factors WHERE "user" = $1 AND confirmed_at IS NOT NULL"#;
        let has: Option<i64> = sqlx::query_scalar(sql)
            .bind(user.to_string())
            .fetch_optional(&mut *change)
            .await?;
        if has.is_none() {
            return Ok(false);
        }
        put_recovery_codes(&mut change, user, codes).await?;
        mails::queue(&mut change, None, mail, now).await?;
        change.commit().await?;
        Ok(true)
    }

    /// Takes somebody's authenticator app and recovery codes away. `false`: they have none.
    pub(crate) async fn remove_totp(&self, user: UserId, mail: &Mail, now: Micros) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        if !remove(&mut change, user).await? {
            return Ok(false);
        }
        mails::queue(&mut change, None, mail, now).await?;
        note_thing("totp");
        change.commit().await?;
        Ok(true)
    }

    /// As [`remove_totp`](Self::remove_totp), by an operator on the server; takes the passkeys, too, and ends all
    /// of the person's sessions.
    pub(crate) async fn reset_second_factor(
        &self,
        user: UserId,
        mail: &Mail,
        entry: &audit::Entry,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let had_app = remove(&mut change, user).await?;
        if !passkeys::forget(&mut change, user).await? && !had_app {
            return Ok(false);
        }
        end_others(&mut change, user, None).await?;
        mails::queue(&mut change, None, mail, entry.at).await?;
        entry.insert(&mut change).await?;
        change.commit().await?;
        Ok(true)
    }
}

/// Takes somebody's authenticator app, recovery codes and open challenges away. `false`: they have no app.
async fn remove(change: &mut Writing, user: UserId) -> Result<bool> {
    let removed = sqlx::query(r#"DELETE FROM totp_factors WHERE "user" = $1"#)
        .bind(user.to_string())
        .execute(&mut **change)
        .await?
        .rows_affected();
    put_recovery_codes(change, user, &[]).await?;
    challenges::void(change, user).await?;
    Ok(removed > 0)
}

async fn put_recovery_codes(
    change: &mut Writing,
    user: UserId,
    codes: &[StoredSecret],
) -> Result<()> {
    sqlx::query(r#"DELETE FROM recovery_codes WHERE "user" = $1"#)
        .bind(user.to_string())
        .execute(&mut **change)
        .await?;
    for code in codes {
        sqlx::query(r#"INSERT INTO recovery_codes ("user", hash) VALUES ($1, $2)"#)
            .bind(user.to_string())
            .bind(code.0.to_string())
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}
