//! People, as sign-in needs them.

use storm_protocol::ident::UserId;

use super::{Result, Store, parsed};

/// A person, as sign-in needs them.
pub(crate) struct User {
    /// Their id.
    pub(crate) id: UserId,
    /// argon2id, PHC string; none: they cannot sign in with a password.
    pub(crate) password_hash: Option<String>,
}

impl Store {
    /// The person with this address, in lower case. The platform itself is no person.
    pub(crate) async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let sql = "SELECT id, password_hash FROM users WHERE email = $1 AND id <> $2";
        let found: Option<(String, Option<String>)> = sqlx::query_as(sql)
            .bind(email)
            .bind(UserId::SYSTEM.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        found
            .map(|(id, password_hash)| {
                Ok(User {
                    id: parsed("users", &id)?,
                    password_hash,
                })
            })
            .transpose()
    }
}
