//! HTTP matters that no route is alone with: reading bodies, queries and paths strictly, the guard
//! around every request (id, time limit, panics, error bodies, headers, log), and the plain page.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures_util::{FutureExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use storm_protocol::api::{Problem, ProblemBody};
use tracing::Instrument as _;

use crate::{
    app::App,
    auth::{Anyone, Gate},
    clock::random,
    error::{ApiError, Fault},
};

/// The largest body of a request, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;
/// Bytes of a body beyond that which are read and thrown away, so that its sender hears why: closing before
/// what was sent is read takes the answer back.
const MAX_THROWN_AWAY_BYTES: usize = 1024 * 1024;
/// Seconds until a body has to be there, counted from its first byte that is wanted.
pub(crate) const BODY_TIMEOUT_SECONDS: u64 = 15;
/// Seconds until a request is given up; longer than an operation is waited for.
const REQUEST_TIMEOUT_SECONDS: u64 = 30;
/// Seconds until to try again, where nothing better is known.
const RETRY_AFTER_SECONDS: u64 = 5;
/// Seconds that a browser remembers to come over TLS: a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// The header with the request's id.
pub(crate) const REQUEST_HEADER: HeaderName = HeaderName::from_static("storm-request");

const API_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
pub(crate) const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// A JSON body, in and out. Coming in: `application/json`, at most [`MAX_BODY_BYTES`], no unknown,
/// double or missing member, nothing after it; what is wrong is said with its field.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Gate> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, gate: &Gate) -> Result<Self, ApiError> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        let essence = media_type.split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body has to be JSON, with the header `Content-Type: application/json`.",
            ));
        }
        parse(&read_body(request.into_body(), gate.body_limit()).await?).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => {
                ApiError::Internal(format!("an answer cannot be written: {error}")).into_response()
            }
        }
    }
}

/// The query of a request; an unknown parameter is refused by the type's `deny_unknown_fields`.
pub(crate) struct Search<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Gate> for Search<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Gate) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| {
                let text = error.body_text();
                let why = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                ApiError::field("query", why)
            })
    }
}

/// The variable parts of a request's path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Gate> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gate: &Gate) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, gate).await;
        path.map(|path| Self(path.0)).map_err(|error| {
            let text = error.body_text();
            let why = text
                .split_once("not a valid")
                .map_or(text.as_str(), |(_, rest)| rest);
            let why = if why.len() < text.len() {
                format!("not a valid{why}")
            } else {
                text.clone()
            };
            ApiError::field("path", why)
        })
    }
}

async fn read_body(body: Body, limit: Duration) -> Result<Vec<u8>, ApiError> {
    let read = tokio::time::timeout(limit, read_bounded(body));
    read.await.map_err(|_| {
        let message =
            "The body did not arrive in time. Nothing was changed. Send it whole, at once.";
        ApiError::refused(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
    })?
}

async fn read_bounded(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut seen) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::field("body", "it broke off"))?;
        seen = seen.saturating_add(chunk.len());
        if seen <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&chunk);
        }
        if seen > MAX_BODY_BYTES + MAX_THROWN_AWAY_BYTES {
            break;
        }
    }
    if seen > MAX_BODY_BYTES {
        let message =
            format!("The body has more than {MAX_BODY_BYTES} bytes. Nothing was changed.");
        return Err(ApiError::refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            message,
        ));
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        let why = inner.to_string();
        let why = why.split(" at line ").next().unwrap_or(&why);
        if inner.is_syntax() || inner.is_eof() {
            return ApiError::field(
                "body",
                format!("this is not JSON, or not all of it ({why})"),
            );
        }
        ApiError::field(if path == "." { "body" } else { &path }, why)
    })?;
    reader
        .end()
        .map_err(|_| ApiError::field("body", "there is more after the JSON value"))?;
    Ok(value)
}

