//! `GET /api/v1/invitations`

use serde::Deserialize;
use storm_protocol::api::InvitationPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

/// Which invitations.
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

/// Who was asked into the account and has not answered, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/invitations",
    tag = "people",
    params(Filter),
    responses((status = 200, body = InvitationPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadInvitations>,
    Search(filter): Search<Filter>,
) -> Result<Json<InvitationPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.map_or(String::new(), |[id]| id);
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let (account, now) = (caller.person.account, caller.now());
    let found = caller.store().invitations(account, now, &after, limit);
    let (items, next_cursor) = cut(found.await?, size, |last| vec![last.id.to_string()]);
    Ok(Json(InvitationPage { items, next_cursor }))
}
