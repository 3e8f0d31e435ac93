//! A newcomer's first minutes: `storm up`, a bucket from the command line, the tools that everybody
//! uses, and everything still there after Ctrl-C and another start.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::Api,
    process::{is_running, signal_id},
    program,
    tools::{Tools, succeed},
    up::Up,
    wait,
};
use rustix::process::Signal;
use serde_json::Value;

use crate::printed_configurations;

const FILE_BYTES: usize = 50_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_bucket_and_back_after_a_restart() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-up-").tempdir()?;
    let data = directory.path().join("data");
    let up = Up::start(&data).await?;
    let email = up
        .ready
        .admin_email
        .as_deref()
        .context("no e-mail at the first start")?;
    let password = up
        .ready
        .admin_password
        .as_deref()
        .context("no password at the first start")?;
    ensure!(up.output().contains(password), "the password is not shown");
    let to_paste = [
        format!("export STORM_CONFIG={}", up.ready.cli_config.display()),
        format!(
            "export PATH={}:$PATH",
            program("storm")?
                .parent()
                .context("no directory")?
                .display()
        ),
    ];
    for line in &to_paste {
        ensure!(
            up.output().contains(line),
            "{line} is not shown: {}",
            up.output()
        );
    }
    Api::sign_in(&up.ready.dashboard_url, email, password).await?;

    let made = up
        .cli()
        .json(&["bucket", "create", "photos", "--quota", "60MB"])?;
    let tools = tools(&up, directory.path(), &made)?;
    move_bytes(&tools, directory.path())?;
    refuse_more_than_the_quota(&tools, directory.path())?;
    printed_configurations::use_each(&up.cli(), &tools, directory.path())?;

    let (ports, token) = (up.ready.clone(), fs::read_to_string(&up.ready.cli_config)?);
    up.stop().await?;

    let up = Up::start(&data).await?;
    ensure!(up.ready.admin_password.is_none(), "a second first start");
    ensure!(up.ready.api_url == ports.api_url && up.ready.s3_endpoint == ports.s3_endpoint);
    ensure!(
        fs::read_to_string(&up.ready.cli_config)? == token,
        "another configuration"
    );
    let listing = succeed(tools.aws()?.args(["s3", "ls", "s3://photos"]))?;
    ensure!(
        listing.contains(&format!("{FILE_BYTES} large.bin")),
        "{listing}"
    );
    let buckets = up.cli().json(&["bucket", "list"])?;
    ensure!(buckets.to_string().contains("photos"), "{buckets}");
    up.cli().json(&["bucket", "create", "films"])?;
    up.cli().text(&["audit", "verify"])?;
    up.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dies_is_started_again() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-up-").tempdir()?;
    let up = Up::start(&directory.path().join("data")).await?;
    for id in [
        up.ready.pids.agent,
        up.ready.pids.server,
        up.ready.pids.garage,
    ] {
        signal_id(id, Signal::KILL)?;
        wait::until("the process to be gone", async || {
            Ok((!is_running(id)).then_some(()))
        })
        .await?;
    }
    let cli = up.cli();
    let mut number = 0;
    wait::until("commands to work again", async || {
        number += 1;
        let name = format!("after-{number}");
        Ok(cli
            .run(&["bucket", "create", &name, "--no-key"])?
            .status
            .success()
            .then_some(()))
    })
    .await?;
    up.stop().await
}

fn tools(up: &Up, directory: &Path, made: &Value) -> Result<Tools> {
    let id = made["access_key_id"].as_str().context("no access_key_id")?;
    let secret = made["secret_access_key"]
        .as_str()
        .context("no secret_access_key")?;
    Tools::new(directory, &up.ready.s3_endpoint, id, secret)
}

fn move_bytes(tools: &Tools, directory: &Path) -> Result<()> {
    let file = directory.join("large.bin");
    let bytes: Vec<u8> = (0..FILE_BYTES).map(|at| (at % 251) as u8).collect();
    fs::write(&file, &bytes)?;
    let mut copy = tools.rclone()?;
    copy.arg("copy").arg(&file).arg("storm:photos");
    copy.args([
        "--s3-chunk-size",
        "8M",
        "--s3-upload-cutoff",
        "8M",
        "--s3-no-check-bucket",
    ]);
    succeed(&mut copy)?;
    let listing = succeed(tools.aws()?.args(["s3", "ls", "s3://photos"]))?;
    ensure!(
        listing.contains(&format!("{FILE_BYTES} large.bin")),
        "{listing}"
    );

    let presigned = succeed(
        tools
            .aws()?
            .args(["s3", "presign", "s3://photos/large.bin"]),
    )?;
    let fetched = directory.join("fetched.bin");
    succeed(
        tools
            .curl()?
            .arg("--fail")
            .arg("--output")
            .arg(&fetched)
            .arg(presigned.trim()),
    )?;
    ensure!(fs::read(&fetched)? == bytes, "other bytes come back");
    let listing = succeed(tools.s3cmd()?.args(["ls", "s3://photos"]))?;
    ensure!(listing.contains("large.bin"), "{listing}");
    Ok(())
}

fn refuse_more_than_the_quota(tools: &Tools, directory: &Path) -> Result<()> {
    let file = directory.join("more.bin");
    fs::write(&file, vec![1; 20_000_000])?;
    let status = tools.status("PUT", "photos/more.bin", Some(&file))?;
    ensure!(status == 403, "20 MB more than the quota answered {status}");
    fs::write(&file, vec![1; 1000])?;
    let status = tools.status("PUT", "photos/less.bin", Some(&file))?;
    ensure!(status == 200, "1 kB within the quota answered {status}");
    Ok(())
}
