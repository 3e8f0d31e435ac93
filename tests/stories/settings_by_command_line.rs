//! The settings of buckets and the life of keys, as a person types them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{cli::Cli, stack::Stack, tools::said, wait};
use serde_json::Value;

/// How `storm` ends when a question is answered with no.
const NO: i32 = 1;
/// How it ends when the line is wrong.
const USAGE: i32 = 2;
/// How it ends when what is asked for cannot be, as things are.
const CONFLICT: i32 = 5;
/// A sweep comes once in 60 seconds at most.
const A_SWEEP_AND_MORE: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sets_everything() -> Result<()> {
    let stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;
    let made = cli.json(&["bucket", "create", "photos"])?;
    let key = made["access_key_id"].as_str().context("no key")?.to_owned();

    cli.text(&[
        "bucket",
        "set-cors",
        "photos",
        "--allow-origin",
        "https://*.example.org",
    ])?;
    let yes = cli.json(&[
        "bucket",
        "check-cors",
        "photos",
        "https://a.example.org",
        "put",
    ])?;
    ensure!(yes["allowed"] == true, "{yes}");
    let no = cli.run(&["bucket", "check-cors", "photos", "https://example.com"])?;
    ensure!(no.status.code() == Some(NO), "{}", said(&no));

    // A file as other tools have it, with something that Garage would drop.
    let file = home.join("rules.json");
    let path = file.to_str().context("a path")?;
    std::fs::write(
        &file,
        r#"{"Rules":[{"Status":"Enabled","Transitions":[]}]}"#,
    )?;
    let refused = cli.run(&["bucket", "set-lifecycle", "photos", path])?;
    ensure!(refused.status.code() == Some(USAGE), "{}", said(&refused));
    ensure!(said(&refused).contains("Transitions"), "{}", said(&refused));
    std::fs::write(
        &file,
        r#"{"Rules":[{"Status":"Enabled","Filter":{"Prefix":"logs/"},"Expiration":{"Days":30}}]}"#,
    )?;
    cli.text(&["bucket", "set-lifecycle", "photos", path])?;
    cli.text(&["bucket", "set-website", "photos", "--error", "404.html"])?;
    let settings = cli.json(&["bucket", "settings", "photos"])?;
    ensure!(
        settings["wanted"]["lifecycle"][0]["prefix"] == "logs/",
        "{settings}"
    );
    ensure!(
        settings["wanted"]["website"]["error_document"] == "404.html",
        "{settings}"
    );
    // A sweep that began before may tell what it read until the next one.
    wait::within(A_SWEEP_AND_MORE, "the website to be shown", async || {
        let bucket = cli.json(&["bucket", "show", "photos"])?;
        Ok((bucket["website"] == true).then_some(()))
    })
    .await?;
    cli.text(&["bucket", "set-website", "photos", "--off"])?;

    cli.text(&["bucket", "add-alias", "photos", "pictures"])?;
    cli.text(&["bucket", "remove-alias", "photos", "photos", "--yes"])?;
    let last = cli.run(&["bucket", "remove-alias", "pictures", "pictures", "--yes"])?;
    ensure!(last.status.code() == Some(CONFLICT), "{}", said(&last));
    ensure!(
        said(&last).contains("keeps its last name"),
        "{}",
        said(&last)
    );
    let cleaned = cli.text(&[
        "bucket",
        "cleanup-uploads",
        "pictures",
        "--older-than",
        "1h",
    ])?;
    ensure!(cleaned.contains("0 unfinished uploads"), "{cleaned}");

    let tiered = [
        "key",
        "create",
        "reader",
        "--bucket",
        "pictures",
        "--tier",
        "read-only",
    ];
    cli.text(&tiered)?;
    let reader = cli.json(&["key", "show", "reader"])?;
    let rights = &reader["grants"][0];
    ensure!(
        rights["read"] == true && rights["write"] == false,
        "{reader}"
    );
    cli.text(&["key", "rename", "reader", "old reader"])?;
    cli.text(&["key", "extend", "old reader", "30d"])?;
    let later = cli.json(&["key", "show", "old reader"])?;
    ensure!(later["expires_at"].is_i64(), "{later}");
    cli.text(&["key", "suspend", "old reader", "--yes"])?;
    let again = cli.run(&["key", "extend", "old reader", "never"])?;
    ensure!(again.status.code() == Some(CONFLICT), "{}", said(&again));
    ensure!(said(&again).contains("Resume it first"), "{}", said(&again));
    let listed = cli.text(&["key", "list"])?;
    ensure!(listed.contains("suspended"), "{listed}");
    cli.text(&["key", "resume", "old reader"])?;
    let resumed = cli.json(&["key", "show", "old reader"])?;
    ensure!(resumed["expires_at"] == later["expires_at"], "{resumed}");

    let temporary = cli.json(&["key", "temporary", "pictures", "--for", "10m"])?;
    ensure!(temporary["secret_access_key"].is_string(), "{temporary}");
    let long = cli.run(&["key", "temporary", "pictures", "--for", "13h"])?;
    ensure!(long.status.code() == Some(USAGE), "{}", said(&long));
    let fresh = cli.json(&["key", "revoke-leaked", &key, "--yes"])?;
    ensure!(
        fresh["previous"] == *key && fresh["label"] == "photos",
        "{fresh}"
    );
    let gone = cli.json(&["key", "list"])?;
    let ids: Vec<&Value> = gone
        .as_array()
        .context("no list")?
        .iter()
        .map(|key| &key["id"])
        .collect();
    ensure!(!ids.contains(&&Value::from(key.as_str())), "{gone}");
    cli.text(&["audit", "verify"])?;
    Ok(())
}
