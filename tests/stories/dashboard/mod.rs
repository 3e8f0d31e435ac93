//! The dashboard in a real browser, against everything that `storm up` starts. The scripts are in
//! `tests/browser`; here is what happens beside them.

mod agent_away;
mod first_bucket;
mod looks;
mod many_buckets;

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
};

use anyhow::{Context as _, Result, bail};
use e2e::harness::{browser::play, up::Up};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// Everything on this machine, and the folder that it keeps its data in.
struct House {
    up: Up,
    email: String,
    password: String,
    // Dropped last: the other writes below it.
    directory: TempDir,
}

/// The house of the stories that do not disturb each other: whoever comes first builds it, whoever goes
/// last takes it down.
static SHARED: Mutex<Weak<House>> = Mutex::const_new(Weak::new());

impl House {
    async fn build() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("storm-page-").tempdir()?;
        let up = Up::start(&directory.path().join("data")).await?;
        // Said at the first start only.
        let (email, password) = (&up.ready.admin_email, &up.ready.admin_password);
        Ok(Self {
            email: email.clone().context("no e-mail address")?,
            password: password.clone().context("no password")?,
            up,
            directory,
        })
    }

    /// Starts anew with what a piece of SQL puts into the database while nothing runs.
    async fn filled(self, sql: &'static str) -> Result<Self> {
        let Self {
            up,
            email,
            password,
            directory,
        } = self;
        up.stop().await?;
        execute(database(&directory), sql).await?;
        let up = Up::start(&directory.path().join("data")).await?;
        Ok(Self {
            up,
            email,
            password,
            directory,
        })
    }

    /// Runs a piece of SQL on the database of the control plane.
    async fn execute(&self, sql: &'static str) -> Result<()> {
        execute(database(&self.directory), sql).await
    }

    async fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().await;
        if let Some(house) = shared.upgrade() {
            return Ok(house);
        }
        let house = Arc::new(Self::build().await?);
        // Without a bucket the dashboard leads to the first run.
        house.storm(&json!(["bucket", "create", "backups-office", "--no-key"]))?;
        *shared = Arc::downgrade(&house);
        Ok(house)
    }

    /// What a script needs to sign in.
    fn given(&self) -> Value {
        json!({
            "dashboard_url": self.up.ready.dashboard_url,
            "email": self.email,
            "password": self.password,
        })
    }

    /// Runs `storm` with the words of a script.
    fn storm(&self, words: &Value) -> Result<Value> {
        let words: Vec<String> = serde_json::from_value(words.clone())?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(json!(self.up.cli().text(&words)?))
    }

    /// Plays a script that asks for nothing but the command line.
    async fn play(&self, story: &str) -> Result<Value> {
        play(story, self.given(), async |what, with| match what {
            "storm" => self.storm(&with),
            _ => bail!("{what}?"),
        })
        .await
    }
}

fn database(directory: &TempDir) -> PathBuf {
    directory.path().join("data/server/storm.db")
}

async fn execute(database: PathBuf, sql: &'static str) -> Result<()> {
    let mut connection = SqliteConnectOptions::new()
        .filename(database)
        .connect()
        .await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// A text that a script gave with its question.
fn text<'a>(with: &'a Value, name: &str) -> Result<&'a str> {
    with[name].as_str().with_context(|| format!("no {name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_elsewhere_loses_nobody_s_form() -> Result<()> {
    House::shared().await?.play("session_ended").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_another_tab_and_of_the_command_line_appear() -> Result<()> {
    House::shared().await?.play("two_tabs").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_does_it_all() -> Result<()> {
    House::shared().await?.play("keyboard").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_on_a_phone() -> Result<()> {
    House::shared().await?.play("phone").await?;
    Ok(())
}
