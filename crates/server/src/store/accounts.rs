//! Accounts and who is a member of them in which role.

use storm_protocol::{
    api::Role,
    ident::{AccountId, UserId},
};

use super::{Result, Store, StoreError, parsed};

impl Store {
    /// The account that `user` begins with when signing in: the oldest membership.
    pub(crate) async fn first_account(&self, user: UserId) -> Result<Option<AccountId>> {
        let sql = r#"SELECT account FROM members WHERE "user" = $1 ORDER BY account LIMIT 1"#;
        let found: Option<(String,)> = sqlx::query_as(sql)
            .bind(user.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        found
            .map(|(account,)| parsed("members", &account))
            .transpose()
    }
}

/// The role of a row.
pub(super) fn role(text: &str) -> Result<Role> {
    match text {
        "viewer" => Ok(Role::Viewer),
        "member" => Ok(Role::Member),
        "admin" => Ok(Role::Admin),
        "owner" => Ok(Role::Owner),
        other => Err(StoreError::Row {
            table: "members",
            what: format!("role is {other:?}"),
        }),
    }
}
