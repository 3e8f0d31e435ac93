//! Use over time, for charts and for bills.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::ident::{AccountId, BucketId, BucketName, Micros, Month, RegionName};

api_types! {
    /// Use over time.
    Usage {
        /// Seconds from one point to the next; 0: a point for each change.
        step_seconds: u32,
        /// The points, oldest first.
        points: Vec<UsagePoint>,
        /// Whether the points count requests, which needs a proxy's access log and hours or days.
        has_requests: bool,
    }

    /// Use in one step.
    UsagePoint {
        /// When the step begins.
        at: Micros,
        /// Bytes in whole objects at the step's end.
        bytes: u64,
        /// Objects at the step's end.
        objects: u64,
        /// Bytes in unfinished uploads at the step's end.
        unfinished_bytes: u64,
        /// The most bytes at any time in the step, unfinished uploads included.
        peak_bytes: u64,
        /// Bytes times hours, unfinished uploads included, rounded down in each hour.
        byte_hours: u64,
        /// Requests; absent where none are counted.
        requests: Option<u64>,
        /// Bytes that were sent; absent where none are counted.
        sent_bytes: Option<u64>,
    }

    /// A month's use for billing: an account's buckets, then the account as a whole.
    UsageExport {
        /// The month.
        month: Month,
        /// The account.
        account: AccountId,
        /// Whether the month has ended; figures of one that has not still grow.
        complete: bool,
        /// One row a bucket that was there in the month, by region and id.
        buckets: Vec<UsageRow>,
        /// The whole account.
        total: UsageRow,
    }

    /// A month's use of one bucket, or of an account.
    UsageRow {
        /// The bucket; absent for the account.
        bucket: Option<BucketId>,
        /// Its region; absent for the account.
        region: Option<RegionName>,
        /// Its last name; absent for the account.
        name: Option<BucketName>,
        /// Bytes times hours, unfinished uploads included, rounded down in each hour.
        byte_hours: u64,
        /// The most bytes at any time.
        peak_bytes: u64,
        /// Requests; absent where none are counted.
        requests: Option<u64>,
        /// Bytes that were sent; absent where none are counted.
        sent_bytes: Option<u64>,
    }
}
