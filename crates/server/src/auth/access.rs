//! Who may do what. One table: web asks it for its answer, the signer for its decision, tokens are
//! scoped by its names, and `docs/access.md` is printed from it. Commands stand in it under their
//! names in the whitelist.

mod rights;
mod states;
mod table;

pub(crate) use self::{
    rights::{Denied, Rights, TokenRights},
    table::{TABLE, act, of_command, print, words},
};

use storm_protocol::api::Role;

/// The least that one has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Least {
    /// Anyone in the account.
    Viewer,
    /// Works with buckets and keys.
    Member,
    /// Has a say over people.
    Admin,
    /// Has the account.
    Owner,
    /// Runs the platform.
    Operator,
}

impl Least {
    /// Whether one with this role, or an operator, is that. Whoever runs the platform may everything:
    /// they could do it on the servers, where no receipt would tell of it.
    const fn is_met_by(self, role: Option<Role>, operator: bool) -> bool {
        if operator {
            return true;
        }
        let Some(role) = role else { return false };
        match self {
            Self::Viewer => true,
            Self::Member => role as u8 >= Role::Member as u8,
            Self::Admin => role as u8 >= Role::Admin as u8,
            Self::Owner => role as u8 >= Role::Owner as u8,
            Self::Operator => false,
        }
    }

    /// Who that is, for a person.
    const fn who(self) -> &'static str {
        match self {
            Self::Viewer => "a member of the account",
            Self::Member => "a member, admin or owner of the account",
            Self::Admin => "an admin or owner of the account",
            Self::Owner => "an owner of the account",
            Self::Operator => "an operator of the platform",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Act {
    /// Its name, which is its scope: `noun.verb`.
    pub(crate) name: &'static str,
    /// The least that one has to be.
    pub(crate) least: Least,
    /// Whether a token for certain buckets may, with these alone.
    pub(crate) on_buckets: bool,
    /// Whether a session may only soon after a proof of who is there.
    pub(crate) fresh: bool,
    /// Whether sessions alone may, no API token.
    pub(crate) by_session: bool,
    /// One line on it; a command's stands in the whitelist.
    doc: &'static str,
}

impl Act {
    const fn new(name: &'static str, least: Least, doc: &'static str) -> Self {
        Self {
            name,
            least,
            on_buckets: false,
            fresh: false,
            by_session: false,
            doc,
        }
    }

    /// A token for certain buckets may, with these alone.
    const fn on_buckets(mut self) -> Self {
        self.on_buckets = true;
        self
    }

    /// A session may only soon after a proof of who is there.
    const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    /// Sessions alone may, no API token.
    const fn session(mut self) -> Self {
        self.by_session = true;
        self
    }

    /// Whether it changes nothing, whatever the method of the route.
    pub(crate) fn only_reads(&self) -> bool {
        self.name.ends_with(".read")
    }
}

/// What operators alone do. Who does it may name what is another account's.
pub(crate) trait ForOperators: Need {}

/// What a route does: a type for each row of the table, so that no handler runs unchecked.
pub(crate) trait Need: Send + Sync + 'static {
    /// The row.
    const ACT: Act;
}
