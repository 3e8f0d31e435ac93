//! The dashboard in a real browser, against everything that `storm up` starts.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{browser::play, up::Up};
use serde_json::{Value, json};

/// What a script needs to sign in.
fn given(up: &Up) -> Value {
    json!({
        "dashboard_url": up.ready.dashboard_url,
        "email": up.ready.admin_email,
        "password": up.ready.admin_password,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_operator_is_led_to_the_first_bucket() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-page-").tempdir()?;
    let up = Up::start(&directory.path().join("data")).await?;
    let mut seen = None;
    play("first_bucket", given(&up), async |ask, with| {
        ensure!(ask == "look", "{ask}?");
        seen = with["url"].as_str().map(str::to_owned);
        Ok(Value::Null)
    })
    .await?;
    let seen = seen.context("the script did not say where it ended")?;
    ensure!(seen.ends_with("/start"), "{seen}");
    up.stop().await
}
