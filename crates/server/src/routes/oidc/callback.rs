//! `GET /api/v1/oidc/{provider}/callback`

use axum::response::Response;
use axum_extra::extract::CookieJar;
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;
use storm_protocol::ident::UserId;

use super::{
    Refusal, cookie, cookie_name,
    page::{go_on, proved},
    provider,
};
use crate::{
    auth::{Anyone, audit, secret::StoredSecret},
    config::Oidc,
    error::ApiError,
    oidc::{Redeem, Said},
    routes::{
        check_email,
        session::begin::{How, begin},
    },
    store::{
        oidc::{Admission, Arrival, Flow},
        security::SecurityEvent,
    },
    web::Path,
};

/// The longest code that is passed on, in bytes.
const MAX_CODE_BYTES: usize = 4096;

/// What a provider sends along; there may be more.
#[derive(Deserialize)]
struct Answer {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Come back from a company's own provider.
///
/// The provider sends the browser here. It ends in a page that goes on by itself, or says what is wrong.
#[utoipa::path(
    get,
    path = "/api/v1/oidc/{provider}/callback",
    tag = "session",
    security(()),
    params(("provider" = String, Path, description = "Its name")),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "A page that goes on by itself; sets the session's cookie"),
        (status = 400, body = String, content_type = "text/html", description = "A page: this browser did not begin this sign-in, or too long ago"),
        (status = 403, body = String, content_type = "text/html", description = "A page: not let in, and why"),
        (status = 404, body = String, content_type = "text/html", description = "A page: there is no such provider"),
        (status = 502, body = String, content_type = "text/html", description = "A page: the provider does not answer"),
    ),
)]
pub(crate) async fn callback(
    anyone: Anyone,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    audit::note_act("session.create");
    let provider = provider(&anyone, &name)?;
    let answer = axum::extract::Query::<Answer>::try_from_uri(&uri).map_err(|_| not_begun())?;
    let jar = CookieJar::from_headers(&headers);
    let browser = jar
        .get(cookie_name(&anyone))
        .map(|cookie| cookie.value().to_owned());
    let browser = browser.ok_or_else(not_begun)?;
    let flow = take(&anyone, provider, &answer, &browser).await?;
    let app = anyone.app();
    let code = answer.0.code.filter(|code| code.len() <= MAX_CODE_BYTES);
    let code = code.filter(|_| answer.0.error.is_none()).ok_or_else(|| {
        let lead =
            "Your company's provider did not sign you in. Begin again, or ask your administrator.";
        Refusal::new(StatusCode::FORBIDDEN, "provider_refused", lead)
    })?;
    let redeem = Redeem {
        code,
        browser: &browser,
        proved_since: flow.session.map(|_| flow.created_at),
    };
    let said = anyone
        .providers()
        .redeem(
            provider,
            &app.config.web.public_url,
            redeem,
            app.clock.now(),
        )
        .await?;
    let expected = match flow.session {
        Some(session) => {
            let person = app
                .store
                .person_of_session(session, app.clock.now())
                .await?;
            Some(person.ok_or_else(another)?.user)
        }
        None => None,
    };
    let user = admit(&anyone, provider, &said, expected).await?;
    if let Some(session) = flow.session {
        audit::note_act("session.reauthenticate");
        app.store.prove_session(session, app.clock.now()).await?;
        return Ok(proved());
    }
    signed_in(&anyone, &headers, provider, user).await
}

/// The sign-in that this browser began with this state at this provider: any other is none.
async fn take(
    anyone: &Anyone,
    provider: &Oidc,
    answer: &Answer,
    browser: &str,
) -> Result<Flow, Refusal> {
    let state = answer.state.as_deref().and_then(StoredSecret::of_session);
    let secrets = state.zip(StoredSecret::of_session(browser));
    let secrets = secrets.ok_or_else(not_begun)?;
    let app = anyone.app();
    let flow = app
        .store
        .take_flow(secrets, &provider.name, app.clock.now())
        .await?;
    let flow = flow.ok_or_else(not_begun)?;
    // RFC 9207: another provider's answer under this one's address.
    if answer
        .iss
        .as_ref()
        .is_some_and(|issuer| *issuer != provider.issuer)
    {
        return Err(not_begun());
    }
    Ok(flow)
}

