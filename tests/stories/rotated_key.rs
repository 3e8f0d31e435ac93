//! What a person sees of a key that takes another one's place: its name and its end, at once, and in
//! Garage the same.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{cli::Cli, stack::Stack, tools::said};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_keeps_its_name_and_its_end() -> Result<()> {
    let stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;

    // Without a right there is nothing to use it for yet.
    let made = cli.run(&["key", "create", "laptop", "--expires", "30d"])?;
    ensure!(made.status.success(), "{}", said(&made));
    ensure!(said(&made).contains("storm grant set"), "{}", said(&made));
    let old = cli.json(&["key", "show", "laptop"])?;
    // Garage keeps whole milliseconds.
    let end = |key: &Value| key["expires_at"].as_i64().map(|at| at / 1000);
    let ends = end(&old).context("the key has no end")?;

    let id = old["id"].as_str().context("no id")?;
    let turned = cli.json(&["key", "rotate", id, "--grace", "1h"])?;
    ensure!(
        turned["label"] == "laptop" && end(&turned) == Some(ends),
        "{turned}"
    );
    let fresh = turned["access_key_id"].as_str().context("no key")?;
    let shown = cli.json(&["key", "show", fresh])?;
    ensure!(
        shown["label"] == "laptop" && end(&shown) == Some(ends),
        "{shown}"
    );
    let contents = stack.cluster.admin.contents().await?;
    let (new, old) = (contents.keys.get(fresh), contents.keys.get(id));
    let (new, old) = (new.context("no new key")?, old.context("no old key")?);
    ensure!(
        new.expiration > old.expiration && old.expiration.is_some(),
        "{new:?} {old:?}"
    );
    Ok(())
}
