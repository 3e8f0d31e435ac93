//! Garage, a control plane and an agent, started one by one, so that a test can kill each alone.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;
use storm_protocol::{
    api::OperationAnswer,
    command::CommandResult,
    error::Failure,
    ident::{AccountId, Digest},
    receipt::Outcome,
    seal::OpenKey,
};
use tempfile::TempDir;

use super::{
    agent::{Agent, Start},
    api::{Api, Credential},
    garage::Cluster,
    server::Server,
    tools::Tools,
    wait,
};

/// The region in every test.
pub const REGION: &str = "home";

/// The three parts and the way into each.
pub struct Stack<C = Server> {
    /// The agent.
    pub agent: Agent,
    /// The control plane.
    pub server: C,
    /// The cluster.
    pub cluster: Cluster,
    /// The control plane's API as the operator.
    pub api: Api,
    /// The digest of the root key.
    pub root_key: Digest,
    /// The operator's account.
    pub account: AccountId,
    // Dropped last: the others write below it.
    directory: TempDir,
}

impl Stack {
    /// Everything around one Garage.
    pub async fn single() -> Result<Self> {
        Self::around(Cluster::single().await?).await
    }

    /// Everything around three Garages.
    pub async fn three() -> Result<Self> {
        Self::around(Cluster::three().await?).await
    }

    /// A control plane and an agent for a cluster that is there already.
    pub async fn around(cluster: Cluster) -> Result<Self> {
        Self::around_with(cluster, async |_, _| Ok(())).await
    }

    /// The same with what has to be otherwise, before anything starts; `adjust` is given the directory
    /// of both as well.
    pub async fn around_with(
        cluster: Cluster,
        adjust: impl AsyncFnOnce(&Path, &mut Server) -> Result<()>,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("storm-stack-").tempdir()?;
        let mut server = Server::prepare(&directory.path().join("server"))?;
        adjust(directory.path(), &mut server).await?;
        server.start().await?;
        let api = server.api().await?;
        Self::beside(directory, cluster, server, api, &[]).await
    }
}

impl<C> Stack<C> {
    /// An agent for a cluster and a control plane that run. It knows these hubs, or the one that its token
    /// names.
    pub async fn beside(
        directory: TempDir,
        cluster: Cluster,
        server: C,
        api: Api,
        hub_urls: &[&str],
    ) -> Result<Self> {
        api.create_region(REGION, &cluster.s3_endpoint()?).await?;
        let mut agent = Agent::prepare(&directory.path().join("agent"), cluster.first()?, &[])?;
        if !hub_urls.is_empty() {
            agent.name_hubs(hub_urls)?;
        }
        let token = api.enrol_token(REGION).await?;
        agent.enrol(&token.url, &token.secret)?;
        agent.start(&Start::default())?;
        let stack = Self {
            root_key: api.about().await?.root_key,
            account: api.whoami().await?.account,
            agent,
            server,
            cluster,
            api,
            directory,
        };
        stack.connected().await?;
        Ok(stack)
    }

    /// The directory that holds both.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Waits until the agent is connected.
    pub async fn connected(&self) -> Result<()> {
        self.wait_connected(true).await
    }

    /// Waits until the control plane has noticed that the agent is gone.
    pub async fn disconnected(&self) -> Result<()> {
        self.wait_connected(false).await
    }

    async fn wait_connected(&self, wanted: bool) -> Result<()> {
        let what = if wanted {
            "the agent to connect"
        } else {
            "the agent to be missed"
        };
        wait::until(what, async || {
            let agents = self.api.agents().await?.items;
            let agent = agents.first().context("no agent is enrolled")?;
            Ok((agent.connected == wanted).then_some(()))
        })
        .await
    }

    /// Ends the agent and starts it as told; waits until it is connected.
    pub async fn restart_agent(&mut self, start: &Start<'_>) -> Result<()> {
        self.agent.kill()?;
        self.disconnected().await?;
        self.agent.start(start)?;
        self.connected().await
    }

    /// Makes a bucket with a key that owns it.
    pub async fn create_bucket(
        &self,
        name: &str,
        quota_bytes: Option<u64>,
    ) -> Result<(OperationAnswer, Credential)> {
        let key = OpenKey::generate();
        let body = json!({
            "region": REGION, "name": name, "quota_bytes": quota_bytes, "quota_objects": null,
            "key": "first", "seal_to": key.seal_key(),
        });
        let answer = self.settle_post("/buckets", &body).await?;
        let credential = self.api.open(&answer, &key, self.root_key).await?;
        Ok((answer, credential))
    }

    /// The S3 tools with one credential.
    pub fn tools(&self, key: &Credential) -> Result<Tools> {
        Tools::new(
            self.directory(),
            &self.cluster.s3_endpoint()?,
            key.id.as_str(),
            &key.secret,
        )
    }

    /// Asks for a change with a fresh idempotency key, waits until it has ended, and verifies its
    /// receipt; an error unless it is done.
    pub async fn done(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<CommandResult> {
        let key = super::word()?;
        let answer = self.api.settle(method, path, body.as_ref(), &key).await?;
        let receipt = self
            .api
            .verified_receipt(&answer.operation, self.root_key)
            .await?;
        match receipt.outcome {
            Outcome::Done(result) => Ok(result),
            other => anyhow::bail!("{path} came to {other:?}"),
        }
    }

    /// Asks for a change that cannot be done; gives the code under which it failed.
    pub async fn failed(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<Failure> {
        let key = super::word()?;
        let answer = self.api.settle(method, path, body.as_ref(), &key).await?;
        match answer.operation.outcome {
            Some(Outcome::Failed { code, .. }) => Ok(code),
            other => anyhow::bail!("{path} came to {other:?}"),
        }
    }

    /// Makes a key; the body of the request lacks its `seal_to` alone.
    pub async fn create_key(&self, path: &str, mut body: serde_json::Value) -> Result<Credential> {
        let key = OpenKey::generate();
        body["seal_to"] = json!(key.seal_key());
        let answer = self.settle_post(path, &body).await?;
        self.api.open(&answer, &key, self.root_key).await
    }

    /// Asks for a change with a fresh idempotency key and waits until it has ended.
    pub async fn settle_post(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<OperationAnswer> {
        let key = super::word()?;
        self.api
            .settle(reqwest::Method::POST, path, Some(body), &key)
            .await
    }
}
