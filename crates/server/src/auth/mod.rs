//! Who asks, and what they may. A handler gets the store from an extractor that has checked its
//! caller, and from nowhere else: [`Caller`] for people who may do what the route does, [`Anyone`] for
//! the few routes that all may use. [`Gate`], the router's state, gives nothing away by itself.

use std::{
    marker::PhantomData,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum_extra::extract::CookieJar;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use secrecy::{ExposeSecret as _, SecretSlice};
use storm_protocol::{
    api::{VIA_HEADER, WAIT_SECONDS, via_from_header},
    envelope::{Actor, Via},
    ident::{Micros, UserId},
};
use webauthn_rs::Webauthn;

pub(crate) use self::access::{ForOperators, Need, act};
use self::{
    floods::FloodLimits,
    limits::{PersonLimits, SignInLimits},
    passkeys::Passkeys,
    password::Passwords,
    sealing::Sealer,
    secret::StoredSecret,
};
use crate::{
    app::App,
    error::ApiError,
    events::Streams,
    keys::Files,
    oidc::Providers,
    store::{Store, sessions::Person},
    web::BODY_TIMEOUT_SECONDS,
};

pub(crate) mod access;
pub(crate) mod audit;
mod counter;
pub(crate) mod device;
pub(crate) mod floods;
mod guessable;
pub(crate) mod limits;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod sealing;
pub(crate) mod second_factor;
pub(crate) mod secret;

/// The session cookie, where browsers come over TLS: with this prefix they take it from this very host
/// alone, over TLS, so that no neighbouring host can set it.
pub(crate) const COOKIE: &str = "__Host-storm_session";
/// Seconds that a proof of who is there counts, for what is dangerous.
const PROOF_SECONDS: i64 = 600;
/// The session cookie on this machine alone, over plain HTTP.
const PLAIN_COOKIE: &str = "storm_session";

/// What the session cookie is called.
pub(crate) const fn cookie_name(is_https: bool) -> &'static str {
    if is_https { COOKIE } else { PLAIN_COOKIE }
}

/// The router's state. Its content is private to this module: what a handler gets of it, it gets
/// from an extractor.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inside>);

struct Inside {
    app: App,
    passwords: Passwords,
    passkeys: Passkeys,
    sealer: Sealer,
    sign_in: SignInLimits,
    persons: PersonLimits,
    floods: FloodLimits,
    codes: device::CodeLimits,
    streams: Streams,
    providers: Providers,
    refusals: audit::Refusals,
    wait: Duration,
    body_limit: Duration,
    site: String,
}

impl Gate {
    /// The gate of `app`.
    pub(crate) fn new(app: App) -> Self {
        Self::with_wait(app, Duration::from_secs(WAIT_SECONDS))
    }

    /// What it is the gate of.
    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    /// The gate of `app`, with another wait for operations to end.
    pub(crate) fn with_wait(app: App, wait: Duration) -> Self {
        Self::with_times(app, wait, Duration::from_secs(BODY_TIMEOUT_SECONDS))
    }

    /// The gate of `app`, with another patience for bodies, too.
    pub(crate) fn with_times(app: App, wait: Duration, body_limit: Duration) -> Self {
        let figures = Arc::clone(&app.figures);
        let site = app
            .config
            .web
            .public_url
            .trim_end_matches('/')
            .to_ascii_lowercase();
        Self(Arc::new(Inside {
            persons: PersonLimits::new(&app.config.limits),
            floods: FloodLimits::new(&app.config.limits),
            codes: device::CodeLimits::default(),
            sealer: Sealer::new(Files::new(&app.config.data_dir).second_factor_key()),
            providers: Providers::new(&app.config.oidc),
            passkeys: Passkeys::at(&app.config.web.public_url),
            app,
            passwords: Passwords::counted_in(figures.passwords.clone()),
            sign_in: SignInLimits::default(),
            streams: Streams::counted_in(figures.streams.clone()),
            refusals: audit::Refusals::default(),
            wait,
            body_limit,
            site,
        }))
    }

    /// How often argon2 has run.
    #[cfg(test)]
    pub(crate) fn password_runs(&self) -> u64 {
        self.0.passwords.runs()
    }

    /// The open streams of events.
    #[cfg(test)]
    pub(crate) fn streams(&self) -> &Streams {
        &self.0.streams
    }

    /// How long a body may take to arrive.
    pub(crate) fn body_limit(&self) -> Duration {
        self.0.body_limit
    }

