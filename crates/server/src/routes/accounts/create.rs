//! `POST /api/v1/accounts`

use http::StatusCode;
use storm_protocol::{
    api::{Account, CreateAccountRequest, Role},
    ident::AccountId,
};

use super::{any_account, check_name};
use crate::{
    auth::{Caller, act},
    clock::random,
    error::ApiError,
    routes::{check_email, invitations::prepare},
    web::Json,
};

/// Make an account, and ask its first owner in, by e-mail.
///
/// The invitation is good for 7 days. Limits are set on their own.
#[utoipa::path(
    post,
    path = "/api/v1/accounts",
    tag = "accounts",
    request_body = CreateAccountRequest,
    responses((status = 201, body = Account)),
)]
pub(crate) async fn create(
    caller: Caller<act::CreateAccount>,
    Json(request): Json<CreateAccountRequest>,
) -> Result<(StatusCode, Json<Account>), ApiError> {
    let name = check_name(request.name)?;
    let email = check_email(&request.owner)?;
    let account = AccountId::new(caller.now(), random());
    let made = prepare(&caller, email, Role::Owner, &name);
    caller
        .store()
        .create_account(account, &name, &made.invitation, made.secret, &made.mail)
        .await?;
    caller.app().bus.mail.notify_one();
    let account = any_account(&caller, account).await?;
    Ok((StatusCode::CREATED, Json(account)))
}
