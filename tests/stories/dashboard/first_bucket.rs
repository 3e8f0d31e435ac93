//! From nothing to a working client, with what the page gives.

use std::fs;

use anyhow::{Result, ensure};
use e2e::harness::{browser::play, tool, tools::succeed};
use serde_json::Value;

use super::{House, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_operator_is_led_to_the_first_upload() -> Result<()> {
    let house = House::build().await?;
    play("first_bucket", house.given(), async |what, with| {
        ensure!(what == "upload", "{what}?");
        upload(&house, &with).await.map(|()| Value::Null)
    })
    .await?;
    let buckets = house.up.cli().json(&["bucket", "list"])?;
    ensure!(buckets.to_string().contains("media-originals"), "{buckets}");
    house.up.stop().await
}

/// Does as the page says: the configuration into rclone's file, then the line below it.
async fn upload(house: &House, with: &Value) -> Result<()> {
    let home = house.directory.path().join("customer");
    let folder = home.join(".config/rclone");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("rclone.conf"), text(with, "configuration")?)?;
    fs::write(home.join("hello.txt"), "hello\n")?;
    let mut words = text(with, "command")?.split_whitespace();
    ensure!(words.next() == Some("rclone"), "{with}");
    let mut rclone = std::process::Command::new(tool("rclone")?);
    rclone
        .args(words)
        .current_dir(&home)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &home);
    succeed(&mut rclone).map(drop)
}