    /// Opens what was sealed for `user`.
    fn open(&self, sealed: &str, user: UserId) -> Result<SecretSlice<u8>, ApiError> {
        let opened = self.0.sealer.open(sealed, &user.to_string());
        opened.map_err(|error| ApiError::Internal(format!("{error:#}")))
    }

    /// Whether browsers come over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.0.site.starts_with("https://")
    }

    fn session_secret(&self, headers: &HeaderMap) -> Option<StoredSecret> {
        let name = cookie_name(self.is_https());
        StoredSecret::of_session(CookieJar::from_headers(headers).get(name)?.value())
    }

    async fn identify(&self, parts: &Parts) -> Result<Person, ApiError> {
        let app = &self.0.app;
        let now = app.clock.now();
        if let Some(header) = parts.headers.get(header::AUTHORIZATION) {
            let text = header
                .to_str()
                .ok()
                .and_then(|text| text.strip_prefix("Bearer "));
            let secret = text
                .and_then(StoredSecret::of_token)
                .ok_or_else(bad_token)?;
            return app
                .store
                .person_of_token(secret, now)
                .await?
                .ok_or_else(bad_token);
        }
        let secret = self.session_secret(&parts.headers);
        let secret = secret.ok_or_else(not_signed_in)?;
        self.same_site(&parts.method, &parts.headers)?;
        app.store
            .person_of_session(secret, now)
            .await?
            .ok_or_else(not_signed_in)
    }

    /// Counts the request for the person who asks.
    fn admit(&self, person: &Person, method: &Method) -> Result<(), ApiError> {
        let token = person.token.as_ref().map(|token| token.id);
        let counted = self.0.floods.admit(person.account, token);
        let counted = counted.and_then(|()| self.0.persons.admit(person.user, !method.is_safe()));
        counted.map_err(|retry_after_seconds| ApiError::RateLimited {
            retry_after_seconds,
            message: format!(
                "You ask for too much at once. Nothing was changed. Try again in \
                 {retry_after_seconds} s."
            ),
        })
    }

    /// Refuses a change that another site made the browser send. Browsers name the page's origin in
    /// `Origin` with each such request; whoever sends none is no browser, or has to show a header
    /// that no other site's page can set.
    fn same_site(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        if method.is_safe() {
            return Ok(());
        }
        let sound = match headers.get(header::ORIGIN) {
            Some(origin) => origin
                .as_bytes()
                .eq_ignore_ascii_case(self.0.site.as_bytes()),
            None => headers.contains_key(VIA_HEADER),
        };
        sound.then_some(()).ok_or_else(|| {
            let message = format!(
                "This request does not come from {}, where the dashboard is. Nothing was changed. \
                 Open that address; programs send an API token, or the header {VIA_HEADER}.",
                self.0.site
            );
            ApiError::refused(StatusCode::FORBIDDEN, "cross_site", message)
        })
    }
}

/// Somebody who is signed in and may do what the route does.
pub(crate) struct Caller<N: Need> {
    /// Who it is.
    pub(crate) person: Person,
    /// The address that the request came from.
    pub(crate) origin: Option<String>,
    session: Option<StoredSecret>,
    via: Via,
    gate: Gate,
    need: PhantomData<N>,
}

impl<N: Need> Caller<N> {
    /// What the roles share.
    pub(crate) fn app(&self) -> &App {
        &self.gate.0.app
    }

    /// The database.
    pub(crate) fn store(&self) -> &Store {
        &self.app().store
    }

    /// Now.
    pub(crate) fn now(&self) -> Micros {
        self.app().clock.now()
    }

    /// The session that they came with; none: an API token.
    pub(crate) fn session(&self) -> Option<StoredSecret> {
        self.session
    }

    /// How long a request waits for its operation.
    pub(crate) fn wait(&self) -> Duration {
        self.gate.0.wait
    }

    /// Counts tries of codes that let a program in.
    pub(crate) fn code_limits(&self) -> &device::CodeLimits {
        &self.gate.0.codes
    }

    /// The open streams of events.
    pub(crate) fn streams(&self) -> &Streams {
        &self.gate.0.streams
    }

    /// Seals a secret of theirs for the database.
    pub(crate) fn seal(&self, secret: &SecretSlice<u8>) -> Result<String, ApiError> {
        let owner = self.person.user.to_string();
        let sealed = self.gate.0.sealer.seal(secret.expose_secret(), &owner);
        sealed.map_err(|error| ApiError::Internal(format!("{error:#}")))
    }

    /// Opens one.
    pub(crate) fn open(&self, sealed: &str) -> Result<SecretSlice<u8>, ApiError> {
        self.gate.open(sealed, self.person.user)
    }

