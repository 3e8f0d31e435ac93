//! Real Garage on this machine: a single node, or several with some or all copies on each.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    clock_shift::Clock, garage_program, node_admin::NodeAdmin, ports::free_port, process::Process,
    wait,
};

/// The S3 region name of every test cluster.
pub const S3_REGION: &str = "garage";
/// The domain under which every test cluster shows websites.
pub const WEB_DOMAIN: &str = "web.localhost";
/// Bytes that each node of a layout says it can hold.
const CAPACITY_BYTES: u64 = 10_000_000_000;

/// One node.
pub struct Node {
    process: Process,
    program: PathBuf,
    directory: PathBuf,
    single: bool,
    clock: Option<Clock>,
    rpc_secret: String,
    /// The configuration file.
    pub config: PathBuf,
    /// The admin API's socket.
    pub admin_socket: PathBuf,
    /// The port that speaks S3.
    pub s3_port: u16,
    /// The port that shows websites.
    pub web_port: u16,
}

/// A cluster.
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// An admin client of the first node, with a root token.
    pub admin: NodeAdmin,
    // Dropped last: the nodes write below it.
    _directory: TempDir,
}

struct Plan {
    directory: PathBuf,
    rpc_port: u16,
    s3_port: u16,
    web_port: u16,
    id: String,
}

impl Cluster {
    /// A single node, as `storm up` has it.
    pub async fn single() -> Result<Self> {
        Self::with_copies(1, 1).await
    }

    /// Three nodes with three copies of everything: here a kill cuts Garage's own handler.
    pub async fn three() -> Result<Self> {
        Self::with_copies(3, 3).await
    }

