//! `POST /api/v1/device-authorizations`

use http::StatusCode;
use storm_protocol::{
    api::{BeginDeviceRequest, DeviceCodes, MAX_CLIENT_CHARS, MAX_HOST_CHARS},
    ident::Scope,
};

use crate::{
    auth::{Anyone, device::UserCode, limits::network, secret::PlainSecret},
    error::ApiError,
    routes::tokens::create::check_scopes,
    store::device::NewDevice,
    web::Json,
};

/// Seconds that the codes last.
const CODES_SECONDS: u32 = 600;
/// Seconds between two questions for the token.
const INTERVAL_SECONDS: u32 = 5;
/// Days that a token lasts when the program does not say.
const TOKEN_DAYS: u32 = 90;
/// Days that it may last.
const MAX_TOKEN_DAYS: u32 = 365;
/// Programs that may wait from one network.
const MAX_WAITING_OF_A_NETWORK: i64 = 20;
/// Programs that may wait.
const MAX_WAITING: i64 = 10_000;
/// Seconds until to try again when too many wait.
const FULL_SECONDS: u64 = 60;

/// Ask to be let in, for a program that has no sign-in page (RFC 8628).
///
/// Show `user_code` and `verification_uri` to the person; keep `device_code` to yourself and ask for the
/// token with it every `interval` seconds.
#[utoipa::path(
    post,
    path = "/api/v1/device-authorizations",
    tag = "device",
    security(()),
    request_body = BeginDeviceRequest,
    responses(
        (status = 201, body = DeviceCodes),
        (status = 429, description = "`rate_limited`: too many wait; see Retry-After"),
    ),
)]
pub(crate) async fn begin(
    anyone: Anyone,
    Json(request): Json<BeginDeviceRequest>,
) -> Result<(StatusCode, Json<DeviceCodes>), ApiError> {
    check_words("client", &request.client, MAX_CLIENT_CHARS)?;
    check_words("host", &request.host, MAX_HOST_CHARS)?;
    let token_days = request.token_days.unwrap_or(TOKEN_DAYS);
    if !(1..=MAX_TOKEN_DAYS).contains(&token_days) {
        let why = format!("expected a whole number from 1 to {MAX_TOKEN_DAYS}");
        return Err(ApiError::field("token_days", why));
    }
    let scopes = request
        .scopes
        .map(|scopes| check_scopes(Some(scopes), None));
    let scopes: Option<Vec<Scope>> = scopes.transpose()?;
    let app = anyone.app();
    let now = app.clock.now();
    let (device, user) = (PlainSecret::link(), UserCode::new());
    let origin = anyone.origin.map(|address| address.to_string());
    // Behind a proxy that does not say who asks, this machine is everybody.
    let elsewhere = anyone.origin.filter(|address| !address.is_loopback());
    let network = elsewhere.map(|address| network(address).to_string());
    let most = network
        .as_ref()
        .map_or(MAX_WAITING, |_| MAX_WAITING_OF_A_NETWORK);
    let new = NewDevice {
        device: device.stored(),
        user: user.stored(),
        client: &request.client,
        host: &request.host,
        scopes: scopes.as_deref(),
        token_days,
        origin: origin.as_deref(),
        network: network.as_deref().unwrap_or_default(),
        created_at: now,
        expires_at: now.plus_seconds(CODES_SECONDS.into()),
        interval_seconds: INTERVAL_SECONDS,
    };
    if !app.store.begin_device(&new, most, MAX_WAITING).await? {
        return Err(ApiError::RateLimited {
            retry_after_seconds: FULL_SECONDS,
            message: "Too many programs wait to be let in. Answer those that you began, or try again in some \
                      minutes."
                .to_owned(),
        });
    }
    let page = format!("{}/device", app.config.web.public_url.trim_end_matches('/'));
    let codes = DeviceCodes {
        device_code: device.expose().to_owned(),
        verification_uri_complete: format!("{page}#{user}"),
        verification_uri: page,
        user_code: user.to_string(),
        expires_in: CODES_SECONDS.into(),
        interval: INTERVAL_SECONDS.into(),
    };
    Ok((StatusCode::CREATED, Json(codes)))
}

/// A stranger's words that somebody is to believe: nothing that looks like anything else.
fn check_words(field: &str, text: &str, most: usize) -> Result<(), ApiError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=most).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    let why = format!("expected 1 to {most} of a-z, A-Z, 0-9, '.', '_' and '-'");
    Err(ApiError::field(field, why))
}
