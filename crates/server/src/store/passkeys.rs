//! Passkeys: public keys that people's devices sign with. What devices are asked to sign is in
//! `passkey_challenges`.

use crate::store::sql::{Connection, Record};
use sqlx::Row as _;
use storm_protocol::{
    api::Passkey,
    ident::{Micros, PasskeyId, UserId},
};

use super::{Durability, Result, Store, Writing, mails, parsed};
use crate::{
    auth::{audit::note_thing, passkeys::Made, secret::StoredSecret},
    mail::Mail,
};

const TABLE: &str = "passkeys";

/// Passkeys that somebody may have.
const MAX_PASSKEYS: i64 = 20;

/// A passkey with what checks its signatures.
pub(crate) struct Known {
    /// Its id.
    pub(crate) id: PasskeyId,
    /// Whose it is.
    pub(crate) user: UserId,
    /// Their e-mail address.
    pub(crate) email: String,
    /// What they call it.
    pub(crate) name: String,
    /// What checks its signatures.
    pub(crate) passkey: String,
}

/// Whether a passkey is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// It is, or can be.
    Free,
    /// There are as many as may be.
    Full,
    /// A company's provider says who this is.
    Elsewhere,
    /// It is known already.
    Taken,
}

/// Whether a passkey was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// It was.
    Done,
    /// Its person has no such passkey.
    Absent,
    /// Its person could not sign in any more.
    Last,
}

