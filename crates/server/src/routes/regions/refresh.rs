//! `POST /api/v1/regions/{region}/refresh`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{Command, InventoryRefresh},
    ident::RegionName,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::command::{IdempotencyKey, Wish, ask},
    web::Path,
};

/// Have a region's agent read all buckets and keys again.
#[utoipa::path(
    post,
    path = "/api/v1/regions/{region}/refresh",
    tag = "regions",
    params(("region" = RegionName, Path)),
    responses(
        (status = 200, body = OperationAnswer),
        CommandErrors,
    ),
)]
pub(crate) async fn refresh(
    caller: Caller<act::RefreshInventory>,
    key: IdempotencyKey,
    Path(region): Path<RegionName>,
) -> Result<Response, ApiError> {
    let command = Command::InventoryRefresh(InventoryRefresh {});
    ask(
        &caller,
        key,
        Wish {
            region,
            command,
            seal_to: None,
        },
        StatusCode::OK,
    )
    .await
}