/// Around every request, outermost.
pub(crate) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let id = hex::encode(random::<8>());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let started = std::time::Instant::now();
    // All that is said meanwhile says of which request it is.
    let span = tracing::info_span!("request", request = id);
    let answer = AssertUnwindSafe(next.run(request).instrument(span)).catch_unwind();
    let limit = Duration::from_secs(REQUEST_TIMEOUT_SECONDS);
    let mut response = match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
            ApiError::Internal(format!("a handler panicked: {}", words.unwrap_or_default()))
                .into_response()
        }
        Err(_) => ApiError::Late.into_response(),
    };
    if let Some(fault) = response.extensions().get::<Fault>() {
        gate.app().figures.problem(&fault.code);
    }
    write_problem(&mut response, &id);
    write_headers(&mut response, &id, &gate);
    let took = started.elapsed();
    let status = response.status();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let route = route.as_deref().unwrap_or("none");
    gate.app().figures.answered(&method, route, status, took);
    let status = status.as_u16();
    if matches!(route, "/healthz" | "/readyz") {
        // Asked every few seconds, by machines.
        tracing::debug!(request = id, %method, route, status, micros, "answered");
    } else {
        tracing::info!(request = id, %method, route, status, micros, "answered");
    }
    response
}

/// Writes the body of an error, be it ours or the router's.
fn write_problem(response: &mut Response, id: &str) {
    let fault = response.extensions_mut().remove::<Fault>();
    let fault = match (fault, response.status()) {
        (Some(fault), _) => fault,
        (None, StatusCode::METHOD_NOT_ALLOWED) => Fault {
            code: "method_not_allowed".into(),
            message: "This address does not take that method.".to_owned(),
            retry_after_seconds: None,
            cause: None,
        },
        (None, _) => return,
    };
    if let Some(cause) = &fault.cause {
        tracing::error!(request = id, cause, "a request failed");
    }
    let media_type = response.headers().get(header::CONTENT_TYPE);
    if media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html")) {
        // A page says it itself.
        return;
    }
    let error = ProblemBody {
        code: fault.code.into_owned(),
        message: fault.message,
        request: id.to_owned(),
    };
    let headers = std::mem::take(response.headers_mut());
    let body = Json(Problem { error }).into_response();
    let status = response.status();
    *response = body;
    *response.status_mut() = status;
    // Such as `Allow`. The lengths are the old body's.
    for (name, value) in &headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    let headers = response.headers_mut();
    if let Some(seconds) = fault.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

fn write_headers(response: &mut Response, id: &str, gate: &Gate) {
    let later = matches!(
        response.status(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let headers = response.headers_mut();
    if later {
        headers
            .entry(header::RETRY_AFTER)
            .or_insert(RETRY_AFTER_SECONDS.into());
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(API_POLICY);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if gate.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_HEADER, id);
    }
}

/// What no route takes.
pub(crate) async fn nowhere(uri: Uri) -> ApiError {
    let message = format!(
        "There is nothing at {}. The API begins at /api/v1.",
        uri.path()
    );
    ApiError::refused(StatusCode::NOT_FOUND, "no_such_address", message)
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers too.
pub(crate) async fn readyz(anyone: Anyone) -> (StatusCode, &'static str) {
    match anyone.app().store.regions().await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(cause = error.to_string(), "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            )
        }
    }
}

/// A plain page that says what this is, for a server without its dashboard.
pub(crate) async fn page(anyone: Anyone) -> impl IntoResponse {
    let text = plain(anyone.app()).await;
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(text))
}

/// The plain page's text.
pub(crate) async fn plain(app: &App) -> String {
    let (class, words) = match app.store.regions().await {
        Ok(_) => ("up", "The API is up."),
        Err(_) => (
            "down",
            "The API is up, but its database does not answer. Buckets keep serving.",
        ),
    };
    include_str!("page/index.html")
        .replace("{{class}}", class)
        .replace("{{status}}", words)
        .replace("{{url}}", &escaped(&app.config.web.public_url))
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

/// `GET /page.css`: the page's style.
pub(crate) async fn page_style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, include_str!("page/page.css"))
}

/// Text as it stands in HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
