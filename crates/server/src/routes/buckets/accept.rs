//! `POST /api/v1/buckets/{bucket}/accept`

use storm_protocol::{api::BucketSettings, ident::BucketId};

use super::sight;
use crate::{
    app::Change,
    auth::{Caller, act},
    error::ApiError,
    routes::reachable_bucket,
    web::{Json, Path},
};

/// Take a bucket's settings and rights as they were found for what is wanted.
///
/// Nothing changes in the storage. Operators may for any account.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/accept",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses(
        (status = 200, body = BucketSettings, description = "Taken"),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn accept(
    caller: Caller<act::AcceptBucket>,
    Path(id): Path<BucketId>,
) -> Result<Json<BucketSettings>, ApiError> {
    let (account, bucket) = reachable_bucket(&caller, id).await?;
    let region = bucket.region;
    let store = caller.store();
    store.accept_found(&region, id, caller.now()).await?;
    let (user, bus) = (caller.person.user, &caller.app().bus);
    tracing::info!(bucket = %id, %user, "what was found of a bucket was accepted");
    bus.tell(Change::Bucket(Some(account), id));
    let settings = store.bucket_settings(&region, id, account, sight(&caller));
    Ok(Json(settings.await?))
}
