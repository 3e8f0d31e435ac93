//! Invitations into accounts. One an address and account: a new one takes the old one's place. Its
//! e-mail is queued in the transaction that makes it.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    api::{AccountState, Invitation, InvitationOffer, Role},
    ident::{AccountId, InvitationId, Micros, UserId},
};

use super::{
    Durability, Result, Store, Writing,
    account_states::state_in,
    accounts::role,
    mails, parsed,
    people::{put_role, role_in, role_word},
};
use crate::{
    auth::{audit, secret::StoredSecret},
    mail::Mail,
};

const TABLE: &str = "invitations";

/// An invitation that is still good, as who answers it needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    /// Into this account.
    pub(crate) account: AccountId,
    /// Its id.
    pub(crate) id: InvitationId,
}

/// Who answers an invitation.
pub(crate) enum Answerer<'a> {
    /// Somebody who is known here.
    Known(UserId),
    /// Somebody new, with the hash of their password.
    New(UserId, &'a str),
}

/// What became of an answer to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// Who answered is in the account.
    Yes,
    /// Somebody was faster, or it was withdrawn.
    Gone,
    /// The account is in this state, in which nobody comes in. The invitation is kept.
    Not(AccountState),
}

impl Store {
    /// Keeps an invitation and queues its e-mail, unless the account has sent `most` e-mails since `since`:
    /// then `false`. One that has ended is forgotten.
    pub(crate) async fn create_invitation(
        &self,
        account: AccountId,
        invitation: &Invitation,
        secret: StoredSecret,
        mail: &Mail,
        (most, since): (i64, Micros),
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        if mails::count(&mut change, account, since).await? >= most {
            return Ok(false);
        }
        sqlx::query(
            "DELETE FROM invitations WHERE expires_at <= $1 OR (account = $2 AND email = $3)",
        )
        .bind(invitation.created_at.0)
        .bind(account.to_string())
        .bind(&invitation.email)
        .execute(&mut *change)
        .await?;
        insert(&mut change, account, invitation, secret, mail).await?;
        change.commit().await?;
        Ok(true)
    }

    /// Makes an account, with an invitation for its first owner.
    pub(crate) async fn create_account(
        &self,
        account: AccountId,
        name: &str,
        owner: &Invitation,
        secret: StoredSecret,
        mail: &Mail,
    ) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        sqlx::query("INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(account.to_string())
            .bind(name)
            .bind(owner.created_at.0)
            .execute(&mut *change)
            .await?;
        insert(&mut change, account, owner, secret, mail).await?;
        audit::note_thing(&account.to_string());
        change.commit().await
    }

    /// Calls an account something else.
    pub(crate) async fn rename_account(&self, account: AccountId, name: &str) -> Result<()> {
        let mut change = self.write(Durability::Machine).await?;
        sqlx::query("UPDATE accounts SET name = $2 WHERE id = $1")
            .bind(account.to_string())
            .bind(name)
            .execute(&mut *change)
            .await?;
        change.commit().await
    }

    /// The invitations into an account that are still good, by id after `after`.
    pub(crate) async fn invitations(
        &self,
        account: AccountId,
        now: Micros,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Invitation>> {
        let rows = sqlx::query(
            "SELECT id, email, role, invited_by, created_at, expires_at FROM invitations \
             WHERE account = $1 AND expires_at > $2 AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind(account.to_string())
        .bind(now.0)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_invitation).collect()
    }

    /// Withdraws an invitation; whether it was there.
    pub(crate) async fn withdraw_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let gone = sqlx::query("DELETE FROM invitations WHERE id = $1 AND account = $2")
            .bind(id.to_string())
            .bind(account.to_string())
            .execute(&mut *change)
            .await?
            .rows_affected();
        change.commit().await?;
        Ok(gone > 0)
    }

