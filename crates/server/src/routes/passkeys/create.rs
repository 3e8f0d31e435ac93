//! `POST /api/v1/passkeys`

use http::StatusCode;
use storm_protocol::{
    api::{CreatePasskeyRequest, Passkey},
    ident::PasskeyId,
};

use super::{check_name, check_room};
use crate::{
    auth::{Anyone, Caller, act, passkeys::made, secret::StoredSecret},
    clock::random,
    error::ApiError,
    mail,
    store::passkey_challenges::Purpose,
    web::Json,
};

/// Add a passkey.
///
/// From now on it signs in alone. You are told so by e-mail.
#[utoipa::path(
    post,
    path = "/api/v1/passkeys",
    tag = "session",
    request_body = CreatePasskeyRequest,
    responses(
        (status = 201, body = Passkey),
        (status = 400, description = "`bad_request`; `bad_passkey`: it is none, or did not ask who you are"),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 409, description = "`no_such_challenge`: begin again; `passkey_taken`; `too_many_passkeys`; `no_passkeys_here`; `signed_in_elsewhere`"),
    ),
)]
pub(crate) async fn create(
    caller: Caller<act::AddSignInMethod>,
    anyone: Anyone,
    Json(request): Json<CreatePasskeyRequest>,
) -> Result<(StatusCode, Json<Passkey>), ApiError> {
    let webauthn = anyone.passkeys()?;
    check_name(&request.name)?;
    let (user, now) = (caller.person.user, caller.now());
    let state = match StoredSecret::of_session(&request.challenge) {
        Some(secret) => {
            let purpose = Purpose::Create(user);
            caller
                .store()
                .take_passkey_challenge(secret, purpose, now)
                .await?
        }
        None => None,
    };
    let state = state.ok_or_else(over)?;
    let made = made(webauthn, request.credential, &state)?.ok_or_else(bad_passkey)?;
    let passkey = Passkey {
        id: PasskeyId::new(now, random()),
        name: request.name,
        synced: made.synced,
        created_at: now,
        last_used_at: None,
    };
    let mail = mail::passkey_added(&caller.person.email, &passkey.name);
    let added = caller.store().add_passkey((user, &made), &passkey, &mail);
    check_room(added.await?)?;
    caller.app().bus.mail.notify_one();
    Ok((StatusCode::CREATED, Json(passkey)))
}

fn over() -> ApiError {
    let message = "Adding this passkey is over: it waited too long, or was answered. Nothing was changed. Begin again.";
    ApiError::refused(StatusCode::CONFLICT, "no_such_challenge", message)
}

fn bad_passkey() -> ApiError {
    let message = "This is not the passkey that was asked for, or it did not ask who you are. Nothing was changed.";
    ApiError::refused(StatusCode::BAD_REQUEST, "bad_passkey", message)
}
