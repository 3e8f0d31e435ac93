//! `storm-pulse audit verify` on the file of an agent that has worked: whole it stands, and any line
//! that was changed, removed or moved is found.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    stack::{REGION, Stack},
    tools::said,
};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn tampering_is_found() -> Result<()> {
    let mut stack = Stack::single().await?;
    stack.create_bucket("photos", None).await?;
    let ping = format!("/regions/{REGION}/ping");
    for key in ["one", "two", "three"] {
        stack.api.settle(Method::POST, &ping, None, key).await?;
    }
    // A command that did not do its work is in the chain as well.
    ensure!(
        stack.create_bucket("photos", None).await.is_err(),
        "one name, two buckets"
    );
    stack.agent.expect(&["audit", "verify"])?;
    stack.agent.stop().await?;
    stack.agent.expect(&["audit", "verify"])?;

    let file = stack.agent.state().join("audit.jsonl");
    let text = fs::read_to_string(&file)?;
    let lines: Vec<&str> = text.lines().collect();
    ensure!(lines.len() == 5, "{} receipts", lines.len());
    let join = |lines: &[&str]| lines.join("\n") + "\n";
    let at = lines[2]
        .find("\"payload\":\"")
        .context("a line has a payload")?
        + 40;
    let mut letter = lines[2].to_owned();
    let other = if &letter[at..=at] == "A" { "B" } else { "A" };
    letter.replace_range(at..=at, other);
    let spoilt = [
        (
            "a letter changed",
            join(&[lines[0], lines[1], &letter, lines[3], lines[4]]),
        ),
        ("the first removed", join(&lines[1..])),
        (
            "one in the middle removed",
            join(&[lines[0], lines[1], lines[3], lines[4]]),
        ),
        ("the last removed", join(&lines[..4])),
        (
            "two swapped",
            join(&[lines[0], lines[2], lines[1], lines[3], lines[4]]),
        ),
        (
            "one twice",
            join(&[lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]]),
        ),
        ("words added", format!("{text}all is well\n")),
        ("all removed", String::new()),
    ];
    for (what, spoilt) in spoilt {
        fs::write(&file, spoilt)?;
        let found = stack.agent.run(&["audit", "verify"])?;
        ensure!(
            found.status.code() == Some(5),
            "{what}: {} {}",
            found.status,
            said(&found)
        );
    }
    fs::write(&file, text)?;
    stack.agent.expect(&["audit", "verify"])?;
    Ok(())
}
