//! `GET /api/v1/tokens`

use storm_protocol::api::TokenPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    web::{Json, Search},
};

/// Your API tokens in this account, oldest first, without their secrets.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "tokens",
    params(Paging),
    responses((status = 200, body = TokenPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadTokens>,
    Search(paging): Search<Paging>,
) -> Result<Json<TokenPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let after = place(paging.cursor.as_deref())?.map_or(String::new(), |[id]| id);
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let person = &caller.person;
    let found = caller
        .store()
        .tokens(person.account, person.user, &after, limit)
        .await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(TokenPage { items, next_cursor }))
}
