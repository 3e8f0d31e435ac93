//! A dispatch key that may be in other hands is taken out of the trust document, and everything goes
//! on with another: agents obey it, and what was proven before stays proven.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    cli::Cli,
    stack::Stack,
    tools::{said, succeed},
    wait,
};

#[tokio::test(flavor = "multi_thread")]
async fn another_dispatch_key_takes_its_place() -> Result<()> {
    let mut stack = Stack::single().await?;
    stack.create_bucket("photos", None).await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;

    let stolen = dispatch_key(&stack)?;
    let file = home.join("new-dispatch.key");
    let new = cli.text(&["offline", "keygen", text(&file)?])?;
    let remove = [
        "trust",
        "remove-key",
        &stolen,
        "--replacement",
        text(&file)?,
    ];
    // Whoever serves would go on signing with the old one.
    let too_early = stack.server.run(&remove)?;
    ensure!(!too_early.status.success(), "{}", said(&too_early));
    ensure!(dispatch_key(&stack)? == stolen);
    stack.server.stop().await?;
    let alone = stack.server.run(&["trust", "remove-key", &stolen])?;
    ensure!(said(&alone).contains("--replacement"), "{}", said(&alone));
    succeed(&mut stack.server.command(&remove)?)?;
    ensure!(dispatch_key(&stack)? == new.trim());

    stack.server.start().await?;
    wait::until("the agent to have the new document", async || {
        let known = stack.agent.expect(&["trust", "show"])?;
        Ok((known.contains(new.trim()) && !known.contains(&stolen)).then_some(()))
    })
    .await?;
    stack.connected().await?;
    cli.text(&["bucket", "create", "films", "--no-key"])?;
    cli.text(&["audit", "verify"])?;
    stack.agent.expect(&["audit", "verify"])?;
    stack.cluster.admin.contents().await?.check_whole()
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the path is no text")
}

/// The one key that may sign commands now, as the operator sees it.
fn dispatch_key(stack: &Stack) -> Result<String> {
    let shown = succeed(&mut stack.server.command(&["trust", "show"])?)?;
    let mut keys = shown.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("dispatch")).then(|| words.next().map(str::to_owned))?
    });
    let key = keys.next().context("there is no dispatch key")?;
    ensure!(keys.next().is_none(), "more than one dispatch key: {shown}");
    Ok(key)
}
