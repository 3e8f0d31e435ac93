//! `storm login` through a browser: a code is shown, somebody approves it elsewhere, and the token comes to
//! `storm` alone. The browser's part is done over the API.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{api::Api, cli::Cli, server::Server, tools::said, wait};
use serde_json::{Value, json};

/// A login that waits for its approval.
struct Login {
    child: Child,
    said: PathBuf,
}

impl Login {
    fn begin(mut command: Command, directory: &Path) -> Result<Self> {
        let said = directory.join("said");
        let file = File::create(&said)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?);
        let child = command.stderr(file).spawn()?;
        Ok(Self { child, said })
    }

    fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.said)?)
    }

    /// The code that it shows.
    async fn code(&self) -> Result<String> {
        wait::until("a code", async || {
            let text = self.said()?;
            let code = text
                .split_once("this code: ")
                .map(|(_, rest)| rest.trim().to_owned());
            Ok(code.filter(|code| code.len() == 9))
        })
        .await
    }

    async fn ended(&mut self) -> Result<ExitStatus> {
        wait::until("storm login to end", async || Ok(self.child.try_wait()?)).await
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Place {
    server: Server,
    operator: Api,
    home: tempfile::TempDir,
    cli: Cli,
}

impl Place {
    async fn new() -> Result<Self> {
        let home = tempfile::tempdir()?;
        let mut server = Server::prepare(&home.path().join("server"))?;
        server.start().await?;
        Ok(Self {
            operator: server.api().await?,
            cli: Cli::new(&home.path().join("config.toml"), home.path()),
            server,
            home,
        })
    }

    fn login(&self, more: &[&str]) -> Result<Login> {
        let line = [&["login", "--url", &self.server.web_url], more].concat();
        Login::begin(self.cli.command(&line)?, self.home.path())
    }

    async fn answer(&self, verb: &str, code: &str) -> Result<u16> {
        let path = format!("/device-authorizations/{verb}");
        let body = json!({ "user_code": code });
        let answer = self.operator.post(&path, &body).await?;
        Ok(answer.status.as_u16())
    }

    async fn token_names(&self) -> Result<Vec<String>> {
        let tokens: Value = self.operator.get("/tokens").await?;
        let names = tokens["items"].as_array().into_iter().flatten();
        Ok(names
            .map(|token| token["name"].as_str().unwrap_or("").to_owned())
            .collect())
    }

    fn config(&self) -> Result<String> {
        Ok(fs::read_to_string(self.home.path().join("config.toml"))?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_approved_elsewhere_and_ends_with_logout() -> Result<()> {
    let mut place = Place::new().await?;
    let mut login = place.login(&[
        "--no-browser",
        "--scope",
        "token.*",
        "--scope",
        "session.read",
    ])?;
    let code = login.code().await?;
    let page = format!("Open {}/device#{code}", place.server.web_url);
    ensure!(login.said()?.contains(&page), "{}", login.said()?);
    // One that is guessed finds nothing, and the right one is not the worse for it.
    for guess in ["BBBB-BBBB", "ZZZZ-ZZZZ"] {
        ensure!(place.answer("approve", guess).await? == 404);
    }
    ensure!(place.answer("approve", &code).await? == 204);
    let status = login.ended().await?;
    let text = login.said()?;
    ensure!(status.success(), "{text}");
    ensure!(text.contains("Token kept in the configuration."), "{text}");

    let me = place.cli.json(&["whoami"])?;
    ensure!(me["email"] == "operator@example.org", "{me}");
    let names = place.token_names().await?;
    let ours = |name: &String| name.starts_with("storm on ");
    ensure!(
        names.iter().filter(|name| ours(name)).count() == 1,
        "{names:?}"
    );
    // It may what was asked for and what `storm` itself needs, and no more.
    let refused = place.cli.run(&["bucket", "list"])?;
    ensure!(refused.status.code() == Some(3), "{}", said(&refused));
    place.cli.text(&["logout"])?;
    ensure!(!place.token_names().await?.iter().any(ours));
    place.server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_approved_and_denied_by_command_line() -> Result<()> {
    let mut place = Place::new().await?;
    let other = Cli::new(&place.home.path().join("other.toml"), place.home.path());
    let url = place.server.web_url.clone();
    other.text(&["login", "--url", &url, "--token", place.operator.token()])?;

    let mut login = place.login(&["--no-browser"])?;
    let code = login.code().await?;
    let shown = other.text(&["device", "show", &code.to_lowercase()])?;
    ensure!(
        shown.contains(&code) && shown.contains("127.0.0.1"),
        "{shown}"
    );
    // Without a terminal to look at what asks, nothing is approved by the way.
    let careless = other.run(&["device", "approve", &code])?;
    ensure!(careless.status.code() == Some(2), "{}", said(&careless));
    other.text(&["device", "deny", &code])?;
    let status = login.ended().await?;
    ensure!(status.code() == Some(3), "{}", login.said()?);
    ensure!(
        login.said()?.contains("It was denied."),
        "{}",
        login.said()?
    );
    ensure!(
        place.config().is_err(),
        "a denied login left a configuration"
    );

    let mut login = place.login(&["--no-browser"])?;
    let code = login.code().await?;
    other.text(&["device", "approve", &code, "--yes"])?;
    ensure!(login.ended().await?.success(), "{}", login.said()?);
    place.cli.text(&["whoami"])?;
    place.server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_outlives_a_restart_and_no_code_outlives_its_time() -> Result<()> {
    let mut place = Place::new().await?;
    let mut login = place.login(&["--no-browser"])?;
    let code = login.code().await?;
    place.server.stop().await?;
    place.server.start().await?;
    ensure!(place.answer("approve", &code).await? == 204);
    ensure!(login.ended().await?.success(), "{}", login.said()?);

    let mut late = place.login(&["--no-browser"])?;
    let code = late.code().await?;
    place.server.stop().await?;
    let library = e2e::harness::clock_shift::build(place.home.path())?;
    place.server.shift_clock(&library, 601);
    place.server.start().await?;
    ensure!(place.answer("approve", &code).await? == 404);
    let status = late.ended().await?;
    ensure!(status.code() == Some(1), "{}", late.said()?);
    ensure!(late.said()?.contains("storm login"), "{}", late.said()?);
    place.server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_answer_nothing_waits() -> Result<()> {
    let mut place = Place::new().await?;
    let login = place.cli.run(&["login", "--url", &place.server.web_url])?;
    ensure!(login.status.code() == Some(2), "{}", said(&login));
    ensure!(
        said(&login).contains("STORM_TOKEN") && said(&login).contains("--no-browser"),
        "{}",
        said(&login)
    );
    ensure!(place.config().is_err(), "it left a configuration");
    place.server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_brings_its_token_in_the_environment() -> Result<()> {
    let mut place = Place::new().await?;
    let token = place.operator.token().to_owned();
    let about: Value = place.operator.get("/about").await?;
    let root = about["root_key"].as_str().context("a digest")?.to_owned();
    let run = |variables: &[(&str, &str)], line: &[&str]| -> Result<(Option<i32>, String)> {
        let mut command = place.cli.command(line)?;
        let output = command.envs(variables.iter().copied()).output()?;
        let text = said(&output) + &String::from_utf8_lossy(&output.stdout);
        ensure!(!text.contains(&token), "{line:?} printed the token");
        Ok((output.status.code(), text))
    };
    let all = [
        ("STORM_TOKEN", token.as_str()),
        ("STORM_URL", &place.server.web_url),
        ("STORM_ROOT_KEY", &root),
    ];
    let (code, text) = run(&all, &["whoami"])?;
    ensure!(code == Some(0) && text.contains("operator@"), "{text}");
    ensure!(place.config().is_err(), "it left a configuration");

    // What is missing is said, and nothing else is taken in its place.
    for (variables, expected) in [
        (&all[..1], "STORM_URL"),
        (&all[..2], "STORM_ROOT_KEY"),
        (&[("STORM_TOKEN", "")][..], "STORM_TOKEN"),
    ] {
        let (code, text) = run(variables, &["whoami"])?;
        ensure!(code == Some(2) && text.contains(expected), "{text}");
    }
    let clear = [all[0], ("STORM_URL", "http://storm.example"), all[2]];
    let (code, text) = run(&clear, &["whoami"])?;
    ensure!(code == Some(2) && text.contains("in the clear"), "{text}");

    // It goes before the token of a configuration, and signs in without its being on the command line.
    let (code, text) = run(&all[..1], &["login", "--url", &place.server.web_url])?;
    ensure!(code == Some(0), "{text}");
    let wrong = format!("{}x", &token[..token.len() - 1]);
    let (code, text) = run(&[("STORM_TOKEN", &wrong)], &["whoami"])?;
    ensure!(code == Some(3) && !text.contains(&wrong), "{text}");
    place.cli.text(&["whoami"])?;
    place.server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_kept_in_a_real_keyring() -> Result<()> {
    let mut place = Place::new().await?;
    let home = place.home.path().to_owned();
    let storm = |arguments: &str| -> Result<Command> {
        // A desktop's session: a bus of its own, and a keyring that is unlocked on it.
        let script = format!(
            "printf keyring | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 && {arguments}"
        );
        let storm = place.cli.command(&[])?;
        let mut session = Command::new("dbus-run-session");
        session.args(["--", "sh", "-c", &script]);
        for (name, value) in storm.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        session.env("STORM", storm.get_program());
        session
            .env("DISPLAY", ":none")
            .env("XDG_RUNTIME_DIR", &home);
        // It is there, but it must not be asked to open anything.
        session.env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
        Ok(session)
    };
    let login = format!(
        "\"$STORM\" login --no-browser --url {}",
        place.server.web_url
    );
    let mut login = Login::begin(storm(&login)?, &home)?;
    let code = login.code().await?;
    place.answer("approve", &code).await?;
    let status = login.ended().await?;
    let text = login.said()?;
    ensure!(status.success(), "{text}");
    ensure!(text.contains("Token kept in the keyring."), "{text}");
    let config = place.config()?;
    ensure!(!config.contains("sbt_"), "{config}");

    let out = storm("\"$STORM\" whoami")?.output()?;
    ensure!(out.status.success(), "{}", said(&out));
    // Where there is no keyring, it is said and nothing hangs.
    let out = place.cli.run(&["whoami"])?;
    ensure!(out.status.code() == Some(3), "{}", said(&out));
    ensure!(said(&out).contains("keyring"), "{}", said(&out));
    // A keyring that never answers is none.
    let silent = home.join("silent");
    let _listener = std::os::unix::net::UnixListener::bind(&silent)?;
    let given = Cli::new(&home.join("given.toml"), &home);
    let line = [
        "login",
        "--url",
        &place.server.web_url,
        "--token",
        place.operator.token(),
    ];
    let mut command = given.command(&line)?;
    let bus = format!("unix:path={}", silent.display());
    let out = command
        .env("DISPLAY", ":none")
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .output()?;
    ensure!(out.status.success(), "{}", said(&out));
    ensure!(
        said(&out).contains("Token kept in the configuration."),
        "{}",
        said(&out)
    );
    let out = storm("\"$STORM\" logout && \"$STORM\" whoami")?.output()?;
    ensure!(out.status.code() == Some(3), "{}", said(&out));
    ensure!(said(&out).contains("Signed out."), "{}", said(&out));
    ensure!(
        place.token_names().await?.len() == 1,
        "the token is still there"
    );
    place.server.stop().await
}
