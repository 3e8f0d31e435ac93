//! People in the dashboard: how they get in, prove themselves, and what is kept of it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{browser::play, cli::Cli, mails::link_to, up::Up, wait};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use totp_rs::{Builder, Secret};

#[tokio::test(flavor = "multi_thread")]
async fn people_get_in_and_prove_themselves() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-people-").tempdir()?;
    let data = directory.path().join("data");
    let up = Up::start(&data).await?;
    let given = json!({
        "dashboard_url": up.ready.dashboard_url,
        "email": up.ready.admin_email,
        "password": up.ready.admin_password,
    });
    let mut login = None;
    play("people", given, async |ask, with| {
        Ok(match ask {
            "link" => json!(link(&data, &with).await?),
            "code" => json!(code(text(&with, "secret")?)?),
            "age the proofs" => age_the_proofs(&data).await?,
            "try the token" => try_the_token(&up, text(&with, "token")?).await?,
            "begin a login" => {
                let begun = Login::begin(&up, directory.path())?;
                let code = begun.code().await?;
                login = Some(begun);
                json!(code)
            }
            "the login ends well" => {
                let mut login = login.take().context("no login was begun")?;
                login.ends_well().await?;
                Value::Null
            }
            "make a bucket" => up.cli().json(&["bucket", "create", "photos"])?,
            "make an account" => {
                let owner = text(&with, "owner")?;
                let line = ["account", "create", "Kesselhaus", "--owner", owner];
                up.cli().json(&line)?
            }
            other => bail!("{other}?"),
        })
    })
    .await?;
    up.stop().await
}

/// A text that the script gave with its question.
fn text<'a>(with: &'a Value, name: &str) -> Result<&'a str> {
    with[name].as_str().with_context(|| format!("no {name}"))
}

/// The link in the newest e-mail to somebody, once it is one of the kind that is wanted.
async fn link(data: &Path, with: &Value) -> Result<String> {
    let folder = data.join("server/mail");
    let email = text(with, "email")?;
    let part = with["part"].as_str().unwrap_or("/invitation#");
    wait::until("an e-mail", async || {
        Ok(link_to(&folder, email)?.filter(|link| link.contains(part)))
    })
    .await
}

/// What an authenticator app shows now.
fn code(secret: &str) -> Result<String> {
    let app = Builder::new()
        .with_secret(Secret::try_from_base32(secret)?)
        .with_account_name("operator")
        .build()?;
    let now = u64::try_from(jiff::Timestamp::now().as_second())?;
    Ok(app.generate(now).to_string())
}

/// Lets the ten minutes pass in which a proof is good.
async fn age_the_proofs(data: &Path) -> Result<Value> {
    let mut connection = SqliteConnectOptions::new()
        .filename(data.join("server/storm.db"))
        .connect()
        .await?;
    sqlx::raw_sql("UPDATE sessions SET proved_at = 0")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(Value::Null)
}

/// What a token that only looks may, by the status of each answer.
async fn try_the_token(up: &Up, token: &str) -> Result<Value> {
    let http = reqwest::Client::new();
    let url = format!("{}/api/v1/buckets", up.ready.api_url);
    let reads = http.get(&url).bearer_auth(token).send().await?.status();
    let bucket = json!({ "name": "not-this-one", "key": null });
    let makes = http.post(&url).bearer_auth(token).json(&bucket);
    let makes = makes.send().await?.status();
    Ok(json!({ "reads": reads.as_u16(), "makes": makes.as_u16() }))
}

/// `storm login` on another machine.
struct Login {
    child: Child,
    said: PathBuf,
}

impl Login {
    fn begin(up: &Up, directory: &Path) -> Result<Self> {
        let said = directory.join("login");
        let file = File::create(&said)?;
        let home = directory.join("elsewhere");
        fs::create_dir_all(&home)?;
        let cli = Cli::new(&home.join("config.toml"), &home);
        let line = ["login", "--no-browser", "--url", &up.ready.dashboard_url];
        let mut command = cli.command(&line)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?);
        let child = command.stderr(file).spawn()?;
        Ok(Self { child, said })
    }

    async fn code(&self) -> Result<String> {
        wait::until("a code", async || {
            let text = fs::read_to_string(&self.said)?;
            let code = text.split_once("this code: ");
            let code = code.map(|(_, rest)| rest.trim().to_owned());
            Ok(code.filter(|code| code.len() == 9))
        })
        .await
    }

    async fn ends_well(&mut self) -> Result<()> {
        let ended = wait::until("storm login to end", async || Ok(self.child.try_wait()?)).await?;
        let text = fs::read_to_string(&self.said)?;
        ensure!(ended.success(), "{text}");
        Ok(())
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
