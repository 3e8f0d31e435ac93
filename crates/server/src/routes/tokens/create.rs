//! `POST /api/v1/tokens`

use http::StatusCode;
use storm_protocol::{
    api::{CreateTokenRequest, Token, TokenCreated},
    ident::TokenId,
};

use crate::{
    auth::{Caller, Viewer, secret::PlainSecret},
    clock::random,
    error::ApiError,
    routes::check_expiry,
    web::Json,
};

/// Tokens that a person may have in an account.
const MAX_TOKENS: i64 = 100;
/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Make an API token.
///
/// It may what you may, in this account. Its secret is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "tokens",
    request_body = CreateTokenRequest,
    responses(
        (status = 201, body = TokenCreated),
        (status = 409, description = "`too_many_tokens`"),
    ),
)]
pub(crate) async fn create(
    caller: Caller<Viewer>,
    Json(request): Json<CreateTokenRequest>,
) -> Result<(StatusCode, Json<TokenCreated>), ApiError> {
    let CreateTokenRequest { name, expires_at } = request;
    let length = name.chars().count();
    let plain = name.trim() == name && !name.chars().any(char::is_control);
    if !(1..=MAX_NAME_CHARS).contains(&length) || !plain {
        let why = format!(
            "expected 1 to {MAX_NAME_CHARS} characters, no space at either end, no control characters"
        );
        return Err(ApiError::field("name", why));
    }
    let now = caller.now();
    check_expiry(expires_at, now)?;
    let secret = PlainSecret::token();
    let token = Token {
        id: TokenId::new(now, random()),
        name,
        created_at: now,
        last_used_at: None,
        expires_at,
    };
    if !caller
        .store()
        .create_token(&token, secret.stored(), &caller.person, MAX_TOKENS)
        .await?
    {
        let message = format!(
            "You have {MAX_TOKENS} tokens in this account. Delete one that you do not use."
        );
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "too_many_tokens",
            message,
        ));
    }
    let secret = secret.expose().to_owned();
    Ok((StatusCode::CREATED, Json(TokenCreated { token, secret })))
}
