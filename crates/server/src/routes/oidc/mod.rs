//! Signing in at a company's own provider. A browser comes here itself, so that answers are pages.

pub(crate) mod callback;
mod page;
pub(crate) mod start;

use http::{HeaderValue, StatusCode};

use self::page::Refusal;
use crate::{auth::Anyone, config::Oidc, oidc::OidcError};

/// Seconds that a sign-in may take.
const FLOW_SECONDS: i64 = 600;

/// The provider of that name.
fn provider<'a>(anyone: &'a Anyone, name: &str) -> Result<&'a Oidc, Refusal> {
    let mut all = anyone.app().config.oidc.iter();
    all.find(|provider| provider.name == name).ok_or_else(|| {
        let lead = "There is no provider of this name here. Begin where you sign in.";
        Refusal::new(StatusCode::NOT_FOUND, "no_such_provider", lead)
    })
}

/// The cookie that binds a sign-in to the browser that began it.
fn cookie_name(anyone: &Anyone) -> &'static str {
    match anyone.is_https() {
        true => "__Host-storm_oidc",
        false => "storm_oidc",
    }
}

/// The header that sets that cookie to `value` for `seconds`; 0 takes it away. Lax: the provider sends the
/// browser back from another site.
fn cookie(anyone: &Anyone, value: &str, seconds: i64) -> Result<HeaderValue, Refusal> {
    let name = cookie_name(anyone);
    let secure = if anyone.is_https() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let mut value =
        HeaderValue::try_from(text).map_err(|error| Refusal::internal(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

impl From<OidcError> for Refusal {
    fn from(error: OidcError) -> Self {
        tracing::warn!(%error, "a sign-in at a provider failed");
        match error {
            OidcError::Unreachable(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "provider_unreachable",
                "Your company's provider cannot be reached, or does not answer as one. You are not signed in; \
                 everything else works. Try again in a minute; if it stays so, tell your administrator.",
            ),
            OidcError::Untrusted(_) => Self::new(
                StatusCode::FORBIDDEN,
                "provider_not_believed",
                "What your company's provider says cannot be believed, so you are not signed in. Begin again; \
                 if it stays so, tell your administrator.",
            ),
        }
    }
}
