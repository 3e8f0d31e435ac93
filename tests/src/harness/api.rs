//! A client of the control plane's API that trusts nothing it is told: secrets are opened here, and
//! receipts verified from the root key down.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use storm_protocol::{
    api::{
        About, AgentPage, BucketPage, EnrolTokenCreated, KeyPage, Operation, OperationAnswer,
        ReceiptPage, TokenCreated, TrustBundle, Whoami,
    },
    ident::{AccessKeyId, Digest, OperationId},
    receipt::{Outcome, Receipt},
    seal::{OpenKey, SealContext},
    trust::{AgentStatement, TrustDocument},
};

use super::wait;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Speaks to one control plane as one person.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null when there was none.
    pub body: Value,
}

/// A key whose secret this client opened.
#[derive(Clone)]
pub struct Credential {
    /// The key's id.
    pub id: AccessKeyId,
    /// Its secret, in the open: these are tests.
    pub secret: String,
}

impl Answer {
    /// The problem's code, if this is one.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    /// Reads the body of a success.
    pub fn read<T: DeserializeOwned>(self) -> Result<T> {
        ensure!(
            self.status.is_success(),
            "answered {}: {}",
            self.status,
            self.body
        );
        let text = self.body.to_string();
        serde_json::from_value(self.body).with_context(|| format!("cannot be read: {text}"))
    }
}

impl Api {
    /// Signs in with a password and takes an API token.
    pub async fn sign_in(base: &str, email: &str, password: &str) -> Result<Self> {
        let http = client()?;
        let body = json!({ "email": email, "password": password });
        let answer = http
            .post(format!("{base}/api/v1/session"))
            .json(&body)
            .send()
            .await?;
        let status = answer.status();
        let cookie = answer
            .headers()
            .get("set-cookie")
            .map(|cookie| cookie.to_str());
        let cookie = cookie
            .transpose()?
            .and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.map(str::to_owned);
        ensure!(
            status.is_success(),
            "signing in answered {status}: {}",
            answer.text().await?
        );
        let made = http
            .post(format!("{base}/api/v1/tokens"))
            .header("cookie", cookie.context("signing in sets no cookie")?)
            .header("origin", base)
            .header("storm-via", "web")
            .json(&json!({ "name": "stories", "expires_at": null }))
            .send()
            .await?;
        let status = made.status();
        let text = made.text().await?;
        ensure!(
            status.is_success(),
            "making a token answered {status}: {text}"
        );
        let made: TokenCreated = serde_json::from_str(&text)?;
        Self::with_token(base, &made.secret)
    }

    /// The same over connections of its own.
    pub fn apart(&self) -> Result<Self> {
        Self::with_token(&self.base, &self.token)
    }

    /// Uses a token that was made before.
    pub fn with_token(base: &str, token: &str) -> Result<Self> {
        Ok(Self {
            http: client()?,
            base: base.to_owned(),
            token: token.to_owned(),
        })
    }

