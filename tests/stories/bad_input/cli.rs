//! `storm`.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use e2e::harness::{cli::Cli, garage_program, ports::free_port, program, stack::Stack, up::Up};
use serde_json::{Value, json};

use super::{refused, refused_in_a_line};

const NO_ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const NO_KEY: &str = "GK00112233445566778899aabb";
const NO_BUCKET: &str = "abababababababababababababababababababababababababababababababab";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_makes_nothing() -> Result<()> {
    let stack = Stack::single().await?;
    let home = tempfile::tempdir()?;
    let config = home.path().join("config.toml");
    let cli = Cli::new(&config, home.path());
    let url = stack.server.web_url.as_str();
    let token = stack.api.token();

    let list = ["bucket", "list"];
    refused_in_a_line(home.path(), cli.command(&list)?, &["storm login"]).await?;
    let login = |token: &str| cli.command(&["login", "--url", url, "--token", token]);
    for wrong in ["sbt_wrong", "wrong"] {
        refused_in_a_line(home.path(), login(wrong)?, &["token", "storm login"]).await?;
    }
    let clear = ["login", "--url", "http://storm.example", "--token", token];
    refused_in_a_line(home.path(), cli.command(&clear)?, &["https"]).await?;
    let other = "00".repeat(32);
    let root = [
        "login",
        "--url",
        url,
        "--token",
        token,
        "--root-key",
        &other,
    ];
    refused(home.path(), cli.command(&root)?, &["root key"]).await?;
    ensure!(!config.exists(), "a failed login left a configuration");
    cli.text(&["login", "--url", url, "--token", token])?;

    let cases: &[(&[&str], &[&str])] = &[
        (&["bucket", "create", "Photos"], &["Photos"]),
        (&["bucket", "create", "ab"], &["ab"]),
        (&["bucket", "create", "10.0.0.1"], &["10.0.0.1"]),
        (
            &["bucket", "create", "photos", "--quota", "10XB"],
            &["--quota", "10XB"],
        ),
        (
            &["bucket", "create", "photos", "--quota", "0"],
            &["--quota"],
        ),
        (
            &["bucket", "create", "photos", "--quota", "-5"],
            &["'-5'", "--quota", "10GB"],
        ),
        (&["bucket", "create", "photos", "--fast"], &["--fast"]),
        (
            &["bucket", "create", "photos", "--region", "nowhere"],
            &["region nowhere", "storm region list"],
        ),
        (
            &["region", "health", "nowhere"],
            &["region nowhere", "storm region list"],
        ),
        (
            &["bucket", "show", "nothing"],
            &["bucket nothing", "storm bucket list"],
        ),
        (
            &["bucket", "show", NO_BUCKET],
            &[NO_BUCKET, "storm bucket list"],
        ),
        (&["key", "show", NO_KEY], &[NO_KEY, "storm key list"]),
        (&["op", "show", NO_ID], &[NO_ID, "storm op list"]),
        (&["op", "cancel", NO_ID], &[NO_ID, "storm op list"]),
        (
            &["token", "delete", NO_ID, "--yes"],
            &[NO_ID, "storm token list"],
        ),
        (
            &["key", "create", "label", "--expires", "2020-01-01"],
            &["--expires", "2020-01-01", "passed"],
        ),
        (
            &["token", "create", "label", "--expires", "2020-01-01"],
            &["--expires", "passed"],
        ),
        (
            &["key", "create", "label", "--expires", "yesterday"],
            &["--expires", "yesterday"],
        ),
        (&["key", "create", "a/b"], &["a/b"]),
        (&["grant", "set", "nokey", "nobucket", "--read"], &["no"]),
        (
            &["env", "photos", "--format", "abacus"],
            &["--format", "abacus"],
        ),
        (
            &["login", "--url", "buckets.example.org"],
            &["--url", "https://HOST"],
        ),
        (&["op", "show", "not-an-id"], &["not-an-id"]),
        (&["nonsense"], &["nonsense"]),
    ];
    for (arguments, words) in cases {
        refused(home.path(), cli.command(arguments)?, words).await?;
    }
    let line = ["bucket", "create", "photos", "--quota", "-5", "--json"];
    let said = cli.run(&line)?.stderr;
    let problem: Value = serde_json::from_slice(&said)?;
    ensure!(problem["error"]["code"] == "usage", "{problem}");
    // Not even root makes files below /proc, though it may write there.
    for place in ["/nowhere/file", "/proc/file"] {
        let unwritable = ["bucket", "create", "photos", "--save-to", place];
        refused_in_a_line(home.path(), cli.command(&unwritable)?, &[place]).await?;
        let unwritable = ["key", "create", "label", "--save-to", place];
        refused_in_a_line(home.path(), cli.command(&unwritable)?, &[place]).await?;
    }
    let waiting = cli.json(&["op", "resume"])?;
    ensure!(waiting == json!([]), "left to be finished: {waiting}");
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.buckets.is_empty() && contents.keys.is_empty(),
        "{contents:?}"
    );

    cli.text(&["bucket", "create", "photos"])?;
    let taken = cli.command(&["bucket", "create", "photos", "--key-label", "again"])?;
    refused_in_a_line(home.path(), taken, &["taken"]).await?;
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.buckets.len() == 1 && contents.keys.len() == 1,
        "{contents:?}"
    );

    // With a second region a name is needed, and which there are is said.
    stack.api.create_region("second", url).await?;
    for line in [
        &["bucket", "create", "films"][..],
        &["key", "create", "label"],
        &["agent", "enrol-token", "create"],
    ] {
        let words = ["--region home", "second"];
        refused_in_a_line(home.path(), cli.command(line)?, &words).await?;
    }
    let words = ["storm region ping home", "second"];
    refused_in_a_line(home.path(), cli.command(&["region", "ping"])?, &words).await?;

    fs::set_permissions(&config, Permissions::from_mode(0o644))?;
    refused_in_a_line(
        home.path(),
        cli.command(&list)?,
        &["config.toml", "chmod 600"],
    )
    .await?;
    fs::set_permissions(&config, Permissions::from_mode(0o600))?;
    let text = fs::read_to_string(&config)?;
    fs::write(&config, format!("colour = 1\n{text}"))?;
    let said = refused(home.path(), cli.command(&list)?, &["colour"]).await?;
    ensure!(!said.contains(token), "the token is shown: {said}");
    let nobody = format!("http://127.0.0.1:{}", free_port()?);
    fs::write(&config, text.replace(url, &nobody))?;
    refused_in_a_line(home.path(), cli.command(&list)?, &[&nobody]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_that_cannot_start_leaves_nothing() -> Result<()> {
    let home = tempfile::tempdir()?;
    let data = home.path().join("data");
    let up = |arguments: &[&str]| -> Result<Command> {
        let mut command = Command::new(program("storm")?);
        command.arg("up").arg("--data").arg(&data).args(arguments);
        command
            .env("HOME", home.path())
            .env("STORM_GARAGE", garage_program()?);
        command
            .env_remove("STORM_CONFIG")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("STORM_ADMIN_EMAIL")
            .env_remove("STORM_ADMIN_PASSWORD");
        Ok(command)
    };
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    for flag in ["--web-port", "--hub-port", "--s3-port", "--rpc-port"] {
        refused_in_a_line(home.path(), up(&[flag, &port])?, &[flag, &port]).await?;
    }
    refused(home.path(), up(&["--web-port", "99999"])?, &["99999"]).await?;
    let garage = ["--garage", "/nowhere/garage"];
    refused_in_a_line(home.path(), up(&garage)?, &["/nowhere/garage", "--garage"]).await?;
    let old = home.path().join("old-garage");
    fs::write(&old, "#!/bin/sh\necho 'garage v1.0.1 [features: k2v]'\n")?;
    fs::set_permissions(&old, Permissions::from_mode(0o755))?;
    let mut aged = up(&[])?;
    aged.env("STORM_GARAGE", &old);
    refused_in_a_line(home.path(), aged, &["1.0.1", "2.3"]).await?;
    let ready = ["--ready-file", "/nowhere/ready.json"];
    refused_in_a_line(
        home.path(),
        up(&ready)?,
        &["--ready-file", "/nowhere/ready.json"],
    )
    .await?;
    for (variable, value) in [
        ("STORM_ADMIN_EMAIL", "nobody"),
        ("STORM_ADMIN_PASSWORD", "short"),
    ] {
        let mut command = up(&[])?;
        command.env(variable, value);
        refused_in_a_line(home.path(), command, &[variable]).await?;
    }
    let foreign = home.path().join("foreign");
    fs::create_dir(&foreign)?;
    fs::write(foreign.join("thesis.txt"), "mine")?;
    let foreign_path = foreign.to_string_lossy();
    let mut command = Command::new(program("storm")?);
    command.args(["up", "--data", &foreign_path]);
    command.env("STORM_GARAGE", garage_program()?);
    let words = ["thesis.txt", "--data", &*foreign_path];
    refused_in_a_line(home.path(), command, &words).await?;
    ensure!(files(&foreign)? == [foreign.join("thesis.txt")]);
    // Nothing but perhaps a lock and empty directories, and the next start is a first start.
    drop(taken);
    let left = if data.exists() { files(&data)? } else { vec![] };
    ensure!(
        left.iter().all(|path| *path == data.join("lock")),
        "{left:?} was left"
    );
    let up = Up::start(&data).await?;
    ensure!(up.ready.admin_password.is_some(), "it was no first start");
    let mode = fs::metadata(&data)?.permissions().mode() & 0o777;
    ensure!(mode == 0o700, "the data directory has mode {mode:o}");
    up.stop().await
}

/// All files below a directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
