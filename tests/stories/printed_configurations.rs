//! What `storm env` prints for a tool is what that tool takes: each that is installed uses it as it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    cli::Cli,
    tool,
    tools::{Tools, said, succeed},
};

/// The first version of the AWS CLI 1 and 2 that reads `endpoint_url` from its configuration.
const AWS_READS_ENDPOINT: [(u32, u32); 2] = [(1, 29), (2, 13)];

/// Saves a second key for the bucket `photos`, which holds `large.bin`, and has each tool list it.
pub(crate) fn use_each(cli: &Cli, tools: &Tools, directory: &Path) -> Result<()> {
    let saved = directory.join("saved.conf");
    let path = saved.to_str().context("the path is no text")?;
    let shown = cli.text(&[
        "key",
        "create",
        "second",
        "--save-to",
        path,
        "--grant",
        "photos:rw",
    ])?;
    let secret = fs::read_to_string(&saved)?;
    let secret = secret
        .lines()
        .find_map(|line| line.strip_prefix("secret_access_key = "));
    let secret = secret.context("the file holds no secret")?;
    ensure!(!shown.contains(secret), "a saved secret is shown");
    lists(
        tools.bare("rclone")?.arg("--config").arg(&saved),
        "lsf",
        "storm-photos:photos",
    )?;

    let printed = |format: &str| -> Result<(PathBuf, String)> {
        let line = ["env", "photos", "--format", format, "--profile-file", path];
        let text = cli.text(&line)?;
        ensure!(text.contains(secret), "{format} without the secret: {text}");
        let file = directory.join(format!("printed-{format}"));
        fs::write(&file, &text)?;
        Ok((file, text))
    };
    let (file, _) = printed("rclone")?;
    lists(
        tools.bare("rclone")?.arg("--config").arg(&file),
        "lsf",
        "storm-photos:photos",
    )?;

    let (file, _) = printed("aws")?;
    let mut aws = tools.bare("aws")?;
    aws.env("AWS_CONFIG_FILE", &file)
        .args(["--profile", "storm-photos"]);
    if !aws_reads_endpoint(tools)? {
        aws.args(["--endpoint-url", tools.endpoint()]);
    }
    lists(aws.arg("s3"), "ls", "s3://photos")?;

    let (file, _) = printed("s3cmd")?;
    lists(
        tools.bare("s3cmd")?.arg("--config").arg(&file),
        "ls",
        "s3://photos",
    )?;

    with_restic(tools, &printed("restic")?.0)?;
    with_boto3(tools, &printed("boto3")?.0)?;
    with_terraform(tools, &printed("terraform")?.0)
}

fn lists(command: &mut Command, verb: &str, place: &str) -> Result<()> {
    let listing = succeed(command.args([verb, place]))?;
    ensure!(listing.contains("large.bin"), "{command:?}: {listing}");
    Ok(())
}

/// Whether this AWS CLI finds the endpoint in its configuration; older ones want it on the line.
fn aws_reads_endpoint(tools: &Tools) -> Result<bool> {
    let output = tools.bare("aws")?.arg("--version").output()?;
    let text = said(&output);
    let numbers = text.strip_prefix("aws-cli/").unwrap_or_default();
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    Ok(AWS_READS_ENDPOINT
        .iter()
        .any(|(major, minor)| version.0 == *major && version.1 >= *minor))
}

/// A shell reads the lines; restic, where it is installed, makes its repository with them.
fn with_restic(tools: &Tools, file: &Path) -> Result<()> {
    let script = ". \"$1\" && printf '%s %s' \"$AWS_ACCESS_KEY_ID\" \"$RESTIC_REPOSITORY\"";
    let shown = succeed(tools.bare("sh")?.args(["-euc", script, "sh"]).arg(file))?;
    let expected = format!(" s3:{}/photos", tools.endpoint());
    ensure!(
        shown.starts_with("GK") && shown.ends_with(&expected),
        "{shown}"
    );
    if tool("restic").is_err() {
        println!("skipped: restic is not installed");
        return Ok(());
    }
    let script = ". \"$1\" && restic -o s3.bucket-lookup=path init";
    let mut restic = tools.bare("sh")?;
    restic.env("RESTIC_PASSWORD", "a password of the test");
    succeed(restic.args(["-euc", script, "sh"]).arg(file))?;
    Ok(())
}

/// Runs the program with the first Python that has boto3; it prints the number of objects.
fn with_boto3(tools: &Tools, file: &Path) -> Result<()> {
    let Some(python) = tool("python3").ok() else {
        println!("skipped: there is no Python");
        return Ok(());
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).map(|directory| directory.join("python3"));
    for python in std::iter::once(python).chain(others) {
        let run = |argument: &Path| -> Result<_> {
            let mut command = tools.bare("sh")?;
            let line = ["-c", "exec \"$0\" \"$@\""];
            Ok(command.args(line).arg(&python).arg(argument).output()?)
        };
        let probe = file.with_extension("probe.py");
        fs::write(&probe, "import boto3\n")?;
        if !run(&probe)?.status.success() {
            continue;
        }
        let output = run(file)?;
        let shown = said(&output);
        ensure!(output.status.success(), "{shown}");
        let objects: u32 = shown.trim().parse().with_context(|| shown.clone())?;
        ensure!(objects > 0, "boto3 sees {objects} objects");
        return Ok(());
    }
    println!("skipped: no Python here has boto3");
    Ok(())
}

/// Terraform reads the configuration as its language; its AWS provider is not fetched for this.
fn with_terraform(tools: &Tools, file: &Path) -> Result<()> {
    if tool("terraform").is_err() {
        println!("skipped: terraform is not installed");
        return Ok(());
    }
    let folder = file.with_extension("folder");
    fs::create_dir(&folder)?;
    fs::copy(file, folder.join("main.tf"))?;
    let mut format = tools.bare("terraform")?;
    let listed = succeed(format.args(["fmt", "-check", "-list=true"]).arg(&folder))?;
    ensure!(listed.is_empty(), "terraform would write it otherwise");
    Ok(())
}
