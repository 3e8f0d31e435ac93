//! `GET /api/v1/accounts`

use serde::Deserialize;
use storm_protocol::api::AccountPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

/// Which accounts.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// All accounts, oldest first.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    tag = "accounts",
    params(Filter),
    responses((status = 200, body = AccountPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ListAccounts>,
    Search(filter): Search<Filter>,
) -> Result<Json<AccountPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.map(|[id]| id);
    let found = caller
        .store()
        .accounts(after.as_deref().unwrap_or(""), size + 1, caller.now())
        .await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(AccountPage { items, next_cursor }))
}
