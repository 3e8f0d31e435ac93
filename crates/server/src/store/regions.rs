//! Regions: the clusters that customers see.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api::{CreateRegionRequest, Region},
    ident::{AgentId, Micros, RegionName},
};

use super::{Durability, Result, Store, from_big, parsed, parsed_option};

const TABLE: &str = "regions";

macro_rules! region_select {
    () => {
        "SELECT r.name, r.s3_endpoint, r.s3_region, r.website_domain, r.executor, r.epoch, \
         COALESCE(a.connected, 0) AS connected, a.trouble, \
         CASE WHEN a.id IS NOT NULL AND a.seen_at IS NULL THEN 1 ELSE 0 END AS unstarted \
         FROM regions r LEFT JOIN agents a ON a.id = r.executor "
    };
}

impl Store {
    /// Makes a region; `false` when the name is taken.
    pub async fn create_region(&self, region: &CreateRegionRequest, now: Micros) -> Result<bool> {
        let mut transaction = self.write(Durability::Machine).await?;
        let made = sqlx::query(
            "INSERT INTO regions (name, s3_endpoint, s3_region, website_domain, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING",
        )
        .bind(region.name.as_str())
        .bind(&region.s3_endpoint)
        .bind(&region.s3_region)
        .bind(&region.website_domain)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        transaction.commit().await?;
        Ok(made)
    }

    /// One region.
    pub async fn region(&self, name: &RegionName) -> Result<Option<Region>> {
        let row = sqlx::query(concat!(region_select!(), "WHERE r.name = $1"))
            .bind(name.as_str())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        row.as_ref().map(read_region).transpose()
    }

    /// One region, and whether its executor has enrolled and never started.
    pub async fn region_to_ask(&self, name: &RegionName) -> Result<Option<(Region, bool)>> {
        let row = sqlx::query(concat!(region_select!(), "WHERE r.name = $1"))
            .bind(name.as_str())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        let read = |row: &Record| Ok((read_region(row)?, row.try_get::<i64, _>("unstarted")? != 0));
        row.as_ref().map(read).transpose()
    }

    /// The region that an agent is of.
    pub async fn region_of_agent(&self, agent: AgentId) -> Result<Option<Region>> {
        let row = sqlx::query(concat!(
            region_select!(),
            "WHERE r.name = (SELECT region FROM agents WHERE id = $1)"
        ))
        .bind(agent.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.as_ref().map(read_region).transpose()
    }

    /// The agent that executes for a region.
    pub async fn executor_of(&self, region: &RegionName) -> Result<Option<AgentId>> {
        let executor: Option<Option<String>> =
            sqlx::query_scalar("SELECT executor FROM regions WHERE name = $1")
                .bind(region.as_str())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        parsed_option(TABLE, executor.flatten().as_deref())
    }

    /// Every region, by name.
    pub async fn regions(&self) -> Result<Vec<Region>> {
        self.regions_after("", i64::MAX).await
    }

    /// The regions after `name`, by name, at most `limit`.
    pub async fn regions_after(&self, name: &str, limit: i64) -> Result<Vec<Region>> {
        let rows = sqlx::query(concat!(
            region_select!(),
            "WHERE r.name > $1 ORDER BY r.name LIMIT $2"
        ))
        .bind(name)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_region).collect()
    }

    /// The region, when there is exactly one.
    pub async fn only_region(&self) -> Result<Option<Region>> {
        let rows = sqlx::query(concat!(region_select!(), "ORDER BY r.name LIMIT 2"))
            .fetch_all(&mut *self.read().await?)
            .await?;
        match rows.as_slice() {
            [row] => Ok(Some(read_region(row)?)),
            _ => Ok(None),
        }
    }
}

fn read_region(row: &Record) -> Result<Region> {
    let connected: i64 = row.try_get("connected")?;
    Ok(Region {
        name: parsed(TABLE, row.try_get("name")?)?,
        s3_endpoint: row.try_get("s3_endpoint")?,
        s3_region: row.try_get("s3_region")?,
        website_domain: row.try_get("website_domain")?,
        executor: parsed_option(TABLE, row.try_get("executor")?)?,
        epoch: from_big(TABLE, row.try_get("epoch")?)?,
        connected: connected != 0,
        trouble: row.try_get("trouble")?,
    })
}
