//! People, their tokens, the accounts they belong to, and problems that they are told.

use serde::{Deserialize, Serialize};

use super::{AccountState, api_types};
use crate::ident::{AccountId, BucketId, Digest, Limit, Micros, Scope, TokenId, UserId};

api_types! {
    /// An error, for people and programs.
    ProblemBody {
        /// A stable code, such as `name_taken`.
        code: String,
        /// What happened, what was kept, what to do: one or two sentences.
        message: String,
        /// The request's id, to find it in the log.
        request: String,
    }

    /// The body of every error answer.
    Problem {
        /// The error.
        error: ProblemBody,
    }

    /// The signed-in person.
    Whoami {
        /// The person.
        user: UserId,
        /// Their e-mail address.
        email: String,
        /// The account in use.
        account: AccountId,
        /// The account's name.
        account_name: String,
        /// Their role in it.
        role: Role,
        /// Whether they run the platform.
        operator: bool,
    }

    /// Signs in.
    #[serde(deny_unknown_fields)]
    SignInRequest {
        /// The e-mail address.
        email: String,
        /// The password.
        password: String,
    }

    /// An API token, without its secret.
    Token {
        /// Its id.
        id: TokenId,
        /// What a person calls it.
        name: String,
        /// When it was made.
        created_at: Micros,
        /// When it was last used.
        last_used_at: Option<Micros>,
        /// When it ends.
        expires_at: Option<Micros>,
        /// What it may, of what its maker may: names of docs/access.md, or `bucket.*`, or `*`.
        scopes: Vec<Scope>,
        /// With these buckets alone; with all of the account's when absent.
        buckets: Option<Vec<BucketId>>,
    }

    /// Asks for an API token.
    #[serde(deny_unknown_fields)]
    CreateTokenRequest {
        /// What to call it.
        name: String,
        /// When it ends; never when absent.
        expires_at: Option<Micros>,
        /// What it may, of what you may; everything (`*`) when absent. At most 50.
        scopes: Option<Vec<Scope>>,
        /// With these buckets alone, at most 100; with all of the account's when absent.
        buckets: Option<Vec<BucketId>>,
    }

    /// A new API token. The secret is shown this once.
    TokenCreated {
        /// The token.
        token: Token,
        /// The secret, beginning with `sbt_`.
        secret: String,
    }

    /// An account with its limits and what it uses.
    Account {
        /// Its id.
        id: AccountId,
        /// Its name.
        name: String,
        /// When it was made.
        created_at: Micros,
        /// What became of it.
        state: AccountState,
        /// Why it was suspended.
        state_reason: Option<String>,
        /// When its buckets are cleared: until then its closing can be cancelled.
        clears_at: Option<Micros>,
        /// Its limits.
        limits: AccountLimits,
        /// Bytes in its buckets, unfinished uploads included, as last heard.
        used_bytes: u64,
        /// Objects in its buckets.
        objects: u64,
        /// Its buckets.
        buckets: u64,
        /// Its keys that have not ended, temporary ones aside.
        keys: u64,
    }

    /// What an account may have; an absent limit is none.
    #[serde(deny_unknown_fields)]
    AccountLimits {
        /// Bytes, unfinished uploads included.
        storage_bytes: Option<Limit>,
        /// Buckets.
        buckets: Option<Limit>,
        /// Keys that have not ended, temporary ones aside.
        keys: Option<Limit>,
    }

    /// How full an account is: told when it crosses a mark, upwards or downwards.
    LimitNotice {
        /// The account.
        account: AccountId,
        /// The mark that it is at or above: 0, 80, 95 or 100 per cent of its storage limit.
        percent: u8,
        /// Bytes in use.
        used_bytes: u64,
        /// The limit.
        limit_bytes: Limit,
        /// When.
        at: Micros,
    }

    /// What the server is and does, for anyone.
    About {
        /// The server's version.
        version: String,
        /// The digest of the root key.
        root_key: Digest,
        /// Whether anybody may sign up for an account of their own.
        sign_up: bool,
        /// Whether passkeys can be used at its address.
        #[serde(default)]
        passkeys: bool,
        /// Companies' own providers that one may sign in at.
        #[serde(default)]
        providers: Vec<SignInProvider>,
    }

    /// A company's own provider that its people sign in at: `GET /api/v1/oidc/{name}/start`, in a browser.
    SignInProvider {
        /// Its name.
        name: String,
        /// What a button says that leads there.
        title: String,
    }
}

/// A role in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees, changes nothing.
    Viewer,
    /// Buckets and keys; no people, no danger.
    Member,
    /// All but the account itself.
    Admin,
    /// Everything.
    Owner,
}
