//! Enrolment tokens: each lets one agent in. Only their hashes are here.

use crate::store::sql::Record;
use sqlx::Row;
use storm_protocol::{
    api::EnrolTokenInfo,
    ident::{Digest, EnrolTokenId, Micros, RegionName, UserId},
};

use super::{Durability, Result, Store, parsed, parsed_option};

const TABLE: &str = "enrol_tokens";

impl Store {
    /// Writes a new token down. `hash` is [`storm_protocol::trust::EnrolToken::hash`].
    pub async fn create_enrol_token(
        &self,
        token: &EnrolTokenInfo,
        hash: Digest,
        created_by: UserId,
    ) -> Result<()> {
        let mut transaction = self.write(Durability::Machine).await?;
        sqlx::query(
            "INSERT INTO enrol_tokens (id, hash, region, created_by, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(token.id.to_string())
        .bind(hash.to_string())
        .bind(token.region.as_str())
        .bind(created_by.to_string())
        .bind(token.created_at.0)
        .bind(token.expires_at.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The tokens older than the one called `before`, newest first, at most `limit`.
    pub async fn enrol_tokens(&self, before: &str, limit: i64) -> Result<Vec<EnrolTokenInfo>> {
        let rows = sqlx::query(
            "SELECT id, region, created_at, expires_at, agent FROM enrol_tokens WHERE id < $1 \
             ORDER BY id DESC LIMIT $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_token).collect()
    }

    /// Whether there is such a token at all: keeps strangers from filling the signer's queue.
    pub async fn knows_enrol_token(&self, hash: Digest) -> Result<bool> {
        let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM enrol_tokens WHERE hash = $1")
            .bind(hash.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(known.is_some())
    }
}

fn read_token(row: &Record) -> Result<EnrolTokenInfo> {
    let region: RegionName = parsed(TABLE, row.try_get("region")?)?;
    let id: EnrolTokenId = parsed(TABLE, row.try_get("id")?)?;
    Ok(EnrolTokenInfo {
        id,
        region,
        created_at: Micros(row.try_get("created_at")?),
        expires_at: Micros(row.try_get("expires_at")?),
        agent: parsed_option(TABLE, row.try_get("agent")?)?,
    })
}
