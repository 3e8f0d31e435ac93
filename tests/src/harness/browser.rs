//! Stories in a real browser: a script of `tests/browser` drives Chromium, and asks this side for
//! whatever happens beside it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::tool;

/// The environment variable that names the folder that screenshots go to; none are kept without.
pub const SCREENSHOTS_VARIABLE: &str = "STORM_SCREENSHOTS";
/// The longest that a script may be silent.
const PATIENCE: Duration = Duration::from_secs(120);

/// A script on its stage.
pub struct Script {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// A line that a script says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Ask { ask: String, with: Value },
    Done { done: Value },
    Failed { failed: String },
    At { at: String },
}

/// Plays the script `story`.mjs with what is `given` (`dashboard_url` is wanted by the stage); whatever
/// it asks for is answered by `beside`. Gives what the script gives.
pub async fn play(
    story: &str,
    mut given: Value,
    mut beside: impl AsyncFnMut(&str, Value) -> Result<Value>,
) -> Result<Value> {
    given["story"] = json!(story);
    given["chromium"] = json!(tool("chromium")?);
    given["screenshots"] = json!(std::env::var_os(SCREENSHOTS_VARIABLE).map(PathBuf::from));
    let mut script = Script::start(story)?;
    script.say(&given).await?;
    let mut place = "the start".to_owned();
    loop {
        let heard = script.hear().await;
        match heard.with_context(|| format!("{story}, at {place}"))? {
            Line::At { at } => place = at,
            Line::Ask { ask, with } => {
                let answer = match beside(&ask, with).await {
                    Ok(done) => json!({ "done": done }),
                    Err(error) => json!({ "failed": format!("{error:#}") }),
                };
                script.say(&answer).await?;
            }
            Line::Done { done } => {
                let status = timeout(PATIENCE, script.child.wait()).await??;
                ensure!(status.success(), "{story} ended with {status}");
                return Ok(done);
            }
            Line::Failed { failed } => bail!("{story}: {failed}"),
        }
    }
}

impl Script {
    fn start(story: &str) -> Result<Self> {
        let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("browser");
        let mut child = Command::new(tool("node")?)
            .arg(format!("{story}.mjs"))
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{story} does not start"))?;
        let input = child.stdin.take().context("a script reads")?;
        let output = child.stdout.take().context("a script writes")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    async fn say(&mut self, line: &Value) -> Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(self.input.flush().await?)
    }

    async fn hear(&mut self) -> Result<Line> {
        let line = timeout(PATIENCE, self.output.next_line())
            .await
            .context("the script is silent")??
            .context("the script ended without a word")?;
        serde_json::from_str(&line).with_context(|| format!("not a line of a script: {line}"))
    }
}
