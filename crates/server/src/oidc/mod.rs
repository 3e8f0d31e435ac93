//! OpenID Connect: what a company's provider is asked, and what of its answer is believed. Who is let in
//! as whom is decided in `store::oidc`.

mod http;
mod token;

use std::{collections::HashMap, sync::Arc};

use openidconnect::{
    AuthType, AuthenticationFlow, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope,
    core::{CoreAuthPrompt, CoreClientAuthMethod, CoreProviderMetadata, CoreResponseType},
};
use secrecy::ExposeSecret as _;
use storm_protocol::ident::{Digest, Micros};
use tokio::sync::Mutex;

use self::http::Http;
pub(crate) use self::token::Said;
use crate::{auth::secret::PlainSecret, config::Oidc};

/// Seconds that is believed what a provider says of itself.
const KNOWN_SECONDS: i64 = 3600;
/// Seconds between two looks for keys that are not known.
const RENEW_SECONDS: i64 = 60;
/// Seconds until a provider that did not answer is asked again.
const AGAIN_SECONDS: i64 = 5;

/// Why a provider's word is not had, or not taken. For the log; people are told less.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// It does not answer, or not as a provider does.
    #[error("the provider cannot be used: {0}")]
    Unreachable(String),
    /// What it says is not to be believed.
    #[error("the provider's word is not taken: {0}")]
    Untrusted(String),
}

type Client = openidconnect::Client<
    token::Rest,
    openidconnect::core::CoreAuthDisplay,
    openidconnect::core::CoreGenderClaim,
    openidconnect::core::CoreJweContentEncryptionAlgorithm,
    openidconnect::core::CoreJsonWebKey,
    CoreAuthPrompt,
    openidconnect::StandardErrorResponse<openidconnect::core::CoreErrorResponseType>,
    token::Tokens,
    openidconnect::core::CoreTokenIntrospectionResponse,
    openidconnect::core::CoreRevocableToken,
    openidconnect::core::CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What is known of each configured provider.
pub(crate) struct Providers(HashMap<String, Mutex<Slot>>);

#[derive(Default)]
struct Slot {
    known: Option<Arc<Known>>,
    failed_at: Option<Micros>,
}

/// What a provider says of itself, its keys among it.
struct Known {
    metadata: CoreProviderMetadata,
    http: Http,
    since: Micros,
}

/// The sign-in that a browser is sent off with.
pub(crate) struct Begin<'a> {
    /// Comes back with the answer.
    pub(crate) state: &'a PlainSecret,
    /// The secret in the browser's cookie.
    pub(crate) browser: &'a str,
    /// Whether they have to prove anew who they are.
    pub(crate) anew: bool,
}

/// The code that a browser came back with.
pub(crate) struct Redeem<'a> {
    /// The code.
    pub(crate) code: String,
    /// The secret in the browser's cookie.
    pub(crate) browser: &'a str,
    /// They have to have proved who they are since.
    pub(crate) proved_since: Option<Micros>,
}

impl Providers {
    /// Knows nothing yet.
    pub(crate) fn new(providers: &[Oidc]) -> Self {
        let slots = providers.iter();
        Self(
            slots
                .map(|it| (it.name.clone(), Mutex::default()))
                .collect(),
        )
    }

    /// The address at the provider that a browser is sent to.
    pub(crate) async fn authorize_url(
        &self,
        provider: &Oidc,
        public_url: &str,
        begin: Begin<'_>,
        now: Micros,
    ) -> Result<String, OidcError> {
        let known = self.known(provider, now).await?;
        let client = client(provider, &known, public_url)?;
        let verifier = PkceCodeVerifier::new(derived("pkce", begin.browser));
        let (state, nonce) = (
            begin.state.expose().to_owned(),
            derived("nonce", begin.browser),
        );
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if begin.anew {
            request = request
                .add_prompt(CoreAuthPrompt::Login)
                .set_max_age(std::time::Duration::ZERO);
        }
        let (url, _, _) = request.url();
        let expected = if provider.is_plain() { "http" } else { "https" };
        if url.scheme() != expected {
            return Err(OidcError::Unreachable(format!(
                "it sends people to {}:, not {expected}:",
                url.scheme()
            )));
        }
        Ok(url.into())
    }