    /// The invitation of a link, if it is still good, and the address that it went to.
    pub(crate) async fn invitation_of(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<(Open, String)>> {
        let row = sqlx::query(
            "SELECT id, account, email FROM invitations WHERE hash = $1 AND expires_at > $2",
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.map(|row| {
            let open = Open {
                account: parsed(TABLE, row.try_get("account")?)?,
                id: parsed(TABLE, row.try_get("id")?)?,
            };
            Ok((open, row.try_get("email")?))
        })
        .transpose()
    }

    /// What the invitation of a link asks, if it is still good.
    pub(crate) async fn invitation_offer(
        &self,
        secret: StoredSecret,
        now: Micros,
    ) -> Result<Option<InvitationOffer>> {
        let row = sqlx::query(
            "SELECT invitations.account, accounts.name, invitations.email, role, expires_at, \
                    inviting.email AS invited_by, \
                    (SELECT COUNT(*) FROM users WHERE users.email = invitations.email) AS known \
             FROM invitations JOIN accounts ON accounts.id = invitations.account \
             JOIN users AS inviting ON inviting.id = invitations.invited_by \
             WHERE hash = $1 AND expires_at > $2",
        )
        .bind(secret.0.to_string())
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.map(|row| {
            Ok(InvitationOffer {
                account: parsed(TABLE, row.try_get("account")?)?,
                account_name: row.try_get("name")?,
                email: row.try_get("email")?,
                role: role(row.try_get("role")?)?,
                invited_by: row.try_get("invited_by")?,
                known: row.try_get::<i64, _>("known")? > 0,
                expires_at: Micros(row.try_get("expires_at")?),
            })
        })
        .transpose()
    }

    /// Answers an invitation, once: who answers is in the account, and keeps a higher role that they
    /// have there already.
    pub(crate) async fn accept_invitation(
        &self,
        open: Open,
        answerer: Answerer<'_>,
        now: Micros,
    ) -> Result<Accepted> {
        let mut change = self.write(Durability::Machine).await?;
        match state_in(&mut change, open.account).await? {
            Some(AccountState::Active) => {}
            Some(state) => return Ok(Accepted::Not(state)),
            None => return Ok(Accepted::Gone),
        }
        let taken = sqlx::query("DELETE FROM invitations WHERE id = $1 RETURNING email, role")
            .bind(open.id.to_string())
            .fetch_optional(&mut *change)
            .await?;
        let Some(taken) = taken else {
            return Ok(Accepted::Gone);
        };
        let wanted: Role = role(taken.try_get("role")?)?;
        let user = match answerer {
            Answerer::Known(user) => user,
            Answerer::New(user, password_hash) => {
                let email: String = taken.try_get("email")?;
                let made = sqlx::query(
                    "INSERT INTO users (id, email, password_hash, created_at) \
                     VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING",
                )
                .bind(user.to_string())
                .bind(email)
                .bind(password_hash)
                .bind(now.0)
                .execute(&mut *change)
                .await?;
                if made.rows_affected() == 0 {
                    // They have come by another invitation meanwhile: nothing of this is kept.
                    return Ok(Accepted::Gone);
                }
                user
            }
        };
        audit::note_act("invitation.accept");
        audit::note_who(user, open.account);
        audit::expect_change();
        let has = role_in(&mut change, open.account, user).await?;
        if has.is_none_or(|has| has < wanted) {
            put_role(&mut change, open.account, user, wanted).await?;
        }
        change.commit().await?;
        Ok(Accepted::Yes)
    }
}

/// Keeps an invitation and queues its e-mail.
async fn insert(
    change: &mut Writing,
    account: AccountId,
    invitation: &Invitation,
    secret: StoredSecret,
    mail: &Mail,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO invitations (id, hash, account, email, role, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(invitation.id.to_string())
    .bind(secret.0.to_string())
    .bind(account.to_string())
    .bind(&invitation.email)
    .bind(role_word(invitation.role))
    .bind(invitation.invited_by.to_string())
    .bind(invitation.created_at.0)
    .bind(invitation.expires_at.0)
    .execute(&mut **change)
    .await?;
    mails::queue(change, Some(account), mail, invitation.created_at).await
}

fn read_invitation(row: &Record) -> Result<Invitation> {
    Ok(Invitation {
        id: parsed(TABLE, row.try_get("id")?)?,
        email: row.try_get("email")?,
        role: role(row.try_get("role")?)?,
        invited_by: parsed(TABLE, row.try_get("invited_by")?)?,
        created_at: Micros(row.try_get("created_at")?),
        expires_at: Micros(row.try_get("expires_at")?),
    })
}
