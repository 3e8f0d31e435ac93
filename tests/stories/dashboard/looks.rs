//! Every page, as it looks and as it is read: in light and dark, on wide and narrow screens.

use anyhow::{Context as _, Result, bail};
use e2e::harness::browser::play;
use serde_json::json;

use super::House;

/// An account that has been here for a year.
const SEED: &str = include_str!("seed.sql");
/// The bucket with everything in it.
const BUCKET: &str = "media-originals";

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fit_to_be_seen_and_heard() -> Result<()> {
    let house = House::build().await?.filled(SEED).await?;
    // Agents of the seed that nobody started are noted as gone at the start of the control plane.
    house
        .execute("UPDATE agents SET connected = 1 WHERE region = 'falkenstein'")
        .await?;
    for words in [
        json!([
            "bucket", "create", "drafts", "--quota", "10GB", "--region", "local"
        ]),
        json!([
            "bucket",
            "create",
            "render-cache",
            "--no-key",
            "--region",
            "local"
        ]),
        json!(["bucket", "delete", "render-cache", "--yes"]),
    ] {
        house.storm(&words)?;
    }
    let listed = house.up.cli().json(&["bucket", "list"])?;
    let mut given = house.given();
    given["bucket"] = json!(id_of(&listed, BUCKET)?);
    play("looks", given, async |what, _| bail!("{what}?")).await?;
    Ok(())
}

fn id_of(listed: &serde_json::Value, name: &str) -> Result<String> {
    let items = listed.as_array().or_else(|| listed["items"].as_array());
    let found = items.and_then(|all| all.iter().find(|one| one["name"] == name));
    let id = found.and_then(|one| one["id"].as_str());
    Ok(id
        .with_context(|| format!("no bucket {name} in {listed}"))?
        .to_owned())
}
