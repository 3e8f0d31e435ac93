//! A second factor, from the first code to a lost phone.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    cli::Cli,
    server::{EMAIL, PASSWORD, Server},
    tools::said,
};
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

/// A browser that keeps its cookie, in a network of its own.
struct Browser {
    http: reqwest::Client,
    base: String,
    address: &'static str,
    cookie: String,
}

impl Browser {
    fn new(base: &str, address: &'static str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.to_owned(),
            address,
            cookie: String::new(),
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}/api/v1{path}", self.base);
        let mut request = self.http.request(method, url);
        request = request.header("origin", &self.base);
        request = request.header("x-forwarded-for", self.address);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        if let Some(set) = answer.headers().get("set-cookie") {
            let set = set.to_str()?.split(';').next().unwrap_or_default();
            set.clone_into(&mut self.cookie);
        }
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path} answered {status}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text)?)
    }

    async fn sign_in(&mut self) -> Result<Value> {
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        self.ask(Method::POST, "/session", Some(body)).await
    }
}

fn seconds() -> Result<u64> {
    Ok(u64::try_from(jiff::Timestamp::now().as_second())?)
}

/// The code of the step after this one, which the server takes, too: nobody has to wait for it.
fn next_code(app: &Totp) -> Result<String> {
    Ok(app.generate(seconds()? + 30).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_takes_a_code_in_the_browser_and_in_the_terminal() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(&home.path().join("server"))?;
    server.start().await?;
    let url = server.web_url.clone();

    let mut browser = Browser::new(&url, "192.0.2.1");
    browser.sign_in().await?;
    let methods = "/sign-in-methods";
    let totp = "/sign-in-methods/totp";
    let begun = browser.ask(Method::POST, totp, None).await?;
    let secret = begun["secret"].as_str().context("no secret")?;
    let app = Builder::new()
        .with_secret(Secret::try_from_base32(secret)?)
        .with_account_name("operator")
        .build()?;
    let confirm = json!({ "code": app.generate(seconds()?).to_string() });
    let path = "/sign-in-methods/totp/confirm";
    let codes = browser.ask(Method::POST, path, Some(confirm)).await?;
    let codes: Vec<String> = serde_json::from_value(codes["recovery_codes"].clone())?;
    ensure!(codes.len() == 10, "{codes:?}");

    // The password alone opens nothing any more.
    let mut other = Browser::new(&url, "192.0.2.2");
    let half = other.sign_in().await?;
    ensure!(other.cookie.is_empty() && half["email"].is_null(), "{half}");
    let answer =
        json!({ "challenge": half["second_factor"]["challenge"], "code": next_code(&app)? });
    let whole = other
        .ask(Method::POST, "/session/second-factor", Some(answer))
        .await?;
    ensure!(whole["email"] == EMAIL, "{whole}");

    // In the terminal: a recovery code, once.
    let cli = Cli::new(&home.path().join("config.toml"), home.path());
    let password = home.path().join("password");
    fs::write(&password, PASSWORD)?;
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600))?;
    let file = password.to_string_lossy();
    let mut line = vec![
        "login",
        "--url",
        &url,
        "--email",
        EMAIL,
        "--password-file",
        &file,
    ];
    let out = cli.run(&line)?;
    ensure!(said(&out).contains("--code is needed"), "{}", said(&out));
    line.extend(["--code", "not a code"]);
    let out = cli.run(&line)?;
    ensure!(said(&out).contains("code is wrong"), "{}", said(&out));
    line.pop();
    line.push(&codes[0]);
    cli.text(&line)?;
    cli.text(&["whoami"])?;
    let listed = cli.text(&["session", "list"])?;
    ensure!(listed.contains("password+totp"), "{listed}");
    // What it used up stays used up.
    let out = cli.run(&line)?;
    ensure!(said(&out).contains("used before"), "{}", said(&out));
    let left = browser.ask(Method::GET, methods, None).await?;
    ensure!(left["recovery_codes"] == 9, "{left}");

    // The phone is lost: an operator takes it away on the server.
    let reset = server.run(&["user", "reset-second-factor", EMAIL])?;
    ensure!(reset.status.success(), "{}", said(&reset));
    ensure!(
        said(&reset).contains("enough to sign in"),
        "{}",
        said(&reset)
    );
    let mut again = Browser::new(&url, "192.0.2.3");
    let whole = again.sign_in().await?;
    ensure!(whole["email"] == EMAIL, "{whole}");
    ensure!(browser.ask(Method::GET, methods, None).await.is_err());
    server.stop().await
}
