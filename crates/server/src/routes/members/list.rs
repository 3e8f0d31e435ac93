//! `GET /api/v1/members`

use serde::Deserialize;
use storm_protocol::api::MemberPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

/// Which members.
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

/// Who is in the account, by e-mail address.
#[utoipa::path(
    get,
    path = "/api/v1/members",
    tag = "people",
    params(Filter),
    responses((status = 200, body = MemberPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadMembers>,
    Search(filter): Search<Filter>,
) -> Result<Json<MemberPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.map_or(String::new(), |[email]| email);
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let found = caller.store().members(caller.person.account, &after, limit);
    let (items, next_cursor) = cut(found.await?, size, |last| vec![last.email.clone()]);
    Ok(Json(MemberPage { items, next_cursor }))
}
