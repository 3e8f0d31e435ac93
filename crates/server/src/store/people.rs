//! Members of accounts. Who takes somebody's role away looks in the same transaction that an owner is
//! left.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    api::{Member, OwnAccount, Role},
    ident::{AccountId, UserId},
};

use super::{Durability, Result, Store, Writing, accounts::role, parsed};
use crate::auth::secret::StoredSecret;

/// What became of a change of somebody's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is done.
    Yes,
    /// They are not in the account.
    NoMember,
    /// They stand above who asks, or would.
    TooHigh,
    /// The account would be without an owner.
    LastOwner,
}

impl Store {
    /// Who is in an account, by e-mail address after `after`.
    pub(crate) async fn members(
        &self,
        account: AccountId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Member>> {
        let rows = sqlx::query(
            r#"SELECT users.id, email, role FROM members JOIN users ON users.id = members."user"
               WHERE account = $1 AND email > $2 ORDER BY email LIMIT $3"#,
        )
        .bind(account.to_string())
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(Member {
                user: parsed("users", row.try_get("id")?)?,
                email: row.try_get("email")?,
                role: role(row.try_get("role")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The accounts that somebody is in, by name.
    pub(crate) async fn accounts_of(&self, user: UserId) -> Result<Vec<OwnAccount>> {
        let rows = sqlx::query(
            r#"SELECT accounts.id, name, role FROM members JOIN accounts ON accounts.id = members.account
               WHERE members."user" = $1 ORDER BY name, accounts.id"#,
        )
        .bind(user.to_string())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(OwnAccount {
                id: parsed("accounts", row.try_get("id")?)?,
                name: row.try_get("name")?,
                role: role(row.try_get("role")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Goes on in another account with a session; `false`: its person is not in that one.
    pub(crate) async fn switch_account(
        &self,
        secret: StoredSecret,
        user: UserId,
        account: AccountId,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let switched = sqlx::query(
            r#"UPDATE sessions SET account = $2 WHERE hash = $1 AND "user" = $3 AND EXISTS
               (SELECT 1 FROM members WHERE account = $2 AND "user" = $3)"#,
        )
        .bind(secret.0.to_string())
        .bind(account.to_string())
        .bind(user.to_string())
        .execute(&mut *change)
        .await?
        .rows_affected();
        change.commit().await?;
        Ok(switched > 0)
    }

    /// Gives somebody a role, as one who has `by` may: nobody above it, to nothing above it.
    pub(crate) async fn set_role(
        &self,
        account: AccountId,
        user: UserId,
        to: Role,
        by: Role,
    ) -> Result<Changed> {
        let mut change = self.write(Durability::Machine).await?;
        let Some(now) = role_in(&mut change, account, user).await? else {
            return Ok(Changed::NoMember);
        };
        if now > by || to > by {
            return Ok(Changed::TooHigh);
        }
        if now == Role::Owner && to != Role::Owner && owners(&mut change, account).await? == 1 {
            return Ok(Changed::LastOwner);
        }
        put_role(&mut change, account, user, to).await?;
        change.commit().await?;
        Ok(Changed::Yes)
    }

    /// Takes somebody out of an account, with their sessions and API tokens there, as one who has `by`
    /// may.
    pub(crate) async fn remove_member(
        &self,
        account: AccountId,
        user: UserId,
        by: Role,
    ) -> Result<Changed> {
        let mut change = self.write(Durability::Machine).await?;
        let Some(now) = role_in(&mut change, account, user).await? else {
            return Ok(Changed::NoMember);
        };
        if now > by {
            return Ok(Changed::TooHigh);
        }
        if now == Role::Owner && owners(&mut change, account).await? == 1 {
            return Ok(Changed::LastOwner);
        }
        take_out(&mut change, account, user).await?;
        change.commit().await?;
        Ok(Changed::Yes)
    }

    /// Makes `to` an owner, and `from`, who was one, an admin.
    pub(crate) async fn transfer_account(
        &self,
        account: AccountId,
        from: UserId,
        to: UserId,
    ) -> Result<Changed> {
        let mut change = self.write(Durability::Machine).await?;
        if role_in(&mut change, account, from).await? != Some(Role::Owner) {
            return Ok(Changed::TooHigh);
        }
        if from == to || role_in(&mut change, account, to).await?.is_none() {
            return Ok(Changed::NoMember);
        }
        put_role(&mut change, account, from, Role::Admin).await?;
        put_role(&mut change, account, to, Role::Owner).await?;
        change.commit().await?;
        Ok(Changed::Yes)
    }
}

/// A role as the database names it.
pub(super) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

pub(super) async fn role_in(
    change: &mut Writing,
    account: AccountId,
    user: UserId,
) -> Result<Option<Role>> {
    let sql = r#"SELECT role FROM members WHERE account = $1 AND "user" = $2"#;
    let found: Option<String> = sqlx::query_scalar(sql)
        .bind(account.to_string())
        .bind(user.to_string())
        .fetch_optional(&mut **change)
        .await?;
    found.map(|text| role(&text)).transpose()
}

/// Puts somebody into an account under a role, or changes the one that they have.
pub(super) async fn put_role(
    change: &mut Writing,
    account: AccountId,
    user: UserId,
    role: Role,
) -> Result<()> {
    sqlx::query(
        r#"INSERT INTO members (account, "user", role) VALUES ($1, $2, $3)
           ON CONFLICT (account, "user") DO UPDATE SET role = excluded.role"#,
    )
    .bind(account.to_string())
    .bind(user.to_string())
    .bind(role_word(role))
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Takes somebody out of an account, with their sessions and API tokens there.
pub(super) async fn take_out(change: &mut Writing, account: AccountId, user: UserId) -> Result<()> {
    for sql in [
        r#"DELETE FROM sessions WHERE account = $1 AND "user" = $2"#,
        r#"DELETE FROM token_buckets WHERE token IN
           (SELECT id FROM tokens WHERE account = $1 AND "user" = $2)"#,
        r#"DELETE FROM tokens WHERE account = $1 AND "user" = $2"#,
        r#"DELETE FROM members WHERE account = $1 AND "user" = $2"#,
    ] {
        sqlx::query(sql)
            .bind(account.to_string())
            .bind(user.to_string())
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}

pub(super) async fn owners(change: &mut Writing, account: AccountId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM members WHERE account = $1 AND role = 'owner'";
    let found = sqlx::query_scalar(sql).bind(account.to_string());
    Ok(found.fetch_one(&mut **change).await?)
}
