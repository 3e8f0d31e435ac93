//! The first start, by one process at a time: two signers that start at once on an empty database make one
//! set of keys and one operator.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};

use crate::store::Place;

/// The number of the lock: "set-up" in ASCII.
const LOCK: i64 = 0x0073_6574_2d75_7000;
/// Milliseconds between tries.
const TRY_MILLISECONDS: u64 = 100;

/// The right to set the database up, until dropped. `None`: a file has one process anyway.
pub(crate) async fn turn(place: &Place) -> anyhow::Result<Option<PgConnection>> {
    let Place::Server(url) = place else {
        return Ok(None);
    };
    let connecting = PgConnection::connect(url.expose_secret()).await;
    let mut connection = connecting.with_context(|| format!("{place} cannot be opened"))?;
    let mut said = false;
    loop {
        let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut connection)
            .await?;
        if free {
            return Ok(Some(connection));
        }
        if !said {
            said = true;
            tracing::info!("another process sets {place} up; this one waits");
        }
        tokio::time::sleep(Duration::from_millis(TRY_MILLISECONDS)).await;
    }
}
