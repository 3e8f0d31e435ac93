//! What became of an account: suspended by whoever runs the platform, being closed, or closed.

use serde::{Deserialize, Serialize};

use super::api_types;

api_types! {
    /// Suspends an account.
    #[serde(deny_unknown_fields)]
    SuspendAccountRequest {
        /// Why, for its people: 1 to 500 characters.
        reason: String,
    }
}

/// What became of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It is as its people want it.
    Active,
    /// Its keys do not work and nothing of it changes, until an operator resumes it.
    Suspended,
    /// Its keys are deleted; its buckets are kept for some days, then cleared and deleted.
    Closing,
    /// Nothing is left of it but its name, its use and its receipts.
    Closed,
}

impl AccountState {
    /// As it stands in JSON, SQL and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }
}
