//! Without `storm up`: a control plane and an agent from their configuration files, as two users of
//! the system, beside a Garage that was there before with buckets of its own.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    BIN_DIR_VARIABLE,
    agent::{Agent, Start},
    garage::Cluster,
    program,
    server::Server,
    stack::REGION,
    tools::Tools,
    wait,
};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{api::OperationStatus, seal::OpenKey};

/// Numbers that no account of the machine has.
const SERVER_USER: u32 = 61_001;
const AGENT_USER: u32 = 61_002;

#[tokio::test(flavor = "multi_thread")]
async fn a_garage_that_was_there_before_is_taken_over() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can start programs as two other users");
        return Ok(());
    }
    let cluster = Cluster::single().await?;
    let (old_key, secret) = ("GK00112233445566778899aabb", "cd".repeat(32));
    let old = cluster.admin.create_bucket("films").await?;
    cluster
        .admin
        .import_key(old_key, &secret, "someone's")
        .await?;
    cluster.admin.allow_all(&old, old_key).await?;

    let directory = tempfile::Builder::new().prefix("storm-users-").tempdir()?;
    open_to_others(directory.path(), 0o755)?;
    let mut server = Server::prepare(&directory.path().join("server"))?;
    let mut agent = Agent::prepare(&directory.path().join("agent"), cluster.first()?, &[])?;
    let programs = copy_programs(directory.path())?;
    // What the operations page says: the agent's group may write to Garage's socket.
    for ancestor in cluster.first()?.admin_socket.ancestors().skip(1).take(2) {
        open_to_others(ancestor, 0o755)?;
    }
    chown(&cluster.first()?.admin_socket, None, Some(AGENT_USER))?;

    give(&server.directory, SERVER_USER)?;
    server.use_programs(&programs);
    server.run_as(SERVER_USER);
    server.start().await?;
    let api = server.api().await?;
    api.create_region(REGION, &cluster.s3_endpoint()?).await?;
    let token = api.enrol_token(REGION).await?;

    give(&agent.directory, AGENT_USER)?;
    // Garage's configuration is for root alone, so root makes the token, for the agent's user.
    agent.expect(&["token", "create"])?;
    agent.use_programs(&programs);
    agent.run_as(AGENT_USER);
    agent.expect(&["enroll", &token.url, &token.secret])?;
    agent.start(&Start::default())?;
    wait::until("the agent to connect", async || {
        let agents = api.agents().await?.items;
        Ok(agents.iter().any(|agent| agent.connected).then_some(()))
    })
    .await?;

    // A new bucket works, the old one is as it was, and its name is taken.
    let seal = OpenKey::generate();
    let body = |name: &str| {
        json!({
            "region": REGION, "name": name, "quota_bytes": null, "quota_objects": null,
            "key": "first", "seal_to": seal.seal_key(),
        })
    };
    let photos = body("photos");
    let answer = api
        .settle(Method::POST, "/buckets", Some(&photos), "new")
        .await?;
    let key = api
        .open(&answer, &seal, api.about().await?.root_key)
        .await?;
    let endpoint = cluster.s3_endpoint()?;
    let tools = Tools::new(directory.path(), &endpoint, key.id.as_str(), &key.secret)?;
    ensure!(tools.status("GET", "photos?list-type=2", None)? == 200);
    ensure!(tools.status("GET", "films?list-type=2", None)? == 403);
    let films = body("films");
    let taken = api
        .settle(Method::POST, "/buckets", Some(&films), "old")
        .await?;
    ensure!(
        taken.operation.state == OperationStatus::Failed,
        "{:?}",
        taken.operation
    );
    let old_tools = Tools::new(directory.path(), &endpoint, old_key, &secret)?;
    ensure!(old_tools.status("GET", "films?list-type=2", None)? == 200);
    cluster.admin.contents().await?.check_whole()?;

    // Neither reads the other's files, and what is secret is nobody else's.
    owned_and_closed(&server.data(), SERVER_USER)?;
    owned_and_closed(&agent.state(), AGENT_USER)?;
    for name in ["root.key", "dispatch.key", "ca.key"] {
        let mode = fs::metadata(server.data().join("keys").join(name))?.mode() & 0o777;
        ensure!(mode == 0o600, "{name} has mode {mode:o}");
    }
    agent.stop().await?;
    server.stop().await
}

fn open_to_others(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// Other users cannot reach a checkout below somebody's home.
fn copy_programs(directory: &Path) -> Result<PathBuf> {
    let programs = directory.join("bin");
    fs::create_dir(&programs)?;
    for name in ["storm-buckets", "storm-pulse"] {
        let built = program(name).with_context(|| format!("{BIN_DIR_VARIABLE} may help"))?;
        fs::copy(built, programs.join(name))?;
    }
    Ok(programs)
}

/// Gives a directory and all in it to a user.
fn give(path: &Path, user: u32) -> Result<()> {
    chown(path, Some(user), Some(user))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    Ok(())
}

/// Everything below belongs to the user, and nobody else gets in.
fn owned_and_closed(path: &Path, user: u32) -> Result<()> {
    let found = fs::symlink_metadata(path)?;
    ensure!(
        found.uid() == user,
        "{} belongs to {}",
        path.display(),
        found.uid()
    );
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            owned_and_closed(&entry?.path(), user)?;
        }
    }
    Ok(())
}
