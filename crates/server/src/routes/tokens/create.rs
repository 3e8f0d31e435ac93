//! `POST /api/v1/tokens`

use http::StatusCode;
use storm_protocol::{
    api::{CreateTokenRequest, Token, TokenCreated},
    ident::{BucketId, Micros, Scope, TokenId},
};

use crate::{
    auth::{
        Caller,
        access::{self, TokenRights},
        act,
        secret::PlainSecret,
    },
    clock::random,
    error::ApiError,
    routes::{check_expiry, own_bucket},
    web::Json,
};

/// Tokens that a person may have in an account.
pub(crate) const MAX_TOKENS: i64 = 100;
/// Scopes of a token.
const MAX_SCOPES: usize = 50;
/// Buckets of a token that is for certain ones.
const MAX_BUCKETS: usize = 100;
/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Make an API token.
///
/// It may what you may in this account, or less: by `scopes` and, with `buckets`, with these alone. Its
/// secret is shown this once.
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
    caller: Caller<act::CreateToken>,
    Json(request): Json<CreateTokenRequest>,
) -> Result<(StatusCode, Json<TokenCreated>), ApiError> {
    let CreateTokenRequest {
        name,
        expires_at,
        scopes,
        buckets,
    } = request;
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
    let held = caller.person.token.as_ref();
    outlives_none(expires_at, held)?;
    let scopes = check_scopes(scopes, held)?;
    let buckets = check_buckets(&caller, buckets).await?;
    let secret = PlainSecret::token();
    let token = Token {
        id: TokenId::new(now, random()),
        name,
        created_at: now,
        last_used_at: None,
        expires_at,
        scopes,
        buckets,
    };
    if !caller
        .store()
        .create_token(&token, secret.stored(), &caller.person, MAX_TOKENS)
        .await?
    {
        return Err(too_many());
    }
    let secret = secret.expose().to_owned();
    Ok((StatusCode::CREATED, Json(TokenCreated { token, secret })))
}

/// There is no room for one more.
pub(crate) fn too_many() -> ApiError {
    let message =
        format!("You have {MAX_TOKENS} tokens in this account. Delete one that you do not use.");
    ApiError::refused(StatusCode::CONFLICT, "too_many_tokens", message)
}

/// A token that is made with a token ends when that one does, at the latest.
fn outlives_none(expires_at: Option<Micros>, held: Option<&TokenRights>) -> Result<(), ApiError> {
    let Some(end) = held.and_then(|token| token.expires_at) else {
        return Ok(());
    };
    let sound = expires_at.is_some_and(|at| at <= end);
    sound.then_some(()).ok_or_else(|| {
        let why = format!(
            "the token that you came with ends at {}; expected that instant or an earlier one",
            end.0
        );
        ApiError::field("expires_at", why)
    })
}

/// The scopes of the new token: each names something, and a token hands on what it has itself alone.
pub(crate) fn check_scopes(
    asked: Option<Vec<Scope>>,
    held: Option<&TokenRights>,
) -> Result<Vec<Scope>, ApiError> {
    let wrong = |why: String| Err(ApiError::field("scopes", why));
    let everything = Scope::everything();
    let held = held.map_or(vec![everything], |token| token.scopes.clone());
    let mut scopes = asked.unwrap_or_else(|| held.clone());
    scopes.sort();
    scopes.dedup();
    if !(1..=MAX_SCOPES).contains(&scopes.len()) {
        return wrong(format!("expected 1 to {MAX_SCOPES} of them"));
    }
    for scope in &scopes {
        if !access::TABLE.iter().any(|act| scope.covers(act.name)) {
            return wrong(format!(
                "there is nothing called {scope}; docs/access.md lists what there is"
            ));
        }
        if !held.iter().any(|held| held.covers(scope.as_str())) {
            return wrong(format!(
                "the token that you came with has not {scope} itself"
            ));
        }
    }
    Ok(scopes)
}

/// The buckets of the new token, each of them the account's.
async fn check_buckets(
    caller: &Caller<act::CreateToken>,
    asked: Option<Vec<BucketId>>,
) -> Result<Option<Vec<BucketId>>, ApiError> {
    let Some(mut buckets) = asked else {
        return Ok(None);
    };
    buckets.sort();
    buckets.dedup();
    if !(1..=MAX_BUCKETS).contains(&buckets.len()) {
        let why = format!("expected 1 to {MAX_BUCKETS}; leave it out for all of the account's");
        return Err(ApiError::field("buckets", why));
    }
    for bucket in &buckets {
        own_bucket(caller, *bucket).await?;
    }
    Ok(Some(buckets))
}
