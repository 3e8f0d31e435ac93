//! `POST /api/v1/keys`

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{CreateKeyRequest, OperationAnswer},
    command::{Command, KeyCreate, KeyGrant, MAX_GRANTS},
    ident::RegionName,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        check_expiry,
        command::{IdempotencyKey, Wish, ask},
        region_to_make_in,
    },
    web::Json,
};

/// Make a key.
///
/// Its secret comes back in `sealed`, sealed to `seal_to`. At most 100 grants, each bucket named once.
#[utoipa::path(
    post,
    path = "/api/v1/keys",
    tag = "keys",
    request_body = CreateKeyRequest,
    responses(
        (status = 201, body = OperationAnswer, description = "Made"),
        CommandErrors,
    ),
)]
pub(crate) async fn create(
    caller: Caller<act::CreateKey>,
    key: IdempotencyKey,
    Json(request): Json<CreateKeyRequest>,
) -> Result<Response, ApiError> {
    let CreateKeyRequest {
        region,
        label,
        expires_at,
        create_buckets,
        grants,
        seal_to,
    } = request;
    let region = region_to_make_in(&caller, &key, region).await?;
    // The same request again is answered as it was, though the end has passed or a bucket is gone.
    if !key.is_known(&caller).await? {
        check_expiry(expires_at, caller.now())?;
        check_grants(&caller, &region, &grants).await?;
    }
    let command = Command::KeyCreate(KeyCreate {
        label,
        expires_at,
        create_buckets,
        grants,
    });
    ask(
        &caller,
        key,
        Wish {
            region,
            command,
            seal_to: Some(seal_to),
        },
        StatusCode::CREATED,
    )
    .await
}

async fn check_grants(
    caller: &Caller<act::CreateKey>,
    region: &RegionName,
    grants: &[KeyGrant],
) -> Result<(), ApiError> {
    if grants.len() > MAX_GRANTS {
        return Err(ApiError::field(
            "grants",
            format!("expected {MAX_GRANTS} at most"),
        ));
    }
    let mut seen = BTreeSet::new();
    for (index, grant) in grants.iter().enumerate() {
        let wrong = |why: String| Err(ApiError::field(&format!("grants[{index}]"), why));
        if !seen.insert(grant.bucket) {
            return wrong("this bucket is named twice".to_owned());
        }
        if !(grant.read || grant.write || grant.owner) {
            let why = "none of read, write and owner is true; leave the grant out or give a right";
            return wrong(why.to_owned());
        }
        let bucket = caller
            .store()
            .bucket(caller.person.account, grant.bucket)
            .await?;
        if bucket.is_none_or(|bucket| bucket.region != *region) {
            return wrong(format!(
                "there is no bucket {} in region {region}; GET /api/v1/buckets?region={region} lists those \
                 that there are",
                grant.bucket
            ));
        }
    }
    Ok(())
}
