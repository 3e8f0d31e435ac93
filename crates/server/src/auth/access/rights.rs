//! What somebody may: who they are to the account, and what the token they came with leaves of that.

use std::collections::BTreeSet;

use storm_protocol::{
    api::{AccountState, Role},
    command::{Command, Resource},
    ident::{BucketId, Micros, Scope, TokenId},
};

use super::{Act, states::stays};

/// What somebody may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights<'a> {
    /// Their role in the account; none: they are not in it.
    pub(crate) role: Option<Role>,
    /// Whether they run the platform.
    pub(crate) operator: bool,
    /// What became of the account.
    pub(crate) state: AccountState,
    /// The API token they came with.
    pub(crate) token: Option<&'a TokenRights>,
}

/// What a token leaves of its maker's rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRights {
    /// The token.
    pub(crate) id: TokenId,
    /// When it ends.
    pub(crate) expires_at: Option<Micros>,
    /// What it may.
    pub(crate) scopes: Vec<Scope>,
    /// With these buckets alone; with all when absent.
    pub(crate) buckets: Option<BTreeSet<BucketId>>,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// They are too little; who may, for a person.
    Role(&'static str),
    /// Their token has no such scope; the scope.
    Scope(&'static str),
    /// Their token is for certain buckets.
    Buckets,
    /// They came with a token, and sessions alone may.
    Token,
    /// The account is suspended.
    Suspended,
    /// The account is being closed, or closed.
    Closing,
}

impl Rights<'_> {
    /// Whether they may `act`.
    pub(crate) fn allow(&self, act: &Act) -> Result<(), Denied> {
        if !act.least.is_met_by(self.role, self.operator) {
            return Err(Denied::Role(act.least.who()));
        }
        if !self.operator && !stays(act) {
            match self.state {
                AccountState::Active => {}
                AccountState::Suspended => return Err(Denied::Suspended),
                AccountState::Closing | AccountState::Closed => return Err(Denied::Closing),
            }
        }
        let Some(token) = self.token else {
            return Ok(());
        };
        if act.by_session {
            return Err(Denied::Token);
        }
        if !token.scopes.iter().any(|scope| scope.covers(act.name)) {
            return Err(Denied::Scope(act.name));
        }
        if token.buckets.is_some() && !act.on_buckets {
            return Err(Denied::Buckets);
        }
        Ok(())
    }

    /// The only buckets that they reach, if they do not reach all of the account's.
    pub(crate) fn buckets(&self) -> Option<&BTreeSet<BucketId>> {
        self.token?.buckets.as_ref()
    }

    /// Whether they reach a bucket, if it is their account's.
    pub(crate) fn reach(&self, bucket: BucketId) -> bool {
        self.buckets()
            .is_none_or(|buckets| buckets.contains(&bucket))
    }

    /// Whether they reach all that a command is about. A key may open other buckets, too, and so may
    /// one that makes them.
    pub(crate) fn reach_all(&self, command: &Command) -> bool {
        if self.buckets().is_none() {
            return true;
        }
        if matches!(command, Command::KeyCreate(p) if p.create_buckets) {
            return false;
        }
        command.resources().iter().all(|resource| match resource {
            Resource::Bucket(id) => self.reach(*id),
            Resource::Key(_) | Resource::Account(_) => false,
            Resource::Name(_) | Resource::Rights => true,
        })
    }
}

impl Denied {
    /// The code of the refusal.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Role(_) | Self::Scope(_) | Self::Buckets | Self::Token => "forbidden",
            Self::Suspended => "account_suspended",
            Self::Closing => "account_closing",
        }
    }

    /// The reason, for a person.
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::Role(who) => format!("Only {who} may do this. Nothing was changed."),
            Self::Scope(scope) => format!(
                "The API token has not the scope {scope}. Nothing was changed. Make one that has it \
                 (`storm token create NAME --scope {scope}`)."
            ),
            Self::Buckets => "The API token is for certain buckets, and this is not about them alone. Nothing was \
                              changed. Take a token for the whole account."
                .to_owned(),
            Self::Token => "No API token may do this. Nothing was changed. Sign in and do it in the dashboard.".to_owned(),
            Self::Suspended => "The account is suspended. Nothing was changed. GET /api/v1/account says why; whoever runs \
                                this platform can resume it."
                .to_owned(),
            Self::Closing => "The account is being closed. Nothing was changed. GET /api/v1/account says until when \
                              that can be cancelled."
                .to_owned(),
        }
    }
}
