//! Hubs: which processes hold agents' sockets, and which of them holds whose. A hub is there as long as its
//! row is; who takes the row away takes its agents away from it in the same transaction.

use sqlx::Row as _;
use storm_protocol::ident::{AgentId, Micros, RegionName};
use tokio_util::sync::CancellationToken;

use super::{
    Durability, Result, Store, Writing, from_big, parsed, parsed_option,
    sql::Record,
    terms::{Fence, Holds, is_strange},
    to_big,
};

const TABLE: &str = "hubs";

/// A hub's sign of life, as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beat {
    /// The hub.
    pub(crate) hub: String,
    /// Where it listens.
    pub(crate) address: String,
    /// How often it has given one.
    pub(crate) count: u64,
}

/// What every hub has to know of a region, whichever of them changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegionMark {
    /// The region.
    pub(crate) region: RegionName,
    /// Its executor.
    pub(crate) executor: Option<AgentId>,
    /// Its executor epoch.
    pub(crate) epoch: u64,
    /// How many hints were given whose executor was at another hub.
    pub(crate) hints: u64,
}

impl Store {
    /// Writes a hub down that has just started. The store that comes back changes nothing once the row is
    /// gone, and cancels `ended` when it finds that. `None`: the database is another installation's.
    /// `alone`: no other process can be a hub here, so whoever was one is gone, and no row is needed that
    /// others would watch.
    pub(crate) async fn begin_hub(
        &self,
        hub: &str,
        address: &str,
        root_key: &str,
        alone: bool,
        now: Micros,
        ended: &CancellationToken,
    ) -> Result<Option<Self>> {
        let mut transaction = self.write(Durability::Process).await?;
        if is_strange(&mut transaction, root_key).await? {
            return Ok(None);
        }
        if alone {
            for table in ["DELETE FROM hubs", "DELETE FROM hub_agents"] {
                sqlx::query(table).execute(&mut *transaction).await?;
            }
        } else {
            sqlx::query("INSERT INTO hubs (id, address, beat, started_at) VALUES ($1, $2, 0, $3)")
                .bind(hub)
                .bind(address)
                .bind(now.0)
                .execute(&mut *transaction)
                .await?;
        }
        // Of a database that was copied or restored nobody's agents are known.
        sqlx::query(
            "UPDATE agents SET connected = 0 WHERE connected <> 0 \
             AND NOT EXISTS (SELECT 1 FROM hub_agents h WHERE h.agent = agents.id)",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let fence = (!alone).then(|| Fence::new("hub", Holds::Hub(hub.to_owned()), ended));
        Ok(Some(Self {
            fence,
            ..self.clone()
        }))
    }

    /// The hub is alive.
    pub(crate) async fn hub_beats(&self, hub: &str) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query("UPDATE hubs SET beat = beat + 1 WHERE id = $1")
            .bind(hub)
            .execute(&mut *change)
            .await?;
        change.commit().await
    }

    /// Every hub's last sign of life.
    pub(crate) async fn beats(&self) -> Result<Vec<Beat>> {
        let rows = sqlx::query("SELECT id, address, beat FROM hubs")
            .fetch_all(&mut *self.read().await?)
            .await?;
        let read = |row: &Record| {
            Ok(Beat {
                hub: row.try_get("id")?,
                address: row.try_get("address")?,
                count: from_big(TABLE, row.try_get("beat")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Takes a hub's row away, and its agents from it, if it still gives no other sign of life than this
    /// one. Answers with how many agents are away by that; `None`: it lives, or is gone already.
    pub(crate) async fn end_hub(&self, last: &Beat) -> Result<Option<u64>> {
        let mut transaction = self.write(Durability::Process).await?;
        let gone = sqlx::query("DELETE FROM hubs WHERE id = $1 AND beat = $2")
            .bind(&last.hub)
            .bind(to_big(last.count))
            .execute(&mut *transaction)
            .await?
            .rows_affected()
            > 0;
        if !gone {
            return Ok(None);
        }
        let away = let_go(&mut transaction, &last.hub).await?;
        transaction.commit().await?;
        Ok(Some(away))
    }

    /// A hub ends, by its own will.
    pub(crate) async fn hub_leaves(&self, hub: &str) -> Result<()> {
        let mut transaction = self.write(Durability::Process).await?;
        let_go(&mut transaction, hub).await?;
        sqlx::query("DELETE FROM hubs WHERE id = $1")
            .bind(hub)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// How many agents a hub holds.
    pub(crate) async fn count_held(&self, hub: &str) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM hub_agents WHERE hub = $1")
            .bind(hub)
            .fetch_one(&mut *self.read().await?)
            .await?;
        from_big("agents", count)
    }

    /// Which agents a hub holds.
    pub(crate) async fn held(&self, hub: &str) -> Result<Vec<AgentId>> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT agent FROM hub_agents WHERE hub = $1")
            .bind(hub)
            .fetch_all(&mut *self.read().await?)
            .await?;
        ids.iter().map(|id| parsed("agents", id)).collect()
    }

    /// What each region has come to.
    pub(crate) async fn region_marks(&self) -> Result<Vec<RegionMark>> {
        let rows = sqlx::query(
            "SELECT r.name, r.executor, r.epoch, COALESCE(h.hints, 0) AS hints FROM regions r \
             LEFT JOIN region_hints h ON h.region = r.name",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(RegionMark {
                region: parsed("regions", row.try_get("name")?)?,
                executor: parsed_option("regions", row.try_get("executor")?)?,
                epoch: from_big("regions", row.try_get("epoch")?)?,
                hints: from_big("regions", row.try_get("hints")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// A hint for the executor of a region, wherever it is.
    pub(crate) async fn hint_region(&self, region: &RegionName) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query(
            "INSERT INTO region_hints (region, hints) VALUES ($1, 1) \
             ON CONFLICT (region) DO UPDATE SET hints = region_hints.hints + 1",
        )
        .bind(region.as_str())
        .execute(&mut *change)
        .await?;
        change.commit().await
    }
}

/// Nobody of this hub is there any more. Answers with how many were.
async fn let_go(transaction: &mut Writing, hub: &str) -> Result<u64> {
    sqlx::query(
        "UPDATE agents SET connected = 0 WHERE id IN (SELECT agent FROM hub_agents WHERE hub = $1)",
    )
    .bind(hub)
    .execute(&mut **transaction)
    .await?;
    let gone = sqlx::query("DELETE FROM hub_agents WHERE hub = $1")
        .bind(hub)
        .execute(&mut **transaction)
        .await?;
    Ok(gone.rows_affected())
}
