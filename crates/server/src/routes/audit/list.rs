//! `GET /api/v1/audit`

use storm_protocol::api::AuditPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

filter! {
    /// Which events.
    Filter {
        /// `next_cursor` of the page before.
        cursor: Option<String>,
        /// Items on a page; 100 when absent.
        #[param(minimum = 1, maximum = 1000)]
        limit: Option<u32>,
    }
}

/// Who did, or tried, what in your account, newest first.
///
/// Sign-ins and failures, changes, and refusals, which are counted by the minute. For admins and owners.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(Filter),
    responses((status = 200, body = AuditPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadAudit>,
    Search(filter): Search<Filter>,
) -> Result<Json<AuditPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let before = place(filter.cursor.as_deref())?
        .map(|[id]| id.parse())
        .transpose();
    let mut wanted = filter.wanted(&caller)?;
    wanted.before = before.map_err(|error| ApiError::field("cursor", error))?;
    let found = caller.store().audit_events(&wanted, size + 1).await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(AuditPage { items, next_cursor }))
}
