//! What the first start makes besides processes: the operator's account, an API token for `storm`,
//! the region, the agent's enrolment. Each step looks first whether it has been done.

use std::{env, fs};

use anyhow::Context as _;
use reqwest::{Method, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use storm_protocol::{
    api::{
        AgentPage, CreateEnrolTokenRequest, CreateRegionRequest, CreateTokenRequest,
        EnrolTokenCreated, Region, RegionPage, SignInRequest, TokenCreated, TokenPage, TrustBundle,
        Whoami,
    },
    ident::{Digest, RegionName},
    trust::TrustDocument,
};
use zeroize::Zeroizing;

use super::{
    data::{Data, Memory},
    garage::S3_REGION,
    ports::Ports,
    pulse::Pulse,
};
use crate::{
    client::{Api, Call, Credential},
    clock,
    config::Config,
    errors::ApiError,
    files,
};

/// The operator's e-mail address when none is given.
const DEFAULT_EMAIL: &str = "admin@localhost";
/// The region that this machine is.
const REGION: &str = "local";
/// What the API token of the written configuration is called.
const TOKEN_NAME: &str = "storm up";
/// What generated passwords are made of: 32 letters and digits that nobody mistakes for another.
const PASSWORD_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters in each group of a generated password, and groups: 100 bits.
const PASSWORD_GROUP_LETTERS: usize = 5;
const PASSWORD_GROUPS: usize = 4;
/// Seconds that the enrolment token of this machine's agent lasts.
const ENROL_TOKEN_SECONDS: u32 = 600;

/// The operator's account.
pub(super) struct Admin {
    /// The e-mail address.
    pub(super) email: String,
    /// The password.
    pub(super) password: SecretString,
}

impl Admin {
    /// The account that the environment asks for.
    fn from_environment(memory: &Memory) -> Option<Self> {
        let password = variable("STORM_ADMIN_PASSWORD")?;
        let email = variable("STORM_ADMIN_EMAIL").or_else(|| memory.admin_email.clone());
        Some(Self {
            email: email.unwrap_or_else(|| DEFAULT_EMAIL.to_owned()),
            password: password.into(),
        })
    }

    /// The account of the first start: what the environment asks for, else with a generated
    /// password, which is kept in a file until it has been shown. A first start that was cut short
    /// is taken up with the same.
    pub(super) fn choose(data: &Data, memory: &mut Memory) -> anyhow::Result<Self> {
        let admin = match Self::from_environment(memory) {
            Some(admin) => admin,
            None => {
                let email = memory
                    .admin_email
                    .take()
                    .filter(|_| variable("STORM_ADMIN_EMAIL").is_none());
                let email = email.or_else(|| variable("STORM_ADMIN_EMAIL"));
                Self {
                    email: email.unwrap_or_else(|| DEFAULT_EMAIL.to_owned()),
                    password: kept_password(data)?,
                }
            }
        };
        memory.admin_email = Some(admin.email.clone());
        Ok(admin)
    }
}

/// A client of the API with the operator's token; makes token and configuration when there are none.
pub(super) async fn operator(
    data: &Data,
    ports: Ports,
    memory: &Memory,
    admin: Option<&Admin>,
) -> anyhow::Result<(Api, Config)> {
    let url: url::Url = ports.web_url().parse()?;
    if let Some(mut config) = Config::load_if_there(&data.cli_config())? {
        let api = Api::new(url.clone(), Credential::Token(config.token.clone()))?;
        match api.get::<Whoami>("/whoami").await {
            Ok(_) if config.api_url == url => return Ok((api, config)),
            Ok(_) => {
                config.api_url = url;
                config.save(&data.cli_config())?;
                return Ok((api, config));
            }
            // Taken back, or of a first start that was cut short: a new one is made below.
            Err(ApiError::Problem { status: 401, .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let given;
    let admin = match admin {
        Some(admin) => admin,
        None => {
            given = Admin::from_environment(memory).with_context(|| {
                format!(
                    "The token in {} is missing or was taken back. Set STORM_ADMIN_EMAIL and \
                     STORM_ADMIN_PASSWORD to the operator's for this start, and a new one is made.",
                    data.cli_config().display()
                )
            })?;
            &given
        }
    };
    let config = sign_in(url.clone(), admin).await.with_context(|| {
        format!(
            "The operator {} was not signed in. A new password is made with `storm-buckets user \
             reset-password {} --config {}`; start with it as STORM_ADMIN_PASSWORD",
            admin.email,
            admin.email,
            data.server_config().display()
        )
    })?;
    config.save(&data.cli_config())?;
    Ok((
        Api::new(url, Credential::Token(config.token.clone()))?,
        config,
    ))
}

/// Makes the region that this machine is, unless it is there.
pub(super) async fn region(api: &Api, ports: Ports) -> anyhow::Result<()> {
    let regions = api.list::<RegionPage>("/regions", &[]).await?;
    if regions.iter().any(|region| region.name.as_str() == REGION) {
        return Ok(());
    }
    let request = CreateRegionRequest {
        name: region_name()?,
        s3_endpoint: ports.s3_endpoint(),
        s3_region: S3_REGION.to_owned(),
        website_domain: None,
    };
    post::<_, Region>(api, "/regions", &request).await?;
    Ok(())
}

/// Enrols the agent, unless it is.
pub(super) async fn enrol(api: &Api, pulse: &Pulse) -> anyhow::Result<()> {
    pulse.make_token().await?;
    if pulse.is_enrolled() {
        return Ok(());
    }
    let request = CreateEnrolTokenRequest {
        region: Some(region_name()?),
        expires_in_seconds: Some(ENROL_TOKEN_SECONDS),
    };
    let made: EnrolTokenCreated = post(api, "/agents/enrol-tokens", &request).await?;
    pulse.enrol(&made.url, &made.secret).await
}

/// Whether this machine's agent is connected.
pub(super) async fn is_connected(api: &Api) -> bool {
    let agents = api.list::<AgentPage>("/agents", &[]).await;
    agents.is_ok_and(|agents| {
        agents
            .iter()
            .any(|agent| agent.region.as_str() == REGION && agent.connected)
    })
}

/// The first start has come to its end: the password was shown and is kept no longer.
pub(super) fn finish(data: &Data, memory: &mut Memory) -> anyhow::Result<()> {
    memory.complete = true;
    data.remember(memory)?;
    let _ = fs::remove_file(data.first_password());
    Ok(())
}

/// Signs in with the password, takes an API token and signs out again.
async fn sign_in(url: url::Url, admin: &Admin) -> anyhow::Result<Config> {
    let api = Api::new(url.clone(), Credential::None)?;
    let body = serde_json::to_value(SignInRequest {
        email: admin.email.clone(),
        password: admin.password.expose_secret().to_owned(),
    })?;
    let (_, headers, answer) = api
        .send(&call(Method::POST, "/session", Some(&body)))
        .await?;
    let whoami: Whoami = serde_json::from_slice(&answer)?;
    let cookie = headers
        .get(header::SET_COOKIE)
        .and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie
        .and_then(|cookie| cookie.split(';').next())
        .context("Signing in set no cookie.")?;
    let session = api.with(Credential::Cookie(SecretString::from(cookie)));
    // A start that was cut short left one that nobody knows.
    for token in session.list::<TokenPage>("/tokens", &[]).await? {
        if token.name == TOKEN_NAME {
            session
                .send(&call(
                    Method::DELETE,
                    &format!("/tokens/{}", token.id),
                    None,
                ))
                .await?;
        }
    }
    let request = CreateTokenRequest {
        name: TOKEN_NAME.to_owned(),
        expires_at: None,
    };
    let made: TokenCreated = post(&session, "/tokens", &request).await?;
    let root_key = root_key(&session).await?;
    session
        .send(&call(Method::DELETE, "/session", None))
        .await?;
    Ok(Config {
        api_url: url,
        token: made.secret.into(),
        root_key,
        account: Some(whoami.account),
        region: None,
    })
}

async fn root_key(api: &Api) -> anyhow::Result<Digest> {
    let bundle: TrustBundle = api.get("/trust").await?;
    TrustDocument::open(&bundle.trust, bundle.root_key)
        .context("The trust document is not signed by the root key")?;
    Ok(bundle.root_key.id())
}

async fn post<B: Serialize, T: serde::de::DeserializeOwned>(
    api: &Api,
    path: &str,
    body: &B,
) -> anyhow::Result<T> {
    let body = serde_json::to_value(body)?;
    Ok(api.json(&call(Method::POST, path, Some(&body))).await?)
}

fn call<'a>(method: Method, path: &'a str, body: Option<&'a serde_json::Value>) -> Call<'a> {
    Call {
        method,
        path,
        body,
        idempotency_key: None,
    }
}

fn region_name() -> anyhow::Result<RegionName> {
    Ok(REGION.parse()?)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The generated password that has not been shown yet; generates it first.
fn kept_password(data: &Data) -> anyhow::Result<SecretString> {
    let path = data.first_password();
    if path.exists() {
        let bytes = files::read_private(&path)?;
        let text = std::str::from_utf8(&bytes)
            .ok()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        return text
            .map(SecretString::from)
            .with_context(|| format!("{} is damaged", path.display()));
    }
    let password = generate_password()?;
    files::write_private(&path, password.expose_secret().as_bytes())?;
    Ok(password)
}

fn generate_password() -> anyhow::Result<SecretString> {
    let bytes = Zeroizing::new(clock::random::<{ PASSWORD_GROUP_LETTERS * PASSWORD_GROUPS }>()?);
    let groups: Vec<String> = bytes
        .chunks(PASSWORD_GROUP_LETTERS)
        .map(|group| {
            group
                .iter()
                .map(|byte| char::from(PASSWORD_ALPHABET[usize::from(byte % 32)]))
                .collect()
        })
        .collect();
    Ok(SecretString::from(groups.join("-")))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::{PASSWORD_ALPHABET, generate_password};

    #[test]
    fn generated_passwords_are_long_readable_and_new() {
        let password = generate_password().unwrap();
        let text = password.expose_secret();
        assert_eq!(text.len(), 23);
        assert!(
            text.bytes()
                .all(|byte| byte == b'-' || PASSWORD_ALPHABET.contains(&byte))
        );
        assert_ne!(text, generate_password().unwrap().expose_secret());
    }
}
