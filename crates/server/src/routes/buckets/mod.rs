//! Buckets.

use storm_protocol::{
    api::Bucket,
    ident::{AccountId, BucketId},
};

use crate::{
    auth::{Caller, ForOperators, Need},
    error::ApiError,
    store::settings::Sight,
};

pub(crate) mod accept;
pub(crate) mod add_alias;
pub(crate) mod adopt;
pub(crate) mod check_cors;
pub(crate) mod cleanup_uploads;
pub(crate) mod clear;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod measure;
pub(crate) mod release;
pub(crate) mod remove_alias;
pub(crate) mod requests;
pub(crate) mod restore;
pub(crate) mod set_cors;
pub(crate) mod set_lifecycle;
pub(crate) mod set_quota;
pub(crate) mod set_website;
pub(crate) mod settings;

/// Whose keys the caller sees.
fn sight<N: Need>(caller: &Caller<N>) -> Sight {
    if caller.person.operator {
        Sight::All
    } else {
        Sight::Own(caller.person.account)
    }
}

/// A bucket, whoever's it is, with its account. For operators.
async fn anyones_bucket<N: ForOperators>(
    caller: &Caller<N>,
    id: BucketId,
) -> Result<(Option<AccountId>, Bucket), ApiError> {
    let bucket = caller.store().bucket_of_anyone(id).await?;
    bucket.ok_or_else(|| ApiError::not_found("bucket", id, "/api/v1/strays"))
}
