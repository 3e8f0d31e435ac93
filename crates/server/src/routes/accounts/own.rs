//! `GET /api/v1/account`

use storm_protocol::api::Account;

use super::any_account;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// Your account: what it may have and what it has.
#[utoipa::path(
    get,
    path = "/api/v1/account",
    tag = "accounts",
    responses((status = 200, body = Account)),
)]
pub(crate) async fn own(caller: Caller<act::ReadAccount>) -> Result<Json<Account>, ApiError> {
    any_account(&caller, caller.person.account).await.map(Json)
}
