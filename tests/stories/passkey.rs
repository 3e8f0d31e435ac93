//! A passkey in a real browser, whose authenticator is a virtual one.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use e2e::harness::{browser::play, mails::link_to, up::Up, wait};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use totp_rs::{Builder, Secret};

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
    play("passkey", given, async |ask, with| match ask {
        "link" => {
            let link = wait::until("the e-mail", async || {
                let link = link_to(&folder, &email)?;
                Ok(link.filter(|link| link.contains("/password#")))
            });
            Ok(json!(link.await?))
        }
        "code" => Ok(json!(code_of(&with)?)),
        "age" => age_proofs(&data.join("server").join("storm.db")).await,
        _ => bail!("{ask}?"),
    })
    .await?;
    up.stop().await
}

/// The code that an authenticator app shows now.
fn code_of(with: &Value) -> Result<String> {
    let secret = with["secret"].as_str().context("no secret")?;
    let app = Builder::new()
        .with_secret(Secret::try_from_base32(secret)?)
        .with_account_name("operator")
        .build()?;
    let now = u64::try_from(jiff::Timestamp::now().as_second())?;
    Ok(app.generate(now).to_string())
}

/// Nobody has proved lately who they are.
async fn age_proofs(database: &Path) -> Result<Value> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = options.connect().await?;
    sqlx::query("UPDATE sessions SET proved_at = 0")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(Value::Null)
}
