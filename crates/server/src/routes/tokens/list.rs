//! `GET /api/v1/tokens`

use serde::Deserialize;
use storm_protocol::api::TokenPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

/// Which tokens.
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

/// Your API tokens in this account, oldest first, without their secrets.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "tokens",
    params(Filter),
    responses((status = 200, body = TokenPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadTokens>,
    Search(filter): Search<Filter>,
) -> Result<Json<TokenPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.map_or(String::new(), |[id]| id);
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let person = &caller.person;
    let found = caller
        .store()
        .tokens(person.account, person.user, &after, limit)
        .await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(TokenPage { items, next_cursor }))
}