impl Store {
    /// Somebody's passkeys, oldest first.
    pub(crate) async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        let rows = sqlx::query(
            r#"SELECT id, name, synced, created_at, last_used_at FROM passkeys
               WHERE "user" = $1 ORDER BY id"#,
        )
        .bind(user.to_string())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(Passkey {
                id: parsed(TABLE, row.try_get("id")?)?,
                name: row.try_get("name")?,
                synced: row.try_get::<i64, _>("synced")? != 0,
                created_at: Micros(row.try_get("created_at")?),
                last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(Micros),
            })
        };
        rows.iter().map(read).collect()
    }

    /// What their authenticators call them.
    pub(crate) async fn credentials(&self, user: UserId) -> Result<Vec<String>> {
        let found = sqlx::query_scalar(r#"SELECT credential FROM passkeys WHERE "user" = $1"#)
            .bind(user.to_string())
            .fetch_all(&mut *self.read().await?)
            .await?;
        Ok(found)
    }

    /// The passkey that its authenticator calls so.
    pub(crate) async fn passkey_of(&self, credential: &str) -> Result<Option<Known>> {
        let row = sqlx::query(
            r#"SELECT passkeys.id, users.id AS "user", email, name, passkey FROM passkeys
               JOIN users ON users.id = passkeys."user" WHERE credential = $1"#,
        )
        .bind(credential)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Known {
            id: parsed(TABLE, row.try_get("id")?)?,
            user: parsed(TABLE, row.try_get("user")?)?,
            email: row.try_get("email")?,
            name: row.try_get("name")?,
            passkey: row.try_get("passkey")?,
        }))
    }

    /// Whether somebody may have another passkey.
    pub(crate) async fn passkey_room(&self, user: UserId) -> Result<Room> {
        room(&mut *self.read().await?, user).await
    }

    /// Adds a passkey of somebody, if there is room for it, and tells them.
    pub(crate) async fn add_passkey(
        &self,
        (user, made): (UserId, &Made),
        passkey: &Passkey,
        mail: &Mail,
    ) -> Result<Room> {
        let mut change = self.write(Durability::Machine).await?;
        let room = room(&mut change, user).await?;
        if room != Room::Free {
            return Ok(room);
        }
        let added = sqlx::query(
            r#"INSERT INTO passkeys (id, "user", credential, name, passkey, synced, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (credential) DO NOTHING"#,
        )
        .bind(passkey.id.to_string())
        .bind(user.to_string())
        .bind(&made.credential)
        .bind(&passkey.name)
        .bind(&made.passkey)
        .bind(i64::from(passkey.synced))
        .bind(passkey.created_at.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        if added == 0 {
            return Ok(Room::Taken);
        }
        mails::queue(&mut change, None, mail, passkey.created_at).await?;
        note_thing(&passkey.id.to_string());
        change.commit().await?;
        Ok(Room::Free)
    }

    /// Calls a passkey of somebody something else. `false`: they have no such passkey.
    pub(crate) async fn rename_passkey(
        &self,
        user: UserId,
        id: PasskeyId,
        name: &str,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let renamed = sqlx::query(r#"UPDATE passkeys SET name = $3 WHERE id = $1 AND "user" = $2"#)
            .bind(id.to_string())
            .bind(user.to_string())
            .bind(name)
            .execute(&mut *change)
            .await?
            .rows_affected();
        note_thing(&id.to_string());
        change.commit().await?;
        Ok(renamed > 0)
    }

    /// Keeps what a use of a passkey changed about it. `false`: meanwhile it was deleted, or used by
    /// somebody else whose count was the same.
    pub(crate) async fn use_passkey(
        &self,
        known: &Known,
        (passkey, synced): &(String, bool),
        now: Micros,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let used = sqlx::query(
            "UPDATE passkeys SET passkey = $3, synced = $4, last_used_at = $5
             WHERE id = $1 AND passkey = $2",
        )
        .bind(known.id.to_string())
        .bind(&known.passkey)
        .bind(passkey)
        .bind(i64::from(*synced))
        .bind(now.0)
        .execute(&mut *change)
        .await?
        .rows_affected();
        change.commit().await?;
        Ok(used > 0)
    }

    /// Deletes a passkey of somebody, ends the sessions that were begun with it but for `current`, and tells
    /// them. A passkey that is the last way in stays.
    pub(crate) async fn delete_passkey(
        &self,
        user: UserId,
        id: PasskeyId,
        current: Option<StoredSecret>,
        (mail, now): (impl FnOnce(&str) -> Mail, Micros),
    ) -> Result<Deletion> {
        let mut change = self.write(Durability::Machine).await?;
        let deleted: Option<String> = sqlx::query_scalar(
            r#"DELETE FROM passkeys WHERE id = $1 AND "user" = $2
               AND (EXISTS (SELECT 1 FROM users WHERE users.id = $2 AND password_hash IS NOT NULL)
                    OR EXISTS (SELECT 1 FROM passkeys other WHERE other."user" = $2 AND other.id <> $1))
               RETURNING name"#,
        )
        .bind(id.to_string())
        .bind(user.to_string())
        .fetch_optional(&mut *change)
        .await?;
        let Some(name) = deleted else {
            let left: Option<i64> =
                sqlx::query_scalar(r#"SELECT 1 FROM passkeys WHERE id = $1 AND "user" = $2"#)
                    .bind(id.to_string())
                    .bind(user.to_string())
                    .fetch_optional(&mut *change)
                    .await?;
            return Ok(left.map_or(Deletion::Absent, |_| Deletion::Last));
        };
        let current = current.map(|secret| secret.0.to_string());
        sqlx::query("DELETE FROM sessions WHERE passkey = $1 AND hash <> $2")
            .bind(id.to_string())
            .bind(current.unwrap_or_default())
            .execute(&mut *change)
            .await?;
        mails::queue(&mut change, None, &mail(&name), now).await?;
        note_thing(&id.to_string());
        change.commit().await?;
        Ok(Deletion::Done)
    }

    /// Tells somebody something about a passkey of theirs.
    pub(crate) async fn tell_of_passkey(&self, mail: &Mail, now: Micros) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        mails::queue(&mut change, None, mail, now).await?;
        change.commit().await
    }
}

/// Takes all of somebody's passkeys away, and what their authenticators were asked. `false`: they had none.
pub(super) async fn forget(change: &mut Writing, user: UserId) -> Result<bool> {
    sqlx::query(r#"DELETE FROM passkey_challenges WHERE "user" = $1"#)
        .bind(user.to_string())
        .execute(&mut **change)
        .await?;
    let gone = sqlx::query(r#"DELETE FROM passkeys WHERE "user" = $1"#)
        .bind(user.to_string())
        .execute(&mut **change)
        .await?
        .rows_affected();
    Ok(gone > 0)
}

async fn room(connection: &mut Connection, user: UserId) -> Result<Room> {
    let sql = r#"SELECT (SELECT COUNT(*) FROM passkeys WHERE "user" = users.id),
                   (SELECT COUNT(*) FROM oidc_people WHERE oidc_people."user" = users.id)
                 FROM users WHERE id = $1"#;
    let (has, linked): (i64, i64) = sqlx::query_as(sql)
        .bind(user.to_string())
        .fetch_one(connection)
        .await?;
    Ok(match (has, linked) {
        (_, 1..) => Room::Elsewhere,
        (MAX_PASSKEYS.., _) => Room::Full,
        _ => Room::Free,
    })
}
