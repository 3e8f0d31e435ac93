//! The control plane: its configuration, how it is started, whether it answers.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{child::Recipe, data::Data, first::Admin, ports::Ports, programs::Programs};
use crate::files;

/// How long the control plane may take to answer: it makes keys and moves its database forward first.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one question whether it is ready may take.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// The control plane on this machine.
pub(super) struct Server {
    /// Its configuration.
    pub(super) config: PathBuf,
    ready_url: String,
    http: reqwest::Client,
}

#[derive(Serialize)]
struct Config {
    data_dir: PathBuf,
    web: Listener,
    hub: Listener,
}

#[derive(Serialize)]
struct Listener {
    listen: String,
    public_url: String,
}

impl Server {
    /// Writes its configuration.
    pub(super) fn prepare(data: &Data, ports: Ports) -> anyhow::Result<Self> {
        let listener = |port, public_url| Listener {
            listen: format!("127.0.0.1:{port}"),
            public_url,
        };
        let config = Config {
            data_dir: data.server(),
            web: listener(ports.web, ports.dashboard_url()),
            hub: listener(ports.hub, ports.hub_url()),
        };
        files::write_private(&data.server_config(), toml::to_string(&config)?.as_bytes())?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(READY_TIMEOUT)
            .build();
        Ok(Self {
            config: data.server_config(),
            ready_url: format!("{}/readyz", ports.web_url()),
            http: http.context("no HTTP client can be made")?,
        })
    }

    /// How it is started. With `admin`, it makes that operator's account if it has none.
    pub(super) fn recipe(&self, programs: &Programs, admin: Option<&Admin>) -> Recipe {
        let mut environment = vec![("NO_COLOR", "1".into())];
        if let Some(admin) = admin {
            environment.push(("STORM_ADMIN_EMAIL", admin.email.clone().into()));
            environment.push((
                "STORM_ADMIN_PASSWORD",
                admin.password.expose_secret().into(),
            ));
        }
        Recipe {
            program: programs.server.clone(),
            arguments: vec![
                "serve".into(),
                "--config".into(),
                self.config.clone().into(),
            ],
            environment,
        }
    }

    /// Whether it is ready.
    pub(super) async fn answers(&self) -> bool {
        let answer = self.http.get(&self.ready_url).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}
