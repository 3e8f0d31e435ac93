//! `PUT /api/v1/keys/{key}/expiry`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{Key, OperationAnswer, SetKeyExpiryRequest},
    command::{Command, KeySetExpiry},
    ident::{AccessKeyId, Micros},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        check_expiry,
        command::{IdempotencyKey, Wish, ask},
        own_key,
    },
    web::{Json, Path},
};

/// Set when a key ends; never without an instant.
///
/// A suspended key is resumed first.
#[utoipa::path(
    put,
    path = "/api/v1/keys/{key}/expiry",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    request_body = SetKeyExpiryRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn set_expiry(
    caller: Caller<act::SetKeyExpiry>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
    Json(request): Json<SetKeyExpiryRequest>,
) -> Result<Response, ApiError> {
    // The same request again is answered as it was, whatever the key is by now.
    let region = match idempotency.asked_before(&caller).await? {
        Some(asked) => asked.region,
        None => settable(&caller, &key, request.expires_at).await?.region,
    };
    let command = Command::KeySetExpiry(KeySetExpiry {
        key,
        expires_at: request.expires_at,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, idempotency, wish, StatusCode::OK).await
}

/// The caller's key, if it may get this end.
async fn settable(
    caller: &Caller<act::SetKeyExpiry>,
    key: &AccessKeyId,
    expires_at: Option<Micros>,
) -> Result<Key, ApiError> {
    let found = own_key(caller, key).await?;
    check_expiry(expires_at, caller.now())?;
    if found.suspended {
        let words = "The key is suspended, and to set its end would let it work again. Nothing was \
                     changed. Resume it first.";
        return Err(ApiError::refused(StatusCode::CONFLICT, "suspended", words));
    }
    Ok(found)
}
