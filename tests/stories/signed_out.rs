//! `storm logout` ends the token on the server, and keeps what the next login has to agree with.

use std::fs;

use anyhow::{Result, ensure};
use e2e::harness::{
    api::Api,
    cli::Cli,
    server::{EMAIL, PASSWORD, Server},
    tools::said,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_with_logout() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(&home.path().join("server"))?;
    server.start().await?;
    let config = home.path().join("config.toml");
    let cli = Cli::new(&config, home.path());
    let password = home.path().join("password");
    fs::write(&password, PASSWORD)?;
    fs::set_permissions(
        &password,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )?;
    let file = password.to_string_lossy();
    let url = server.web_url.clone();
    let login = [
        "login",
        "--url",
        &url,
        "--email",
        EMAIL,
        "--password-file",
        &file,
    ];
    cli.text(&login)?;
    let token = token_in(&fs::read_to_string(&config)?);
    let token = token.ok_or_else(|| anyhow::anyhow!("no token was kept"))?;
    let with_token = Api::with_token(&url, &token)?;
    with_token.whoami().await?;

    // Without an answer nothing changes, and it can be done again.
    let before = fs::read_to_string(&config)?;
    server.stop().await?;
    let away = cli.run(&["logout"])?;
    ensure!(away.status.code() == Some(7), "{}", said(&away));
    ensure!(fs::read_to_string(&config)? == before);
    server.start().await?;

    cli.text(&["logout"])?;
    ensure!(with_token.whoami().await.is_err(), "the token still works");
    let text = fs::read_to_string(&config)?;
    ensure!(
        token_in(&text).is_none() && !text.contains(&token),
        "{text}"
    );
    ensure!(
        text.contains("root_key"),
        "the pinned root key is gone: {text}"
    );
    for line in [&["whoami"][..], &["logout"]] {
        let out = cli.run(line)?;
        ensure!(out.status.code() == Some(3), "{}", said(&out));
        ensure!(said(&out).contains("storm login"), "{}", said(&out));
    }
    // The server is still known.
    cli.text(&["login", "--email", EMAIL, "--password-file", &file])?;
    cli.text(&["whoami"])?;

    // A token that was given is not ours to delete.
    let given = server.api().await?;
    cli.text(&["login", "--token", given.token()])?;
    cli.text(&["logout"])?;
    given.whoami().await?;
    server.stop().await
}

fn token_in(config: &str) -> Option<String> {
    let line = config
        .lines()
        .find_map(|line| line.strip_prefix("token = "))?;
    Some(line.trim_matches('"').to_owned())
}
