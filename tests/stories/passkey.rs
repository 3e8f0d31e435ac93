//! A passkey in a real browser, whose authenticator is a virtual one.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{browser::play, mails::link_to, up::Up, wait};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_made_and_used_in_a_browser() -> Result<()> {
    let directory = tempfile::Builder::new()
        .prefix("storm-passkey-")
        .tempdir()?;
    let data = directory.path().join("data");
    let up = Up::start(&data).await?;
    let email = up.ready.admin_email.clone().context("a first start")?;
    let given = json!({
        "dashboard_url": up.ready.dashboard_url,
        "email": email,
        "password": up.ready.admin_password,
    });
    let folder = data.join("server").join("mail");
    play("passkey", given, async |ask, _| {
        ensure!(ask == "link", "{ask}?");
        let link = wait::until("the e-mail", async || {
            let link = link_to(&folder, &email)?;
            Ok(link.filter(|link| link.contains("/password#")))
        })
        .await?;
        Ok(json!(link))
    })
    .await?;
    up.stop().await
}
