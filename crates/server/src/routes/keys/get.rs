//! `GET /api/v1/keys/{key}`

use storm_protocol::{api::Key, ident::AccessKeyId};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::own_key,
    web::{Json, Path},
};

/// A key with its rights.
#[utoipa::path(
    get,
    path = "/api/v1/keys/{key}",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    responses((status = 200, body = Key), (status = 404, description = "`no_such_key`")),
)]
pub(crate) async fn get(
    caller: Caller<act::ReadKeys>,
    Path(id): Path<AccessKeyId>,
) -> Result<Json<Key>, ApiError> {
    own_key(&caller, &id).await.map(Json)
}
