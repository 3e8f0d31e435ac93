//! `GET /api/v1/accounts`

use storm_protocol::api::AccountPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    web::{Json, Search},
};

/// All accounts, oldest first.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    tag = "accounts",
    params(Paging),
    responses((status = 200, body = AccountPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ListAccounts>,
    Search(paging): Search<Paging>,
) -> Result<Json<AccountPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let after = place(paging.cursor.as_deref())?.map(|[id]| id);
    let found = caller
        .store()
        .accounts(after.as_deref().unwrap_or(""), size + 1, caller.now())
        .await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(AccountPage { items, next_cursor }))
}
