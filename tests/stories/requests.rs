//! Requests as the proxy before Garage logs them: each is counted once, over a rotation and a killed
//! agent, and nothing of a URL or an address leaves the server.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    cli::Cli,
    proxy::{Kind, Proxy},
    stack::Stack,
    tools::Tools,
    wait, word,
};
use serde_json::Value;

/// Bytes of the object that is downloaded.
const OBJECT_BYTES: usize = 100_000;
/// A key that must never leave the server.
const SECRET_KEY: &str = "confidential-name";
/// Counts go out when their minute is over.
const A_MINUTE_AND_MORE: Duration = Duration::from_secs(240);

async fn each_request_is_counted_once(kind: Kind) -> Result<()> {
    let mut stack = Stack::single().await?;
    let name = format!("photos-{}", word()?);
    let (answer, key) = stack.create_bucket(&name, None).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    let path = format!("/buckets/{bucket}/requests");
    let unseen: Value = stack.api.get(&path).await?;
    ensure!(
        unseen["configured"] == false && unseen["points"] == serde_json::json!([]),
        "requests without a proxy: {unseen}"
    );

    let directory = stack.directory().join("proxy");
    let proxy = Proxy::start(kind, &directory, stack.cluster.first()?).await?;
    stack.agent.configure(&format!(
        "[traffic]\nlog = \"{}\"\nformat = \"{}\"\ns3_hosts = [\"127.0.0.1\"]\n",
        proxy.log.display(),
        kind.format()
    ))?;
    stack.restart_agent(&Start::default()).await?;
    wait::until("requests to be counted", async || {
        let page: Value = stack.api.get(&path).await?;
        Ok((page["configured"] == true).then_some(()))
    })
    .await?;
    let tools = Tools::new(&directory, &proxy.endpoint, key.id.as_str(), &key.secret)?;
    let file = directory.join("upload");
    std::fs::write(&file, vec![b'x'; OBJECT_BYTES])?;
    let object = format!("{name}/{SECRET_KEY}?x-id=1");
    ensure!(tools.status("PUT", &object, Some(&file))? == 200);
    ensure!(tools.status("GET", &object, None)? == 200);
    if kind == Kind::Nginx {
        // Nobody reads while the log is moved away: the rest is in the old file.
        stack.agent.kill()?;
        ensure!(tools.status("GET", &object, None)? == 200);
        proxy.rotate()?;
        stack.disconnected().await?;
        stack.agent.start(&Start::default())?;
        stack.connected().await?;
    } else {
        ensure!(tools.status("GET", &object, None)? == 200);
    }
    ensure!(tools.status("GET", &format!("{name}/nothing"), None)? == 404);
    ensure!(tools.status("DELETE", &object, None)? == 204);
    // Those to nobody's bucket count for none.
    ensure!(tools.status("GET", "nobodys-bucket/x", None)? >= 400);

    let page = wait::within(A_MINUTE_AND_MORE, "the counts", async || {
        let page: Value = stack.api.get(&path).await?;
        Ok((sum(&page, "requests", |_| true) >= 5).then_some(page))
    })
    .await?;
    let of = |method: &str, status: u64| {
        sum(&page, "requests", |point| {
            point["method"] == method && point["status"] == status
        })
    };
    let kinds = [
        of("write", 2),
        of("read", 2),
        of("read", 4),
        of("delete", 2),
    ];
    ensure!(kinds == [1, 2, 1, 1], "{kinds:?} of {page}");
    ensure!(sum(&page, "requests", |_| true) == 5, "{page}");
    let (once, sent) = (OBJECT_BYTES as u64, sum(&page, "sent_bytes", |_| true));
    ensure!(sent >= 2 * once && sent < 3 * once, "{sent} bytes sent");
    let received = sum(&page, "received_bytes", |_| true);
    // Caddy writes them from 2.7 on, nginx's format has no place for them.
    let told = std::fs::read_to_string(&proxy.log)?.contains("\"bytes_read\"");
    let expected = if told { once } else { 0 };
    ensure!(received == expected, "{received} bytes received");
    let by_day: Value = stack.api.get(&format!("{path}?step=day")).await?;
    ensure!(sum(&by_day, "requests", |_| true) == 5, "{by_day}");

    for folder in [stack.server.data(), stack.agent.state()] {
        names_no_object(&folder)?;
    }
    people_see(&stack, &name)
}

fn people_see(stack: &Stack, name: &str) -> Result<()> {
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;
    let table = cli.text(&["bucket", "requests", name, "--by", "day"])?;
    ensure!(
        table.contains("Requests") && table.contains(" kB"),
        "{table}"
    );
    let json = cli.json(&["bucket", "requests", name, "--last", "2d"])?;
    ensure!(sum(&json, "requests", |_| true) == 5, "{json}");
    for used in [vec!["usage"], vec!["usage", name, "--step", "day"]] {
        let json = cli.json(&used)?;
        ensure!(sum(&json, "requests", |_| true) == 5, "{used:?}: {json}");
        let table = cli.text(&used)?;
        ensure!(
            table.contains("Requests") && table.contains("Sent"),
            "{table}"
        );
    }
    let bill = cli.json(&["usage", "export"])?;
    let (row, total) = (&bill["buckets"][0], &bill["total"]);
    ensure!(
        row["requests"] == 5 && total["requests"] == 5 && total["sent_bytes"] == row["sent_bytes"],
        "{bill}"
    );
    let status = stack.agent.expect(&["status"])?;
    ensure!(status.contains("counted from"), "{status}");
    Ok(())
}

fn sum(page: &Value, member: &str, which: impl Fn(&Value) -> bool) -> u64 {
    let points = page["points"].as_array().into_iter().flatten();
    let counted = points.filter(|point| which(point));
    counted.filter_map(|point| point[member].as_u64()).sum()
}

/// Not the key of an object: neither at the control plane nor in the agent's state.
fn names_no_object(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            names_no_object(&path)?;
        } else if path.is_file() {
            let found = memchr::memmem::find(&std::fs::read(&path)?, SECRET_KEY.as_bytes());
            ensure!(found.is_none(), "{} names an object", path.display());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_through_nginx_are_counted_over_a_rotation() -> Result<()> {
    each_request_is_counted_once(Kind::Nginx).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_through_caddy_are_counted() -> Result<()> {
    each_request_is_counted_once(Kind::Caddy).await
}
