//! The operator's pages in a real browser.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    browser::play, garage_program, process::Process, program, tools::said, up::Up, wait,
};
use serde_json::{Value, json};

/// A second agent beside the one of `storm up`, on the same Garage.
struct Second {
    config: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

impl Second {
    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(program("storm-pulse")?);
        command.arg("--config").arg(&self.config).args(arguments);
        command.env("NO_COLOR", "1");
        Ok(command)
    }

    fn expect(&self, arguments: &[&str]) -> Result<()> {
        let output = self.command(arguments)?.output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", said(&output));
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        let mut command = self.command(&["run"])?;
        self.process = Some(Process::spawn("storm-pulse", &mut command, &self.log)?);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_runs_the_platform_in_the_dashboard() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-page-").tempdir()?;
    let data = directory.path().join("data");
    let up = Up::start(&data).await?;
    let home = directory.path().join("second");
    fs::create_dir(&home)?;
    // As the first one, with a directory of its own.
    let first = fs::read_to_string(data.join("pulse/config.toml"))?;
    let state = home.join("state").display().to_string();
    let config = first.replace(&data.join("pulse/state").display().to_string(), &state);
    ensure!(config != first, "{first}");
    let mut second = Second {
        config: home.join("config.toml"),
        log: home.join("agent.log"),
        process: None,
    };
    fs::write(&second.config, config)?;
    let cli = up.cli();
    let given = json!({
        "dashboard_url": up.ready.dashboard_url,
        "email": up.ready.admin_email,
        "password": up.ready.admin_password,
        "region": "local",
    });
    play("operator", given, async |wish, with| {
        match wish {
            "enrol" => {
                let command = with["command"].as_str().context("no command")?;
                let mut words = command.split_whitespace();
                ensure!(words.next() == Some("storm-pulse"), "{command}");
                second.expect(&["token", "create"])?;
                second.expect(&words.collect::<Vec<_>>())?;
                second.start()?;
            }
            "kill" => second.process.take().context("it does not run")?.kill()?,
            "start" => second.start()?,
            "stray" => {
                let output = Command::new(garage_program()?)
                    .arg("-c")
                    .arg(data.join("garage/garage.toml"))
                    .args(["bucket", "create", "tmp-migration"])
                    .output()?;
                ensure!(output.status.success(), "{}", said(&output));
            }
            "adopted" => {
                let account = with["account"].as_str().context("no account")?;
                let id = wait::until("the account to have the bucket", async || {
                    let all = cli.json(&["account", "list"])?;
                    let all = all.as_array().context("no list")?;
                    let found = all.iter().find(|one| one["id"] == account);
                    let has = found.is_some_and(|one| one["buckets"] == 1);
                    Ok(has.then_some(account))
                })
                .await?;
                ensure!(id == account, "{id}");
                let strays = cli.json(&["stray", "list"])?;
                ensure!(strays.as_array().is_some_and(Vec::is_empty), "{strays}");
            }
            other => bail!("{other}?"),
        }
        Ok(Value::Null)
    })
    .await?;
    // It was removed: it is turned away and does not come back.
    let log = fs::read_to_string(&second.log)?;
    ensure!(log.contains("revoked"), "{log}");
    up.stop().await
}
