//! Requests over time, as the proxies before the storage logged them.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::{frame::MethodClass, ident::Micros};

/// How long a step of a count is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RequestsStep {
    /// An hour; kept for 90 days.
    Hour,
    /// A day, UTC; kept for ever.
    Day,
}

impl RequestsStep {
    /// Its seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3600,
            Self::Day => 24 * 3600,
        }
    }
}

api_types! {
    /// Requests to a bucket over time.
    RequestsPage {
        /// Whether requests are counted in its region at all, which needs a proxy's access log. Where
        /// they are not, there are no points, and that says nothing.
        configured: bool,
        /// The counts, oldest first; a step without requests has none.
        points: Vec<RequestsPoint>,
    }

    /// Requests of one kind in one step.
    RequestsPoint {
        /// When the step begins.
        at: Micros,
        /// What they did.
        method: MethodClass,
        /// The hundreds of their HTTP status: 1 to 5.
        status: u8,
        /// How many.
        requests: u64,
        /// Bytes that came in their bodies; nginx's combined format does not tell them.
        received_bytes: u64,
        /// Bytes that were sent in answer.
        sent_bytes: u64,
    }
}