    /// Redeems a code, and gives what the ID token says.
    pub(crate) async fn redeem(
        &self,
        provider: &Oidc,
        public_url: &str,
        redeem: Redeem<'_>,
        now: Micros,
    ) -> Result<Said, OidcError> {
        let known = self.known(provider, now).await?;
        let client = client(provider, &known, public_url)?;
        let verifier = PkceCodeVerifier::new(derived("pkce", redeem.browser));
        let tokens = token::exchange(&client, redeem.code, verifier, &known.http).await?;
        let nonce = Nonce::new(derived("nonce", redeem.browser));
        let check = token::Check {
            provider,
            nonce: &nonce,
            proved_since: redeem.proved_since,
            now,
        };
        let said = check.said(&client, &tokens);
        if !matches!(said, Err(token::Wrong::UnknownKey))
            || now < known.since.plus_seconds(RENEW_SECONDS)
        {
            return said.map_err(token::Wrong::into_error);
        }
        // It has changed its keys.
        let known = self.renewed(provider, now).await?;
        let client = self::client(provider, &known, public_url)?;
        check
            .said(&client, &tokens)
            .map_err(token::Wrong::into_error)
    }

    async fn known(&self, provider: &Oidc, now: Micros) -> Result<Arc<Known>, OidcError> {
        self.look(provider, now, KNOWN_SECONDS).await
    }

    async fn renewed(&self, provider: &Oidc, now: Micros) -> Result<Arc<Known>, OidcError> {
        self.look(provider, now, RENEW_SECONDS).await
    }

    /// What is known since `seconds` at most, else asked for: once, however many wait for it.
    async fn look(
        &self,
        provider: &Oidc,
        now: Micros,
        seconds: i64,
    ) -> Result<Arc<Known>, OidcError> {
        let missing = || OidcError::Unreachable("it is not configured".to_owned());
        let mut slot = self.0.get(&provider.name).ok_or_else(missing)?.lock().await;
        if let Some(known) = &slot.known
            && now < known.since.plus_seconds(seconds)
        {
            return Ok(Arc::clone(known));
        }
        if slot
            .failed_at
            .is_some_and(|at| now < at.plus_seconds(AGAIN_SECONDS))
        {
            let words = "it did not answer some seconds ago";
            return Err(OidcError::Unreachable(words.to_owned()));
        }
        match discover(provider, now).await {
            Ok(known) => {
                let known = Arc::new(known);
                *slot = Slot {
                    known: Some(Arc::clone(&known)),
                    failed_at: None,
                };
                Ok(known)
            }
            Err(error) => {
                slot.failed_at = Some(now);
                Err(error)
            }
        }
    }
}

/// Asks a provider about itself, for who checks a configuration.
pub(crate) async fn check(provider: &Oidc) -> Result<(), OidcError> {
    let known = discover(provider, Micros(0)).await?;
    client(provider, &known, "https://localhost").map(drop)
}

async fn discover(provider: &Oidc, now: Micros) -> Result<Known, OidcError> {
    let unusable = |error: &dyn std::error::Error| OidcError::Unreachable(with_causes(error));
    let http = Http::new(provider.is_plain()).map_err(|error| unusable(&error))?;
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|error| unusable(&error))?;
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await;
    let metadata = metadata.map_err(|error| unusable(&error))?;
    Ok(Known {
        metadata,
        http,
        since: now,
    })
}

fn client(provider: &Oidc, known: &Known, public_url: &str) -> Result<Client, OidcError> {
    let unusable = |error: String| OidcError::Unreachable(error);
    let secret = provider
        .secret()
        .map_err(|error| unusable(format!("{error:#}")))?;
    let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    let to = format!("{public_url}/api/v1/oidc/{}/callback", provider.name);
    let to = RedirectUrl::new(to).map_err(|error| unusable(error.to_string()))?;
    let metadata = known.metadata.clone();
    let methods = metadata.token_endpoint_auth_methods_supported();
    // Without a word from the provider, Basic is what the standard says.
    let by_body =
        methods.is_some_and(|all| !all.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let auth_type = if by_body {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    };
    let client = ClientId::new(provider.client_id.clone());
    Ok(Client::from_provider_metadata(metadata, client, secret)
        .set_redirect_uri(to)
        .set_auth_type(auth_type))
}

/// What a sign-in carries, made from the browser's secret: who has neither cookie nor provider has nothing.
fn derived(purpose: &str, browser: &str) -> String {
    Digest::of(format!("storm-buckets/oidc/{purpose}/v1 {browser}").as_bytes()).to_string()
}

/// An error with what led to it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}