    /// The token in use.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends any request below `/api/v1`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer> {
        let url = format!("{}/api/v1{path}", self.base);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }

    /// `GET`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.send(Method::GET, path, None, None).await?;
        answer.read().with_context(|| format!("GET {path}"))
    }

    /// `POST` with a body that may be refused.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        let body = serde_json::to_value(body)?;
        self.send(Method::POST, path, Some(&body), None).await
    }

    /// Who this client is.
    pub async fn whoami(&self) -> Result<Whoami> {
        self.get("/whoami").await
    }

    /// Root key digest and version.
    pub async fn about(&self) -> Result<About> {
        self.get("/about").await
    }

    /// The agents.
    pub async fn agents(&self) -> Result<AgentPage> {
        self.get("/agents").await
    }

    /// The buckets, as the control plane knows them.
    pub async fn buckets(&self) -> Result<BucketPage> {
        self.get("/buckets?limit=1000").await
    }

    /// The keys, as the control plane knows them.
    pub async fn keys(&self) -> Result<KeyPage> {
        self.get("/keys?limit=1000").await
    }

    /// A token that lets one agent enrol.
    pub async fn enrol_token(&self, region: &str) -> Result<EnrolTokenCreated> {
        let body = json!({ "region": region, "expires_in_seconds": 3600 });
        self.post("/agents/enrol-tokens", &body).await?.read()
    }

    /// Makes a region.
    pub async fn create_region(&self, name: &str, s3_endpoint: &str) -> Result<()> {
        let region = json!({
            "name": name, "s3_endpoint": s3_endpoint, "s3_region": super::garage::S3_REGION,
            "website_domain": null,
        });
        let answer = self.post("/regions", &region).await?;
        ensure!(answer.status.is_success(), "{answer:?}");
        Ok(())
    }

    /// Asks for a change and waits until its operation has ended, in whatever state.
    pub async fn settle(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: &str,
    ) -> Result<OperationAnswer> {
        wait::until(&format!("{method} {path} to end"), async || {
            // The same key asks for the same operation, however often.
            let answer = self
                .send(method.clone(), path, body, Some(idempotency_key))
                .await?;
            let status = answer.status;
            let answer: OperationAnswer = match status.as_u16() {
                200..=299 => answer.read()?,
                404 | 409 | 502 => return self.settled_in(&answer.body).await,
                _ => bail!("answered {status}: {}", answer.body),
            };
            Ok(answer.operation.state.is_final().then_some(answer))
        })
        .await
    }

    /// An operation that failed is told as a problem whose words name it; the operation itself
    /// says the rest.
    async fn settled_in(&self, problem: &Value) -> Result<Option<OperationAnswer>> {
        let words = problem["error"]["message"].as_str().unwrap_or_default();
        let id = words
            .rsplit_once("(operation ")
            .and_then(|(_, id)| id.strip_suffix(')'));
        let id = id.with_context(|| format!("no operation in {problem}"))?;
        let answer = self.operation(id.parse()?).await?;
        Ok(answer.operation.state.is_final().then_some(answer))
    }

    /// An operation with what came of it.
    pub async fn operation(&self, id: OperationId) -> Result<OperationAnswer> {
        self.get(&format!("/operations/{id}")).await
    }

    /// Tells the control plane that the secret has arrived.
    pub async fn acknowledge(&self, id: OperationId) -> Result<()> {
        let path = format!("/operations/{id}/acknowledge");
        let answer = self.send(Method::POST, &path, None, None).await?;
        ensure!(answer.status.is_success(), "{answer:?}");
        Ok(())
    }

    /// The account's receipts.
    pub async fn receipts(&self, query: &str) -> Result<ReceiptPage> {
        self.get(&format!("/receipts{query}")).await
    }

    /// Verifies an operation's receipt from the root key down and gives what it says.
    pub async fn verified_receipt(&self, operation: &Operation, root: Digest) -> Result<Receipt> {
        let bundle: TrustBundle = self.get("/trust").await?;
        ensure!(bundle.root_key.id() == root, "the root key is another");
        let trust = TrustDocument::open(&bundle.trust, bundle.root_key)?;
        let envelope = operation
            .receipt
            .as_ref()
            .context("the operation has no receipt")?;
        for statement in &bundle.agents {
            let statement = AgentStatement::open(statement, &trust)?;
            let Ok((receipt, _)) = Receipt::open(envelope, statement.receipt_key) else {
                continue;
            };
            ensure!(
                receipt.operation == operation.id,
                "the receipt is of another operation"
            );
            ensure!(
                receipt.agent == statement.agent,
                "the receipt names another agent"
            );
            return Ok(receipt);
        }
        bail!(
            "no agent's statement verifies the receipt of {}",
            operation.id
        )
    }

    /// Opens the secret of an answer, after its receipt has been verified and names its digest.
    pub async fn open(
        &self,
        answer: &OperationAnswer,
        key: &OpenKey,
        root: Digest,
    ) -> Result<Credential> {
        use secrecy::ExposeSecret as _;

        let receipt = self.verified_receipt(&answer.operation, root).await?;
        let sealed = answer
            .sealed
            .as_ref()
            .context("the answer has no sealed secret")?;
        ensure!(
            receipt.sealed == Some(sealed.digest()),
            "the receipt seals another secret"
        );
        ensure!(
            matches!(receipt.outcome, Outcome::Done(_)),
            "a secret for a command that did not do its work"
        );
        let context = SealContext {
            operation: receipt.operation,
            account: receipt.account,
            region: &receipt.region,
            agent: receipt.agent,
            key: &sealed.key,
        };
        let secret = sealed.open(key, &context)?;
        Ok(Credential {
            id: sealed.key.clone(),
            secret: secret.expose_secret().to_owned(),
        })
    }
}

fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .build()?)
}
