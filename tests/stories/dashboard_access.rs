//! The dashboard's pages of who opens what, and of a bucket's files, against everything that `storm up`
//! starts.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{browser::play, cli::Cli, up::Up, wait::until};
use serde_json::{Value, json};

/// A letter for each right, as the page writes them.
fn letters(cli: &Cli, bucket: &str, label: &str) -> Result<String> {
    let grants = cli.json(&["grant", "list", bucket])?;
    let grants = grants.as_array().context("no list")?;
    let Some(grant) = grants.iter().find(|grant| grant["label"] == label) else {
        return Ok(String::new());
    };
    let rights = [("read", 'r'), ("write", 'w'), ("owner", 'o')];
    Ok(rights
        .iter()
        .filter(|(right, _)| grant[right] == true)
        .map(|(_, letter)| *letter)
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_changed_on_the_page_and_so_in_the_storage() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-access-").tempdir()?;
    let up = Up::start(&directory.path().join("data")).await?;
    let cli = up.cli();
    for bucket in ["photos", "films"] {
        cli.json(&["bucket", "create", bucket])?;
    }
    for (label, tier) in [("curator", "read-write"), ("reader", "read-only")] {
        let made = ["key", "create", label, "--bucket", "photos", "--tier", tier];
        cli.json(&made)?;
    }
    let given = json!({
        "dashboard_url": up.ready.dashboard_url,
        "email": up.ready.admin_email,
        "password": up.ready.admin_password,
    });
    // A sweep that began before a command may still show what was before it, until the next one.
    let open_what = async |reader: &str, curator: &str| {
        until("the rights on films and photos", async || {
            let films = letters(&cli, "films", "reader")?;
            let photos = letters(&cli, "photos", "curator")?;
            ensure!(
                films == reader && photos == curator,
                "{films:?}, {photos:?}"
            );
            Ok(Some(()))
        })
        .await
    };
    open_what("", "rw").await?;
    play("who_opens_what", given, async |ask, _| {
        match ask {
            "unchanged" => open_what("", "rw").await?,
            "changed" => open_what("rw", "r").await?,
            "take" => {
                let id = key_called(&cli, "reader")?.context("no reader")?;
                cli.text(&["--yes", "grant", "remove", &id, "films"])?;
            }
            other => anyhow::bail!("{other}?"),
        }
        Ok(Value::Null)
    })
    .await?;
    up.stop().await
}

fn key_called(cli: &Cli, label: &str) -> Result<Option<String>> {
    let keys = cli.json(&["key", "list"])?;
    let keys = keys.as_array().context("no list")?;
    let found = keys.iter().find(|key| key["label"] == label);
    Ok(found.and_then(|key| key["id"].as_str()).map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_straight_between_the_page_and_the_storage() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-files-").tempdir()?;
    let up = Up::start(&directory.path().join("data")).await?;
    let cli = up.cli();
    cli.json(&["bucket", "create", "harbour"])?;
    let bucket = cli.json(&["bucket", "show", "harbour"])?;
    let given = json!({
        "dashboard_url": up.ready.dashboard_url,
        "allowed_origins": [up.ready.s3_endpoint],
        "email": up.ready.admin_email,
        "password": up.ready.admin_password,
        "bucket": bucket["id"],
    });
    play("files", given, async |ask, with| {
        match ask {
            "key" => {
                let there = with["there"] == true;
                let is_so = async || {
                    let found = key_called(&cli, "temporary")?.is_some();
                    Ok((found == there).then_some(()))
                };
                until("the temporary key", is_so).await?;
            }
            "object" => {
                let measured = async || {
                    let bucket = cli.json(&["bucket", "show", "harbour"])?;
                    let is_there = bucket["objects"] == 1 && bucket["bytes"] == with["bytes"];
                    Ok(is_there.then_some(()))
                };
                until("the object", measured).await?;
            }
            other => anyhow::bail!("{other}?"),
        }
        Ok(Value::Null)
    })
    .await?;
    up.stop().await
}
