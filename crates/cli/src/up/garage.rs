//! Garage as a single node: its configuration, how it is started, whether it is healthy.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{child::Recipe, data::Data, ports::Ports, programs::Programs};
use crate::{clock, files};

/// How long Garage may take to be healthy. It repairs its database first after a hard end.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long one question for its health may take.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);
/// The name of the S3 region that requests are signed for.
pub(super) const S3_REGION: &str = "garage";
/// How often Garage saves its metadata aside, since LMDB may be damaged by a hard end.
const SNAPSHOT_INTERVAL: &str = "6h";
/// Keeps a glibc build at 24 MB instead of hundreds.
const MALLOC_MMAP_THRESHOLD_BYTES: &str = "1048576";

/// Garage on this machine.
pub(super) struct Garage {
    /// Its configuration.
    pub(super) config: PathBuf,
    /// Its admin API.
    pub(super) admin_socket: PathBuf,
    /// Its S3, on this machine.
    pub(super) s3: String,
    http: reqwest::Client,
}

#[derive(Serialize)]
struct Config<'a> {
    metadata_dir: PathBuf,
    data_dir: PathBuf,
    db_engine: &'a str,
    metadata_auto_snapshot_interval: &'a str,
    replication_factor: u8,
    rpc_bind_addr: String,
    rpc_public_addr: String,
    rpc_secret_file: PathBuf,
    s3_api: S3Api<'a>,
    admin: Admin<'a>,
}

#[derive(Serialize)]
struct S3Api<'a> {
    s3_region: &'a str,
    api_bind_addr: String,
}

#[derive(Serialize)]
struct Admin<'a> {
    api_bind_addr: &'a Path,
}

impl Garage {
    /// Writes its configuration, and its secret when there is none.
    pub(super) fn prepare(
        data: &Data,
        ports: Ports,
        admin_socket: PathBuf,
    ) -> anyhow::Result<Self> {
        let directory = data.garage();
        let secret = directory.join("rpc-secret");
        if !secret.exists() {
            let text = Zeroizing::new(hex::encode(*Zeroizing::new(clock::random::<32>()?)));
            files::write_private(&secret, text.as_bytes())?;
        }
        let rpc = format!("127.0.0.1:{}", ports.rpc);
        let s3 = format!("127.0.0.1:{}", ports.s3);
        let config = Config {
            metadata_dir: directory.join("meta"),
            data_dir: directory.join("data"),
            db_engine: "lmdb",
            metadata_auto_snapshot_interval: SNAPSHOT_INTERVAL,
            replication_factor: 1,
            rpc_bind_addr: rpc.clone(),
            rpc_public_addr: rpc,
            rpc_secret_file: secret,
            s3_api: S3Api {
                s3_region: S3_REGION,
                api_bind_addr: s3.clone(),
            },
            admin: Admin {
                api_bind_addr: &admin_socket,
            },
        };
        let path = directory.join("garage.toml");
        files::write_private(&path, toml::to_string(&config)?.as_bytes())?;
        // Whoever finds it must not take a dead socket for a living Garage.
        let _ = fs::remove_file(&admin_socket);
        let http = reqwest::Client::builder()
            .unix_socket(admin_socket.as_path())
            .timeout(HEALTH_TIMEOUT)
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self {
            config: path,
            admin_socket,
            s3: format!("http://{s3}"),
            http,
        })
    }

    /// How it is started.
    pub(super) fn recipe(&self, programs: &Programs) -> Recipe {
        Recipe {
            program: programs.garage.clone(),
            arguments: vec![
                "-c".into(),
                self.config.clone().into(),
                "server".into(),
                "--single-node".into(),
            ],
            environment: vec![
                ("MALLOC_MMAP_THRESHOLD_", MALLOC_MMAP_THRESHOLD_BYTES.into()),
                ("NO_COLOR", "1".into()),
            ],
        }
    }

    /// Whether it is healthy.
    pub(super) async fn answers(&self) -> bool {
        let answer = self.http.get("http://garage/health").send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}