async fn admit(
    anyone: &Anyone,
    provider: &Oidc,
    said: &Said,
    expected: Option<UserId>,
) -> Result<UserId, Refusal> {
    let app = anyone.app();
    let origin = anyone.origin.map(|address| address.to_string());
    let email = said
        .verified_email
        .as_deref()
        .and_then(|email| check_email(email).ok());
    let refusal = match &email {
        None => refused(
            "email_not_verified",
            "Your company's provider does not say that your e-mail address is yours. Ask your administrator \
             to have it verified.",
        ),
        Some(email) if !provider.has_domain_of(email) => refused(
            "domain_not_mapped",
            "Your e-mail address is of no domain whose people sign in here this way. Sign in with your \
             password if you have one, or ask your administrator.",
        ),
        Some(email) => {
            let arrival = Arrival {
                issuer: &provider.issuer,
                subject: &said.subject,
                email,
                account: provider.account,
                role: provider.role_of(&said.groups),
                expected,
                origin: origin.as_deref(),
                tokens_until: app.clock.now().plus_seconds(provider.token_seconds()),
            };
            match app.store.admit(&arrival, app.clock.now()).await? {
                Admission::In(user) => return Ok(user),
                other => not_admitted(other),
            }
        }
    };
    let event = SecurityEvent {
        kind: "sign_in_failed",
        subject: email.as_deref().unwrap_or(&said.subject),
        origin: origin.as_deref(),
        detail: &provider.name,
    };
    app.store
        .note_security_event(event, app.clock.now())
        .await?;
    Err(refusal)
}

fn not_admitted(admission: Admission) -> Refusal {
    match admission {
        Admission::NoRole => refused(
            "no_role",
            "None of your groups at your company has a role here. Ask your administrator for one.",
        ),
        Admission::NotTheirs => refused(
            "sign_in_otherwise",
            "Your company's provider cannot sign you in here, since you had an account here before that it has \
             no say in. Sign in as you did before, or ask an operator.",
        ),
        Admission::Taken => refused(
            "address_taken",
            "Your e-mail address belonged to somebody else at your company. Ask an operator.",
        ),
        Admission::NoAccount => refused(
            "no_such_account",
            "The account that your company's people are in is not there. Tell an operator.",
        ),
        Admission::NotNow => refused(
            "account_suspended",
            "The account that your company's people are in is suspended or being closed, so nobody new comes in \
             now. Ask its owner.",
        ),
        Admission::Another | Admission::In(_) => another(),
    }
}

async fn signed_in(
    anyone: &Anyone,
    headers: &HeaderMap,
    provider: &Oidc,
    user: UserId,
) -> Result<Response, Refusal> {
    let method = format!("oidc:{}", provider.name);
    let how = How {
        longest_seconds: Some(provider.session_seconds()),
        ..How::from(method.as_str())
    };
    let begun = begin(anyone, headers, user, how).await;
    let (set, _) = begun.map_err(|error: ApiError| Refusal::internal(error.to_string()))?;
    let mut response = go_on("You are signed in", "You go on in a moment.");
    let end = cookie(anyone, "", 0)?;
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, end);
    for (name, value) in set {
        headers.append(name, value);
    }
    Ok(response)
}

fn refused(code: &'static str, lead: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, code, lead)
}

fn another() -> Refusal {
    let lead = "Your company's provider says that you are somebody else than who is signed in here, or your \
                session has ended. Nothing was changed.";
    refused("another_person", lead)
}

/// The same for whatever does not fit: whoever guesses learns nothing.
fn not_begun() -> Refusal {
    let lead = "This browser did not begin this sign-in, or began it more than ten minutes ago. You are not \
                signed in. Begin again.";
    Refusal::new(StatusCode::BAD_REQUEST, "not_begun", lead)
}