    /// `count` nodes that keep `copies` copies of each object; buckets, keys and their names are on all.
    pub async fn with_copies(count: usize, copies: usize) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("storm-garage-").tempdir()?;
        let rpc_secret = hex::encode(super::random::<32>()?);
        let mut plans = Vec::new();
        for index in 0..count {
            let node = directory.path().join(format!("node{index}"));
            plans.push(Plan::make(node)?);
        }
        let peers: Vec<_> = plans
            .iter()
            .map(|plan| format!("\"{}@127.0.0.1:{}\"", plan.id, plan.rpc_port))
            .collect();
        let mut nodes = Vec::new();
        for plan in &plans {
            nodes.push(Node::start(plan, &peers, copies, &rpc_secret)?);
        }
        let first = nodes.first().context("a cluster has nodes")?;
        let bare = NodeAdmin::without_token(&first.admin_socket)?;
        wait::until("Garage's admin socket", async || {
            Ok(bare.is_healthy().await.is_ok().then_some(()))
        })
        .await?;
        if count > 1 {
            lay_out(first, &plans).await?;
        }
        let token = first.create_token("the tests' own", None)?;
        let cluster = Self {
            admin: bare.with_token(&token),
            nodes,
            _directory: directory,
        };
        cluster.healthy().await?;
        Ok(cluster)
    }

    /// Waits until every node is there, and each can be written through.
    pub async fn healthy(&self) -> Result<()> {
        let count = self.nodes.len() as u64;
        wait::until("a healthy cluster", async || {
            let health = self.admin.get("GetClusterHealth").await?;
            let up = health["storageNodesUp"].as_u64();
            let healthy = health["status"] == "healthy" && up == Some(count);
            Ok(healthy.then_some(()))
        })
        .await?;
        for node in &self.nodes {
            let node = NodeAdmin::without_token(&node.admin_socket)?;
            wait::until("a node to reach the others", async || {
                Ok(node.is_healthy().await?.then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// The node that the agent stands beside.
    pub fn first(&self) -> Result<&Node> {
        self.nodes.first().context("a cluster has nodes")
    }

    /// Where S3 is spoken.
    pub fn s3_endpoint(&self) -> Result<String> {
        Ok(self.first()?.s3_endpoint())
    }
}

/// Gives every node a role. There is no token before there is a layout.
async fn lay_out(first: &Node, plans: &[Plan]) -> Result<()> {
    wait::until("all nodes to know each other", async || {
        let health = first.json_api("GetClusterHealth", &Value::Null)?;
        let connected = health["connectedNodes"].as_u64();
        Ok((connected == Some(plans.len() as u64)).then_some(()))
    })
    .await?;
    let role = |plan: &Plan| json!({ "id": plan.id, "zone": plan.id[..8], "capacity": CAPACITY_BYTES, "tags": [] });
    let roles: Vec<Value> = plans.iter().map(role).collect();
    first.json_api("UpdateClusterLayout", &json!({ "roles": roles }))?;
    first.json_api("ApplyClusterLayout", &json!({ "version": 1 }))?;
    // The others hear of it a moment later, and a token wants a quorum.
    wait::until("a quorum", async || {
        let tokens = first.json_api("ListAdminTokens", &Value::Null);
        Ok(tokens.is_ok().then_some(()))
    })
    .await
}

impl Plan {
    fn make(directory: PathBuf) -> Result<Self> {
        let meta = directory.join("meta");
        fs::create_dir_all(&meta)?;
        let key = SigningKey::from_bytes(&super::random::<32>()?);
        let public = key.verifying_key().to_bytes();
        let secret = meta.join("node_key");
        fs::write(&secret, [key.to_bytes(), public].concat())?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        fs::write(meta.join("node_key.pub"), public)?;
        Ok(Self {
            directory,
            rpc_port: free_port()?,
            s3_port: free_port()?,
            web_port: free_port()?,
            id: hex::encode(public),
        })
    }
}

impl Node {
    fn start(plan: &Plan, peers: &[String], copies: usize, rpc_secret: &str) -> Result<Self> {
        let config = plan.directory.join("garage.toml");
        let admin_socket = plan.directory.join("admin.sock");
        let single = peers.len() == 1;
        let text = format!(
            "metadata_dir = \"{directory}/meta\"\n\
             data_dir = \"{directory}/data\"\n\
             replication_factor = {copies}\n\
             rpc_bind_addr = \"127.0.0.1:{rpc_port}\"\n\
             rpc_public_addr = \"127.0.0.1:{rpc_port}\"\n\
             rpc_secret = \"{rpc_secret}\"\n\
             bootstrap_peers = [{peers}]\n\
             [s3_api]\n\
             s3_region = \"{S3_REGION}\"\n\
             api_bind_addr = \"127.0.0.1:{s3_port}\"\n\
             [s3_web]\n\
             bind_addr = \"127.0.0.1:{web_port}\"\n\
             root_domain = \".{WEB_DOMAIN}\"\n\
             [admin]\n\
             api_bind_addr = \"{socket}\"\n",
            directory = plan.directory.display(),
            rpc_port = plan.rpc_port,
            peers = if single {
                String::new()
            } else {
                peers.join(", ")
            },
            s3_port = plan.s3_port,
            web_port = plan.web_port,
            socket = admin_socket.display(),
        );
        fs::write(&config, text)?;
        // It holds the rpc secret, and Garage refuses one that others can read.
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
        let program = garage_program()?;
        let process = Self::spawn(&program, &plan.directory, &config, single, None)?;
        Ok(Self {
            process,
            program,
            directory: plan.directory.clone(),
            single,
            clock: None,
            rpc_secret: rpc_secret.to_owned(),
            config,
            admin_socket,
            s3_port: plan.s3_port,
            web_port: plan.web_port,
        })
    }

    fn spawn(
        program: &Path,
        directory: &Path,
        config: &Path,
        single: bool,
        clock: Option<&Clock>,
    ) -> Result<Process> {
        let mut command = Command::new(program);
        command.arg("-c").arg(config).arg("server");
        if single {
            command.arg("--single-node");
        }
        // Both variables make it smaller and its log readable; neither changes what it does.
        command
            .env("NO_COLOR", "1")
            .env("MALLOC_MMAP_THRESHOLD_", "1048576");
        if let Some(clock) = clock {
            clock.set(&mut command);
        }
        Process::spawn("garage", &mut command, &directory.join("garage.log"))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The secret of the cluster's own wire.
    pub fn rpc_secret(&self) -> &str {
        &self.rpc_secret
    }

    /// SIGKILLs the node.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts the node again.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        let _ = fs::remove_file(&self.admin_socket);
        self.process = Self::spawn(
            &self.program,
            &self.directory,
            &self.config,
            self.single,
            self.clock.as_ref(),
        )?;
        Ok(())
    }

    /// From its next start on it sees a time that is `seconds` off.
    pub fn shift_clock(&mut self, library: &Path, seconds: i64) {
        self.clock = Some(Clock::new(library, seconds, &self.directory));
    }

    /// Where this node speaks S3.
    pub fn s3_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.s3_port)
    }

    /// Makes an admin token on the node, as its owner can: no other token is needed. Without a
    /// scope it may do everything.
    pub fn create_token(&self, name: &str, scope: Option<&[&str]>) -> Result<String> {
        let mut body = json!({ "name": name, "neverExpires": true });
        if let Some(scope) = scope {
            body["scope"] = json!(scope);
        }
        let answer = self.json_api("CreateAdminToken", &body)?;
        let token = answer["secretToken"].as_str();
        token
            .map(str::to_owned)
            .context("the answer has no secretToken")
    }

    /// Any admin call, made on the node as its owner.
    pub fn json_api(&self, call: &str, body: &Value) -> Result<Value> {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.config).args(["json-api", call]);
        if !body.is_null() {
            command.arg(body.to_string());
        }
        let output = command.env("NO_COLOR", "1").output()?;
        ensure!(
            output.status.success(),
            "garage refuses {call}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
