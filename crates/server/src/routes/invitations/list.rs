//! `GET /api/v1/invitations`

use storm_protocol::api::InvitationPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    web::{Json, Search},
};

/// Who was asked into the account and has not answered, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/invitations",
    tag = "people",
    params(Paging),
    responses((status = 200, body = InvitationPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadInvitations>,
    Search(paging): Search<Paging>,
) -> Result<Json<InvitationPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let after = place(paging.cursor.as_deref())?.map_or(String::new(), |[id]| id);
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let (account, now) = (caller.person.account, caller.now());
    let found = caller.store().invitations(account, now, &after, limit);
    let (items, next_cursor) = cut(found.await?, size, |last| vec![last.id.to_string()]);
    Ok(Json(InvitationPage { items, next_cursor }))
}
