//! What the first start makes besides processes: the operator's account, an API token for `storm`,
//! the region, the agent's enrolment. Each step looks first whether it has been done.

use std::{env, fs};

use anyhow::{Context as _, bail, ensure};
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

/// The shortest password that the control plane takes, in bytes.
const MIN_PASSWORD_BYTES: usize = 8;
/// The longest, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;
/// The longest e-mail address, in bytes (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;

/// What the environment says about the operator, checked before anything is made.
pub(super) struct Wish {
    email: Option<String>,
    password: Option<SecretString>,
}

impl Wish {
    /// Reads `STORM_ADMIN_EMAIL` and `STORM_ADMIN_PASSWORD`.
    ///
    /// # Errors
    /// When the control plane would refuse one of them.
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        Self::parse(
            variable("STORM_ADMIN_EMAIL")?,
            variable("STORM_ADMIN_PASSWORD")?,
        )
    }

    fn parse(email: Option<String>, password: Option<String>) -> anyhow::Result<Self> {
        let email = email.map(|email| email.trim().to_lowercase());
        if let Some(email) = &email {
            let is_address = email
                .split_once('@')
                .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
            let plain = !email.contains(|c: char| c.is_control() || c.is_whitespace());
            ensure!(
                is_address && plain && email.len() <= MAX_EMAIL_BYTES,
                "STORM_ADMIN_EMAIL {email:?} is not an e-mail address. Set it to one such as \
                 you@example.org, or leave it out for {DEFAULT_EMAIL}."
            );
        }
        if let Some(password) = &password {
            ensure!(
                (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&password.len()),
                "STORM_ADMIN_PASSWORD has {} bytes, but a password has {MIN_PASSWORD_BYTES} to \
                 {MAX_PASSWORD_BYTES}. Choose another, or leave it out and one is made.",
                password.len()
            );
        }
        Ok(Self {
            email,
            password: password.map(SecretString::from),
        })
    }
}

/// The operator's account.
pub(super) struct Admin {
    /// The e-mail address.
    pub(super) email: String,
    /// The password.
    pub(super) password: SecretString,
}

impl Admin {
    /// The account that the environment names with its password.
    fn given(wish: &Wish, memory: &Memory) -> Option<Self> {
        Some(Self {
            email: Self::email(wish, memory),
            password: wish.password.clone()?,
        })
    }

    fn email(wish: &Wish, memory: &Memory) -> String {
        let named = wish.email.as_ref().or(memory.admin_email.as_ref());
        named.map_or_else(|| DEFAULT_EMAIL.to_owned(), String::clone)
    }

    /// The account of the first start: what the environment asks for, else with a generated
    /// password, which is kept in a file until it has been shown. A first start that was cut short
    /// is taken up with the same.
    pub(super) fn choose(data: &Data, wish: &Wish, memory: &mut Memory) -> anyhow::Result<Self> {
        let admin = match Self::given(wish, memory) {
            Some(admin) => admin,
            None => Self {
                email: Self::email(wish, memory),
                password: kept_password(data)?,
            },
        };
        memory.admin_email = Some(admin.email.clone());
        Ok(admin)
    }
}

/// A client of the API with the operator's token; makes token and configuration when there are none.
pub(super) async fn operator(
    data: &Data,
    ports: Ports,
    wish: &Wish,
    memory: &Memory,
    admin: Option<&Admin>,
) -> anyhow::Result<(Api, Config)> {
    let url: url::Url = ports.web_url().parse()?;
    if let Some(mut config) = Config::load_if_there(&data.cli_config())? {
        let credential = match config.token(&data.cli_config()) {
            Ok(token) => Credential::Token(token),
            Err(_) => Credential::None,
        };
        let api = Api::new(url.clone(), credential)?;
        match api.get::<Whoami>("/whoami").await {
            Ok(_) if config.api_url == url => return Ok((api, config)),
            Ok(_) => {
                config.api_url = url;
                config.save(&data.cli_config())?;
                return Ok((api, config));
            }
            // Signed out, taken back, or of a first start that was cut short: a new one is made below.
            Err(ApiError::Problem { status: 401, .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let given;
    let admin = match admin {
        Some(admin) => admin,
        None => {
            given = Admin::given(wish, memory).with_context(|| {
                format!(
                    "The token in {} is missing or was taken back. Set STORM_ADMIN_EMAIL and \
                     STORM_ADMIN_PASSWORD to the operator's for this start, and a new one is made.",
                    data.cli_config().display()
                )
            })?;
            &given
        }
    };
    let (token, config) = sign_in(url.clone(), admin).await.with_context(|| {
        format!(
            "The operator {} was not signed in. A new password is made with `storm-buckets user \
             reset-password {} --config {}`; start with it as STORM_ADMIN_PASSWORD",
            admin.email,
            admin.email,
            data.server_config().display()
        )
    })?;
    config.save(&data.cli_config())?;
    Ok((Api::new(url, Credential::Token(token))?, config))
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
async fn sign_in(url: url::Url, admin: &Admin) -> anyhow::Result<(SecretString, Config)> {
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
        scopes: None,
        buckets: None,
    };
    let made: TokenCreated = post(&session, "/tokens", &request).await?;
    let root_key = root_key(&session).await?;
    session
        .send(&call(Method::DELETE, "/session", None))
        .await?;
    let token = SecretString::from(made.secret);
    let config = Config {
        api_url: url,
        token: Some(token.clone()),
        token_in_keyring: false,
        token_id: Some(made.token.id),
        root_key,
        account: Some(whoami.account),
        region: None,
    };
    Ok((token, config))
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

/// A variable of the environment; one that is empty counts as none.
fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8 text. Set it anew."),
    }
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

    use super::{PASSWORD_ALPHABET, Wish, generate_password};

    #[test]
    fn what_the_control_plane_would_refuse_is_refused_before() {
        let parse = |email: &str, password: &str| {
            Wish::parse(Some(email.to_owned()), Some(password.to_owned()))
        };
        let wish = parse(" Me@Example.org ", "long enough").unwrap();
        assert_eq!(wish.email.as_deref(), Some("me@example.org"));
        for email in ["me", "@example.org", "me@", "a b@example.org", "a@\u{7}b"] {
            let error = parse(email, "long enough").err().unwrap().to_string();
            assert!(error.contains("STORM_ADMIN_EMAIL"), "{error}");
        }
        for password in ["short", &"x".repeat(1025)] {
            let error = parse("me@example.org", password).err().unwrap().to_string();
            assert!(error.contains("STORM_ADMIN_PASSWORD"), "{error}");
            assert!(!error.contains(password), "{error}");
        }
    }

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
