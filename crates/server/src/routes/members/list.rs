//! `GET /api/v1/members`

use storm_protocol::api::MemberPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    web::{Json, Search},
};

/// Who is in the account, by e-mail address.
#[utoipa::path(
    get,
    path = "/api/v1/members",
    tag = "people",
    params(Paging),
    responses((status = 200, body = MemberPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadMembers>,
    Search(paging): Search<Paging>,
) -> Result<Json<MemberPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let after = place(paging.cursor.as_deref())?.map_or(String::new(), |[email]| email);
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let found = caller.store().members(caller.person.account, &after, limit);
    let (items, next_cursor) = cut(found.await?, size, |last| vec![last.email.clone()]);
    Ok(Json(MemberPage { items, next_cursor }))
}
