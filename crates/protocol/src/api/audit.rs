//! The audit trail: who did, or tried, what.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::ident::{
    AccountId, AuditEventId, Micros, OperationId, SecurityEventId, TokenId, UserId,
};

api_types! {
    /// Somebody did something, or tried to.
    AuditEvent {
        /// Its id.
        id: AuditEventId,
        /// When.
        at: Micros,
        /// The account that it is told to; nobody's when absent.
        account: Option<AccountId>,
        /// Who; absent when nobody was signed in.
        user: Option<UserId>,
        /// Their e-mail address at that time.
        email: Option<String>,
        /// The API token that they came with.
        token: Option<TokenId>,
        /// Which way it came: `web`, `cli`, `api`, or `server`: a command on the server itself.
        via: String,
        /// The address that it came from; absent for refusals from more addresses than are told apart.
        origin: Option<String>,
        /// What: a name of docs/access.md, `session.create` or `session.delete`.
        act: String,
        /// Which thing: ids and names of the request's path, or the address that somebody tried to sign in
        /// with.
        thing: Option<String>,
        /// The operation that it began; its receipt says what came of it.
        operation: Option<OperationId>,
        /// `done`, or the code of the answer.
        result: String,
        /// How many alike this stands for: refusals are counted, one event a minute.
        count: u64,
    }

    /// Something that an operator should see: a failed sign-in, an agent that was turned away, a role that moved.
    SecurityEvent {
        /// Its id.
        id: SecurityEventId,
        /// When.
        at: Micros,
        /// What, as a stable name: `sign_in_failed`, `agent_quarantined`, …
        kind: String,
        /// Who or what it is about: an address, or the id of an agent or token, or a region's name.
        subject: Option<String>,
        /// The address that it came from.
        origin: Option<String>,
        /// In words.
        detail: String,
    }
}
