//! `GET /api/v1/operations`

use serde::Deserialize;
use storm_protocol::api::{OperationPage, OperationStatus};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

/// Which operations.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this state.
    state: Option<OperationStatus>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Your account's operations, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operations",
    tag = "operations",
    params(Filter),
    responses((status = 200, body = OperationPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ListOperations>,
    Search(filter): Search<Filter>,
) -> Result<Json<OperationPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let before = place(filter.cursor.as_deref())?
        .map(|[id]| id.parse())
        .transpose();
    let before = before.map_err(|error| ApiError::field("cursor", error))?;
    let account = caller.person.account;
    let found = caller
        .store()
        .operations(account, filter.state, before, size + 1)
        .await?;
    let progress = &caller.app().bus.progress;
    let found = found
        .into_iter()
        .map(|found| progress.with(found))
        .collect();
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(OperationPage { items, next_cursor }))
}
