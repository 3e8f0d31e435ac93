//! An account with ten thousand buckets.

use anyhow::{Result, ensure};
use e2e::harness::browser::play;

use super::House;

/// Rows of a region without agent, so that no sweep misses them in Garage.
const FILL: &str = "
    INSERT INTO regions (name, s3_endpoint, s3_region, created_at)
    VALUES ('warehouse', 'https://s3.warehouse.example.net', 'warehouse', 0);
    INSERT INTO buckets (id, region, account, name, aliases, bytes, objects, quota_bytes, created_at, seen_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    SELECT printf('%064x', i * 7919), 'warehouse', (SELECT id FROM accounts), printf('archive-%05d', i),
           json_array(printf('archive-%05d', i)), i * 1000000, i, 20000000000, 0,
           unixepoch() * 1000000 FROM n;";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_ten_thousand_buckets_is_quick() -> Result<()> {
    let house = House::build().await?.filled(FILL).await?;
    let times = play("many_buckets", house.given(), async |what, _| {
        anyhow::bail!("{what}?")
    })
    .await?;
    println!("milliseconds: {times}");
    ensure!(times["first_rows"].is_number(), "{times}");
    Ok(())
}
