//! `GET /api/v1/oidc/{provider}/start`

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, Uri, header};
use serde::Deserialize;

use super::{FLOW_SECONDS, Refusal, cookie, provider};
use crate::{
    auth::{
        Anyone, audit,
        secret::{PlainSecret, StoredSecret},
    },
    oidc::Begin,
    web::Path,
};

/// Sign-ins that may be under way.
const MAX_FLOWS: i64 = 10_000;

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    /// A session.
    #[default]
    SignIn,
    /// A proof in the session that there is, before something dangerous.
    Reauthenticate,
}

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StartQuery {
    /// What for: `sign_in` when absent.
    #[serde(default)]
    #[param(inline)]
    purpose: Purpose,
}

/// Go to a company's own provider to sign in.
///
/// For a browser, which is sent on; what is wrong is a page. `GET /api/v1/about` lists the providers. With
/// `purpose=reauthenticate` the provider asks anew who is there, and the session that there is may then do
/// what is dangerous for ten minutes.
#[utoipa::path(
    get,
    path = "/api/v1/oidc/{provider}/start",
    tag = "session",
    security(()),
    params(("provider" = String, Path, description = "Its name"), StartQuery),
    responses(
        (status = 303, description = "To the provider; a cookie remembers which browser began"),
        (status = 401, body = String, content_type = "text/html", description = "A page: sign in first, to prove again who you are"),
        (status = 404, body = String, content_type = "text/html", description = "A page: there is no such provider"),
        (status = 429, body = String, content_type = "text/html", description = "A page: too many tries; see Retry-After"),
        (status = 502, body = String, content_type = "text/html", description = "A page: the provider does not answer"),
    ),
)]
pub(crate) async fn start(
    anyone: Anyone,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    audit::note_act("session.create");
    let query = axum::extract::Query::<StartQuery>::try_from_uri(&uri).map_err(|_| {
        let lead = "This address is not whole. Begin where you sign in.";
        Refusal::new(StatusCode::BAD_REQUEST, "bad_request", lead)
    })?;
    let provider = provider(&anyone, &name)?;
    let admitted = anyone.sign_in_limits().admit_network(anyone.origin);
    admitted.map_err(Refusal::rate_limited)?;
    let anew = query.purpose == Purpose::Reauthenticate;
    let session = if anew {
        Some(session(&anyone).await?)
    } else {
        None
    };
    let app = anyone.app();
    let now = app.clock.now();
    let (state, browser) = (PlainSecret::session(), PlainSecret::session());
    let begin = Begin {
        state: &state,
        browser: browser.expose(),
        anew,
    };
    let url = anyone
        .providers()
        .authorize_url(provider, &app.config.web.public_url, begin, now)
        .await?;
    let kept = app.store.begin_flow(
        (state.stored(), browser.stored()),
        &provider.name,
        session,
        (now, now.plus_seconds(FLOW_SECONDS)),
        MAX_FLOWS,
    );
    if !kept.await? {
        return Err(Refusal::rate_limited(60));
    }
    let cookie = cookie(&anyone, browser.expose(), FLOW_SECONDS)?;
    let headers = [(header::SET_COOKIE, cookie)];
    Ok((StatusCode::SEE_OTHER, headers, [(header::LOCATION, url)]).into_response())
}

/// The session that the browser has.
async fn session(anyone: &Anyone) -> Result<StoredSecret, Refusal> {
    let app = anyone.app();
    if let Some(session) = anyone.session
        && let Some(_) = app
            .store
            .person_of_session(session, app.clock.now())
            .await?
    {
        return Ok(session);
    }
    let lead = "You are not signed in, or your session has ended. Sign in again.";
    Err(Refusal::new(
        StatusCode::UNAUTHORIZED,
        "not_signed_in",
        lead,
    ))
}
