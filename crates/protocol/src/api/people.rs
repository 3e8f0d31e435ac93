//! Who is in an account, and who is asked into one.

use serde::{Deserialize, Serialize};

use super::{Role, api_types};
use crate::ident::{AccountId, InvitationId, Micros, UserId};

api_types! {
    /// Somebody in an account.
    Member {
        /// The person.
        user: UserId,
        /// Their e-mail address.
        email: String,
        /// Their role.
        role: Role,
    }

    /// Gives somebody a role.
    #[serde(deny_unknown_fields)]
    SetRoleRequest {
        /// The role.
        role: Role,
    }

    /// Makes somebody else an owner in one's place.
    #[serde(deny_unknown_fields)]
    TransferAccountRequest {
        /// Who it is to be, a member already.
        user: UserId,
    }

    /// An account that one is in.
    OwnAccount {
        /// Its id.
        id: AccountId,
        /// Its name.
        name: String,
        /// One's role in it.
        role: Role,
    }

    /// Makes an account.
    #[serde(deny_unknown_fields)]
    CreateAccountRequest {
        /// What to call it: 1 to 64 characters.
        name: String,
        /// The e-mail address of its first owner, who is asked in.
        owner: String,
    }

    /// Calls an account something else.
    #[serde(deny_unknown_fields)]
    RenameAccountRequest {
        /// What to call it: 1 to 64 characters.
        name: String,
    }

    /// Goes on in another account.
    #[serde(deny_unknown_fields)]
    SwitchAccountRequest {
        /// Which; one that one is in.
        account: AccountId,
    }

    /// Somebody who was asked into an account and has not answered.
    Invitation {
        /// Its id.
        id: InvitationId,
        /// Their e-mail address.
        email: String,
        /// The role that they are to have.
        role: Role,
        /// Who asked.
        invited_by: UserId,
        /// When.
        created_at: Micros,
        /// When it ends.
        expires_at: Micros,
    }

    /// Asks somebody into the account, by e-mail.
    #[serde(deny_unknown_fields)]
    CreateInvitationRequest {
        /// Their e-mail address.
        email: String,
        /// The role that they are to have.
        role: Role,
    }

    /// Asks what an invitation is about.
    #[serde(deny_unknown_fields)]
    LookUpInvitationRequest {
        /// The secret of the link, behind its `#`.
        token: String,
    }

    /// What an invitation asks, for whoever holds its link.
    InvitationOffer {
        /// The account.
        account: AccountId,
        /// Its name.
        account_name: String,
        /// The e-mail address that it went to.
        email: String,
        /// The role that they are to have.
        role: Role,
        /// Who asked: their e-mail address.
        invited_by: String,
        /// Whether somebody is known under the address: then their password is wanted, else a new one.
        known: bool,
        /// When it ends.
        expires_at: Micros,
    }

    /// Answers an invitation.
    #[serde(deny_unknown_fields)]
    AcceptInvitationRequest {
        /// The secret of the link, behind its `#`.
        token: String,
        /// The password: the one they have here, or the one they want to have.
        password: String,
    }
}
