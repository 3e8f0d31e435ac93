//! One node of Garage, as it is installed on a storage server.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command as Process, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    clock::random,
    folder,
    garage::{Endpoint, GarageClient, TokenMaker},
};

/// One node of Garage; killed when dropped.
pub(super) struct Garage {
    pub(super) folder: TempDir,
    pub(super) s3_port: u16,
    secret: String,
    process: Child,
    root: GarageClient,
    root_token: SecretString,
}

impl Garage {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (rpc, s3_port) = (free_port(), free_port());
        let root = folder.path().display();
        let config = format!(
            "metadata_dir = \"{root}/meta\"\ndata_dir = \"{root}/data\"\nreplication_factor = 1\n\
             rpc_bind_addr = \"127.0.0.1:{rpc}\"\n\
             [s3_api]\ns3_region = \"garage\"\napi_bind_addr = \"127.0.0.1:{s3_port}\"\n\
             [admin]\napi_bind_addr = \"{root}/admin.sock\"\n"
        );
        std::fs::write(folder.path().join("garage.toml"), config).unwrap();
        let secret = hex::encode(random::<32>());
        let process = Process::new(binary())
            .args(["-c", "garage.toml", "server", "--single-node"])
            .current_dir(folder.path())
            .env("GARAGE_RPC_SECRET", &secret)
            .env("MALLOC_MMAP_THRESHOLD_", "1048576")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let endpoint = Endpoint::Unix(folder.path().join("admin.sock"));
        let client = GarageClient::new(endpoint.clone(), SecretString::from("none"));
        let mut garage = Self {
            folder,
            s3_port,
            secret,
            process,
            root: client,
            root_token: SecretString::from("none"),
        };
        garage.wait_until_healthy().await;
        garage.root_token = garage.make_root_token();
        garage.root = GarageClient::new(endpoint, garage.root_token.clone());
        garage
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }

    /// The agent's token, made as the agent makes it. The RPC secret stands in its configuration.
    pub(super) async fn agent_token(&self) -> SecretString {
        let config = self.folder.path().join("with-secret.toml");
        let text = std::fs::read_to_string(self.folder.path().join("garage.toml")).unwrap();
        let secret = format!("rpc_secret = \"{}\"\n{text}", self.secret);
        std::fs::write(&config, secret).unwrap();
        let maker = TokenMaker {
            binary: binary(),
            config,
            file: self.folder.path().join("token"),
            owner: folder::owner_of(self.folder.path()).unwrap(),
        };
        maker.create("storm-pulse").await.unwrap()
    }

    /// What Garage answers to a root token, through its own command line.
    pub(super) fn ask(&self, call: &str, body: &Value) -> Value {
        let output = Process::new(binary())
            .args(["-c", "garage.toml", "json-api", call, &body.to_string()])
            .current_dir(self.folder.path())
            .env("GARAGE_RPC_SECRET", &self.secret)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    pub(super) async fn buckets(&self) -> Vec<crate::garage::BucketInfo> {
        self.root.list_buckets_info(None, 5000).await.unwrap()
    }

    pub(super) async fn keys(&self) -> Vec<crate::garage::KeyInfo> {
        self.root.list_keys_info(None, 5000).await.unwrap()
    }

    pub(super) fn secret_of(&self, key: &str) -> String {
        let info = self.ask(
            "GetKeyInfo",
            &serde_json::json!({ "id": key, "showSecretKey": true }),
        );
        info["secretAccessKey"].as_str().unwrap().to_owned()
    }

    /// The HTTP status of an S3 request by `key`.
    pub(super) fn s3(&self, method: &str, path: &str, key: &str, secret: &str) -> u16 {
        let output = Process::new("curl")
            .args([
                "-s",
                "--path-as-is",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "--aws-sigv4",
                "aws:amz:garage:s3",
            ])
            .args(["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"])
            .args(["-X", method, "--user", &format!("{key}:{secret}")])
            .args(if method == "PUT" {
                vec!["--data-binary", "hello"]
            } else {
                vec![]
            })
            .arg(format!("http://127.0.0.1:{}{path}", self.s3_port))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).parse().unwrap()
    }

    async fn wait_until_healthy(&self) {
        for _ in 0..400 {
            if matches!(self.root.health().await, Ok((200, _))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("Garage did not become healthy");
    }

    fn make_root_token(&self) -> SecretString {
        let body = serde_json::json!({ "name": "root", "neverExpires": true, "scope": ["*"] });
        let made = self.ask("CreateAdminToken", &body);
        SecretString::from(made["secretToken"].as_str().unwrap())
    }
}

impl Drop for Garage {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port below the range that the system gives to outgoing connections, given once: one of the
/// system's own choice could be another test's before Garage listens on it.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    static FIRST: LazyLock<u16> = LazyLock::new(|| u16::from_be_bytes(random::<2>()));
    loop {
        let tried = FIRST.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port = 12_000 + tried % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("STORM_GARAGE") {
        return PathBuf::from(path);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache
        .or_else(|| Some(std::env::home_dir()?.join(".cache")))
        .unwrap();
    let path = cache.join("storm-buckets/garage-2.5.0/bin/garage");
    assert!(
        path.exists(),
        "{} is missing: run cargo xtask test",
        path.display()
    );
    path
}
