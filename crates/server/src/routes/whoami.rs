//! `GET /api/v1/whoami`

use storm_protocol::api::Whoami;

use crate::{
    auth::{Caller, act},
    web::Json,
};

/// Who you are.
#[utoipa::path(
    get,
    path = "/api/v1/whoami",
    tag = "session",
    responses((status = 200, body = Whoami)),
)]
pub(crate) async fn whoami(caller: Caller<act::ReadSession>) -> Json<Whoami> {
    Json(caller.person.into())
}