    /// The caller, as it stands in a command.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            account: self.person.account,
            user: self.person.user,
            operator: self.person.operator,
            via: self.via,
        }
    }
}

impl<N: Need> FromRequestParts<Gate> for Caller<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gate: &Gate) -> Result<Self, ApiError> {
        audit::note_act(N::ACT.name);
        let person = gate.identify(parts).await?;
        audit::note_person(&person);
        gate.admit(&person, &parts.method)?;
        let allowed = person.rights().allow(&N::ACT);
        allowed.map_err(|denied| {
            ApiError::refused(StatusCode::FORBIDDEN, denied.code(), denied.sentence())
        })?;
        if N::ACT.fresh {
            proved(&person, gate.0.app.clock.now())?;
        }
        let via = parts
            .headers
            .get(VIA_HEADER)
            .and_then(|via| via.to_str().ok());
        if !parts.method.is_safe() && !N::ACT.only_reads() {
            audit::expect_change();
        }
        Ok(Self {
            person,
            origin: origin(parts).map(|address| address.to_string()),
            session: match parts.headers.contains_key(header::AUTHORIZATION) {
                true => None,
                false => gate.session_secret(&parts.headers),
            },
            via: via_from_header(via),
            gate: gate.clone(),
            need: PhantomData,
        })
    }
}

/// Anyone at all, for the routes that are public or sign people in and out.
pub(crate) struct Anyone {
    /// The address that the request came from.
    pub(crate) origin: Option<IpAddr>,
    /// The session that the request brings, which nobody has checked.
    pub(crate) session: Option<StoredSecret>,
    gate: Gate,
}

impl Anyone {
    /// What the roles share.
    pub(crate) fn app(&self) -> &App {
        &self.gate.0.app
    }

    /// Checks passwords.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.gate.0.passwords
    }

    /// Checks passkeys, where the address of the server has them.
    pub(crate) fn passkeys(&self) -> Result<&Webauthn, ApiError> {
        self.gate.0.passkeys.here()
    }

    /// Opens a secret that was sealed for `user`.
    pub(crate) fn open(&self, sealed: &str, user: UserId) -> Result<SecretSlice<u8>, ApiError> {
        self.gate.open(sealed, user)
    }

    /// Counts tries to sign in.
    pub(crate) fn sign_in_limits(&self) -> &SignInLimits {
        &self.gate.0.sign_in
    }

    /// What is known of companies' providers.
    pub(crate) fn providers(&self) -> &Providers {
        &self.gate.0.providers
    }

    /// Whether browsers come over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.gate.is_https()
    }
}

impl FromRequestParts<Gate> for Anyone {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gate: &Gate) -> Result<Self, ApiError> {
        let session = gate.session_secret(&parts.headers);
        // Without a cookie and without `Origin` there is nothing that another site could use.
        if session.is_some() || parts.headers.contains_key(header::ORIGIN) {
            gate.same_site(&parts.method, &parts.headers)?;
        }
        Ok(Self {
            origin: origin(parts),
            session,
            gate: gate.clone(),
        })
    }
}

/// The client's address. A proxy on this machine is believed in what it adds last.
fn origin(parts: &Parts) -> Option<IpAddr> {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()?
        .0
        .ip()
        .to_canonical();
    let forwarded = || {
        let last = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    if peer.is_loopback() {
        forwarded().or(Some(peer))
    } else {
        Some(peer)
    }
}

/// Whether whoever came with a session proved who they are not long ago.
fn proved(person: &Person, now: Micros) -> Result<(), ApiError> {
    let long_ago = now.plus_seconds(-PROOF_SECONDS);
    if person.proved_at.is_none_or(|at| at >= long_ago) {
        return Ok(());
    }
    let message = "This is dangerous, so it needs a proof that you are still there. Nothing was changed. Prove \
                   it (POST /api/v1/session/reauthenticate), then ask again within ten minutes.";
    Err(ApiError::refused(
        StatusCode::FORBIDDEN,
        "reauthenticate",
        message,
    ))
}

fn not_signed_in() -> ApiError {
    let message = "You are not signed in, or your session has ended. Sign in again.";
    ApiError::refused(StatusCode::UNAUTHORIZED, "not_signed_in", message)
}

fn bad_token() -> ApiError {
    let message = "The API token is not valid: it is mistyped, was deleted, has ended, or rests until its maker \
                   signs in at their company again. Sign in again (`storm login`), or send a token that is valid \
                   as `Authorization: Bearer sbt_…`.";
    ApiError::refused(StatusCode::UNAUTHORIZED, "bad_token", message)
}
