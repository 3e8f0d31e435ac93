//! How much waits, for whoever watches over the platform: counts and ages, nobody's names.

use std::time::Duration;

use sqlx::Row as _;
use storm_protocol::ident::Micros;

use super::{Result, Store, sql::Record};

/// What waits at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Operations that have not ended.
    pub(crate) operations: Vec<Waiting>,
    /// All regions.
    pub(crate) regions: Vec<Region>,
    /// E-mails that are queued.
    pub(crate) mails: i64,
    /// The age of the oldest.
    pub(crate) oldest_mail: Duration,
}

/// Operations in one state.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// The state.
    pub(crate) state: String,
    /// How many.
    pub(crate) count: i64,
    /// The age of the oldest.
    pub(crate) oldest: Duration,
}

/// A region's agents.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    /// The region.
    pub(crate) name: String,
    /// Its agents that were not removed.
    pub(crate) agents: i64,
    /// Those of them that are connected.
    pub(crate) connected: i64,
}

/// Each part has an index that holds only what has not ended.
const OPERATIONS: &str = "SELECT state, COUNT(*) AS number, MIN(requested_at) AS oldest FROM operations \
     WHERE state IN ('requested', 'signed', 'sent', 'accepted') GROUP BY state \
     UNION ALL SELECT state, COUNT(*), MIN(requested_at) FROM operations \
     WHERE state IN ('sent', 'accepted', 'unknown') AND state = 'unknown' GROUP BY state";

const REGIONS: &str = "SELECT r.name, COUNT(a.id) AS agents, \
     CAST(COALESCE(SUM(a.connected), 0) AS BIGINT) AS connected \
     FROM regions r LEFT JOIN agents a ON a.region = r.name AND a.revoked_at IS NULL GROUP BY r.name";

const MAILS: &str =
    "SELECT COUNT(*) AS number, MIN(created_at) AS oldest FROM mails WHERE state = 'queued'";

impl Store {
    /// What waits now.
    pub(crate) async fn standing(&self, now: Micros) -> Result<Standing> {
        let mut reader = self.read().await?;
        let operations = sqlx::query(OPERATIONS).fetch_all(&mut *reader).await?;
        let regions = sqlx::query(REGIONS).fetch_all(&mut *reader).await?;
        let mails = sqlx::query(MAILS).fetch_one(&mut *reader).await?;
        let waiting = |row: &Record| {
            Ok(Waiting {
                state: row.try_get("state")?,
                count: row.try_get("number")?,
                oldest: age(row, now)?,
            })
        };
        let region = |row: &Record| {
            Ok(Region {
                name: row.try_get("name")?,
                agents: row.try_get("agents")?,
                connected: row.try_get("connected")?,
            })
        };
        Ok(Standing {
            operations: operations.iter().map(waiting).collect::<Result<_>>()?,
            regions: regions.iter().map(region).collect::<Result<_>>()?,
            mails: mails.try_get("number")?,
            oldest_mail: age(&mails, now)?,
        })
    }
}

fn age(row: &Record, now: Micros) -> Result<Duration> {
    let oldest: Option<i64> = row.try_get("oldest")?;
    let micros = now.0.saturating_sub(oldest.unwrap_or(now.0));
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}
