//! Clearing, measuring and cancelling asked for wrongly: nothing is lost.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{cli::Cli, program, stack::Stack, tools::said};
use serde_json::Value;

const NO_ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const NO_BUCKET: &str = "abababababababababababababababababababababababababababababababab";
/// How `storm` ends when a question is answered with no.
const NO: i32 = 1;
/// How it ends when the line is wrong.
const USAGE: i32 = 2;
/// How it ends when what is named is not there.
const NOT_FOUND: i32 = 4;
/// How it ends when what is asked for cannot be, as things are.
const CONFLICT: i32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_meant_clears_nothing() -> Result<()> {
    let stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;
    let (answer, key) = stack.create_bucket("photos", None).await?;
    let made = answer.operation.id.to_string();
    let object = home.join("object");
    std::fs::write(&object, "only copy")?;
    let tools = stack.tools(&key)?;
    ensure!(tools.status("PUT", "photos/object", Some(&object))? == 200);

    let long = "a".repeat(1025);
    let cases: &[(&[&str], i32, &[&str])] = &[
        (
            &["bucket", "clear", "nothing", "--yes"],
            NOT_FOUND,
            &["bucket nothing", "storm bucket list"],
        ),
        (
            &["bucket", "clear", NO_BUCKET, "--yes"],
            NOT_FOUND,
            &[NO_BUCKET, "storm bucket list"],
        ),
        (
            &["bucket", "clear", "photos", "--region", "far", "--yes"],
            NOT_FOUND,
            &["photos", "far"],
        ),
        (
            &["bucket", "clear", "photos"],
            USAGE,
            &["bucket photos", "home", "Nothing was done", "--yes"],
        ),
        (
            &["bucket", "clear", "photos", "--detach"],
            USAGE,
            &["Nothing was done", "--yes"],
        ),
        (&["bucket", "clear", "--yes"], USAGE, &["<BUCKET>"]),
        (
            &["bucket", "clear", "photos", "films", "--yes"],
            USAGE,
            &["'films'"],
        ),
        (
            &["bucket", "clear", "photos", "--prefix", "a", "--yes"],
            USAGE,
            &["'--prefix'"],
        ),
        (
            &["bucket", "measure", "nothing"],
            NOT_FOUND,
            &["bucket nothing", "storm bucket list"],
        ),
        (
            &["bucket", "measure", "photos", "--prefix", &long],
            USAGE,
            &["--prefix", "1024 bytes"],
        ),
        (
            &["bucket", "measure", "photos", "--prefix", "a\tb"],
            USAGE,
            &["--prefix", "control characters"],
        ),
        (
            &["bucket", "measure", "photos", "--max-objects", "0"],
            USAGE,
            &["--max-objects", "10000000"],
        ),
        (&["op", "cancel", "not-an-id"], USAGE, &["not-an-id"]),
        (
            &["op", "cancel", NO_ID],
            NOT_FOUND,
            &[NO_ID, "storm op list"],
        ),
        (
            &["op", "cancel", &made],
            CONFLICT,
            &["done already", "cannot be cancelled", "left as it is"],
        ),
        (
            &["op", "watch", NO_ID],
            NOT_FOUND,
            &[NO_ID, "storm op list"],
        ),
    ];
    for (arguments, code, words) in cases {
        let output = cli.run(arguments)?;
        ends(arguments, &output, *code, words)?;
    }
    let said = cli.run(&["bucket", "clear", "photos", "--json"])?;
    let problem: Value = serde_json::from_slice(&said.stderr)?;
    ensure!(problem["error"]["code"] == "usage", "{problem}");
    for typed in ["films", "PHOTOS", "yes", ""] {
        let output = on_a_terminal(&cli, &["bucket", "clear", "photos"], typed)?;
        let words = [
            "Type photos to go on",
            "That is not photos",
            "Nothing was done",
        ];
        speaks(&["bucket", "clear", "photos"], &output, NO, &words)?;
    }
    ensure!(cli.json(&["job", "list"])? == serde_json::json!([]));
    ensure!(
        tools.status("GET", "photos/object", None)? == 200,
        "the only copy is lost"
    );

    // What is meant is done, and an end cannot be cancelled.
    let measured = cli.text(&["bucket", "measure", "photos", "--prefix", "-"])?;
    ensure!(
        measured.contains("0 objects under - in bucket photos"),
        "{measured}"
    );
    let output = on_a_terminal(&cli, &["bucket", "clear", "photos"], "photos")?;
    speaks(
        &["bucket", "clear"],
        &output,
        0,
        &["Deleted from bucket photos: 1 object, 9 B."],
    )?;
    ensure!(tools.status("GET", "photos/object", None)? == 404);
    let listed = cli.json(&["op", "list", "--limit", "1"])?;
    let ended = listed[0]["id"].as_str().context("no id")?.to_owned();
    let line = ["op", "cancel", &ended];
    ends(&line, &cli.run(&line)?, CONFLICT, &["cannot be cancelled"])
}

/// It ended with this code and said these words; in one line, unless the line itself was wrong.
fn ends(line: &[&str], output: &Output, code: i32, words: &[&str]) -> Result<()> {
    speaks(line, output, code, words)?;
    let said = said(output);
    let lines = said.lines().filter(|line| !line.trim().is_empty()).count();
    ensure!(
        lines == 1 || code == USAGE,
        "{line:?} says {lines} lines: {said}"
    );
    ensure!(
        output.stdout.is_empty(),
        "{line:?} says its error on stdout: {said}"
    );
    Ok(())
}

fn speaks(line: &[&str], output: &Output, code: i32, words: &[&str]) -> Result<()> {
    let said = said(output);
    ensure!(
        output.status.code() == Some(code),
        "{line:?} ended with {}: {said}",
        output.status
    );
    for word in words {
        ensure!(
            said.contains(word),
            "{line:?} does not say {word:?}: {said}"
        );
    }
    Ok(())
}

/// Runs `storm` on a terminal of its own, where somebody types one line.
fn on_a_terminal(cli: &Cli, arguments: &[&str], typed: &str) -> Result<Output> {
    let storm = program("storm")?;
    let line = format!("{} {}", storm.display(), arguments.join(" "));
    let like = cli.command(&[])?;
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = command.spawn().context("`script` cannot be run")?;
    let mut stdin = running.stdin.take().context("no input")?;
    stdin.write_all(format!("{typed}\n").as_bytes())?;
    drop(stdin);
    Ok(running.wait_with_output()?)
}
