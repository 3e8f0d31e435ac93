//! `storm-buckets`.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
};

use anyhow::{Result, ensure};
use e2e::harness::{server::Server, small_disk::SmallDisk};
use serde_json::json;

use super::{refused, refused_in_a_line};

fn edited(server: &Server, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(&server.config)?;
    ensure!(text.contains(from), "{from:?} does not stand in {text}");
    Ok(fs::write(&server.config, text.replace(from, to))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_named() -> Result<()> {
    let home = tempfile::tempdir()?;
    let cases: &[(&str, &str, &[&str])] = &[
        ("[log]", "[logs]", &["config.toml", "logs"]),
        (
            "format = \"text\"",
            "format = \"loud\"",
            &["config.toml", "loud"],
        ),
        (
            "data_dir = \"",
            "data_dir = \"not/absolute",
            &["data_dir", "absolute"],
        ),
        (
            "[web]\nlisten = \"127",
            "[web]\nlisten = \"nowhere:x\" # \"",
            &["config.toml"],
        ),
        (
            "public_url = \"http://127.0.0.1:",
            "public_url = \"http://storm.example:",
            &["public_url", "https"],
        ),
        (
            "public_url = \"https://",
            "public_url = \"ftp://",
            &["public_url", "https"],
        ),
    ];
    for (number, (from, to, words)) in cases.iter().enumerate() {
        let server = Server::prepare(&home.path().join(number.to_string()))?;
        edited(&server, from, to)?;
        for arguments in [&["serve"][..], &["config", "check"]] {
            refused_in_a_line(home.path(), server.command(arguments)?, words).await?;
        }
        ensure!(
            !server.data().exists(),
            "a wrong configuration left something behind"
        );
    }
    let server = Server::prepare(&home.path().join("absent"))?;
    fs::remove_file(&server.config)?;
    refused_in_a_line(
        home.path(),
        server.command(&["serve"])?,
        &["config.toml", "--config"],
    )
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_words_on_the_command_line_are_named() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(home.path())?;
    refused(
        home.path(),
        server.command(&["serve", "--fast"])?,
        &["--fast"],
    )
    .await?;
    refused(
        home.path(),
        server.command(&["trust", "add-offline-key", "short"])?,
        &["short"],
    )
    .await?;
    let first = ["trust", "show"];
    refused_in_a_line(
        home.path(),
        server.command(&first)?,
        &["serve", "first start"],
    )
    .await?;
    let reset = ["user", "reset-password", "nobody@example.org"];
    refused_in_a_line(
        home.path(),
        server.command(&reset)?,
        &["serve", "first start"],
    )
    .await?;
    server.start().await?;
    server.stop().await?;
    refused_in_a_line(
        home.path(),
        server.command(&reset)?,
        &["nobody@example.org"],
    )
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occupied_port_leaves_no_trace() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(home.path())?;
    for (url, key) in [(&server.web_url, "[web]"), (&server.hub_url, "[hub]")] {
        let address = url.rsplit('/').next().unwrap_or_default();
        let _taken = TcpListener::bind(address)?;
        refused_in_a_line(home.path(), server.command(&["serve"])?, &[address, key]).await?;
        ensure!(!server.data().exists(), "something was left behind");
    }
    server.start().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_is_refused() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(home.path())?;
    server.start().await?;
    server.stop().await?;
    for name in ["dispatch.key", "ca.key"] {
        let key = server.data().join("keys").join(name);
        fs::set_permissions(&key, Permissions::from_mode(0o644))?;
        let said = refused(home.path(), server.command(&["serve"])?, &[name, "chmod"]).await?;
        ensure!(said.contains("600"), "{said}");
        fs::set_permissions(&key, Permissions::from_mode(0o600))?;
    }
    let root = server.data().join("keys/root.key");
    fs::set_permissions(&root, Permissions::from_mode(0o644))?;
    let key = storm_protocol::encoding::encode(&[7; 32]);
    let add = server.command(&["trust", "add-offline-key", &key])?;
    refused(home.path(), add, &["root.key", "chmod"]).await?;
    fs::set_permissions(&root, Permissions::from_mode(0o600))?;
    // Mended, all is as before.
    server.start().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_a_start_that_can_be_repeated() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can mount a disk that is full");
        return Ok(());
    }
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(home.path())?;
    let disk = SmallDisk::mount(&server.data())?;
    disk.fill();
    let said = refused(home.path(), server.command(&["serve"])?, &[]).await?;
    let data = server.data().display().to_string();
    ensure!(
        said.contains(&data) && said.to_lowercase().contains("space"),
        "{said}"
    );
    disk.empty()?;
    server.start().await?;
    server.api().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_under_a_running_control_plane_is_named() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can mount a disk that is full");
        return Ok(());
    }
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(home.path())?;
    let disk = SmallDisk::mount(&server.data())?;
    server.start().await?;
    let api = server.api().await?;
    disk.fill();
    let region = json!({
        "name": "home", "s3_endpoint": "http://127.0.0.1:3900", "s3_region": "garage",
        "website_domain": null,
    });
    let answer = api.post("/regions", &region).await?;
    let words = answer.body["error"]["message"].as_str().unwrap_or_default();
    ensure!(
        answer.status.as_u16() == 507 && answer.code() == "disk_full",
        "{answer:?}"
    );
    ensure!(
        words.contains("disk is full") && words.contains("Nothing was changed"),
        "{words}"
    );
    disk.empty()?;
    let answer = api.post("/regions", &region).await?;
    ensure!(answer.status.is_success(), "{answer:?}");
    server.stop().await
}
