//! The agent goes away and comes back while somebody looks.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{browser::play, tools::Tools};
use serde_json::Value;

use super::House;

const BUCKET: &str = "serves-on";

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_away_is_said_before_while_and_after() -> Result<()> {
    let house = House::build().await?;
    let tools = customer(&house)?;
    let object = format!("{BUCKET}/hello.txt");
    let file = house.directory.path().join("hello.txt");
    fs::write(&file, "hello\n")?;
    play("agent_away", house.given(), async |what, with| {
        match what {
            "storm" => return house.storm(&with),
            "agent away" => house.up.take_agent_away()?,
            "agent back" => house.up.bring_agent_back()?,
            "serves" => {
                let put = tools.status("PUT", &object, Some(&file))?;
                let get = tools.status("GET", &object, None)?;
                ensure!(put == 200 && get == 200, "PUT {put}, GET {get}");
            }
            _ => bail!("{what}?"),
        }
        Ok(Value::Null)
    })
    .await?;
    Ok(())
}

/// Somebody who stores things in a bucket of this house.
fn customer(house: &House) -> Result<Tools> {
    let made = house.up.cli().json(&["bucket", "create", BUCKET])?;
    let word = |name: &str| made[name].as_str().with_context(|| format!("no {name}"));
    let (id, secret) = (word("access_key_id")?, word("secret_access_key")?);
    Tools::new(
        house.directory.path(),
        &house.up.ready.s3_endpoint,
        id,
        secret,
    )
}
