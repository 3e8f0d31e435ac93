//! `POST /api/v1/passkeys/begin`

use storm_protocol::api::PasskeyAsked;

use super::{CHALLENGE_SECONDS, check_room};
use crate::{
    auth::{Anyone, Caller, act, passkeys::ask_for_new, secret::PlainSecret},
    error::ApiError,
    store::passkey_challenges::Purpose,
    web::Json,
};

/// Begin to add a passkey.
///
/// Give `public_key` to the browser's `navigator.credentials.create`, and what that answers, within five
/// minutes, to `POST /api/v1/passkeys`. Beginning again voids what was begun before.
#[utoipa::path(
    post,
    path = "/api/v1/passkeys/begin",
    tag = "session",
    responses(
        (status = 200, body = PasskeyAsked),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 409, description = "`no_passkeys_here`: the server's address is no name; `too_many_passkeys`; `signed_in_elsewhere`: at a company's own provider"),
    ),
)]
pub(crate) async fn begin(
    caller: Caller<act::AddSignInMethod>,
    anyone: Anyone,
) -> Result<Json<PasskeyAsked>, ApiError> {
    let webauthn = anyone.passkeys()?;
    let person = &caller.person;
    check_room(caller.store().passkey_room(person.user).await?)?;
    let has = caller.store().credentials(person.user).await?;
    let asked = ask_for_new(webauthn, (person.user, &person.email), &has)?;
    let (secret, now) = (PlainSecret::session(), caller.now());
    let times = (now, now.plus_seconds(CHALLENGE_SECONDS));
    let purpose = Purpose::Create(person.user);
    caller
        .store()
        .begin_passkey_challenge(secret.stored(), purpose, &asked.state, times)
        .await?;
    Ok(Json(PasskeyAsked {
        challenge: secret.expose().to_owned(),
        public_key: asked.public_key,
    }))
}
