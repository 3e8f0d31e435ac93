//! `GET /api/v1/trust`

use storm_protocol::api::TrustBundle;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// All that a client needs to verify receipts.
///
/// Compare the root key's digest with the pinned one before you trust the rest.
#[utoipa::path(
    get,
    path = "/api/v1/trust",
    tag = "receipts",
    responses((status = 200, body = TrustBundle)),
)]
pub(crate) async fn trust(caller: Caller<act::ReadTrust>) -> Result<Json<TrustBundle>, ApiError> {
    let agents = caller.store().agent_statements().await?;
    let trust = caller.app().trust.borrow().clone();
    Ok(Json(TrustBundle {
        root_key: trust.root_key,
        trust: trust.envelope.clone(),
        agents,
    }))
}
