//! Invitations into the account.

pub(crate) mod accept;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod withdraw;
