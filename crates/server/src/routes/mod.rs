//! The API's routes, one file an operation, foldered by noun, and what they share: pages, the
//! choice of a region, and asking for a command.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde::Deserialize;
use storm_protocol::{
    api::{Bucket, DEFAULT_PAGE, Key, MAX_PAGE, Region},
    ident::{AccessKeyId, AccountId, BucketId, Micros, RegionName},
};

use crate::{
    auth::{Caller, Need, password::MAX_EMAIL_BYTES},
    error::ApiError,
    routes::command::IdempotencyKey,
};

pub(crate) mod about;
pub(crate) mod accounts;
pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod buckets;
pub(crate) mod command;
pub(crate) mod device;
pub(crate) mod enrol_tokens;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod invitations;
pub(crate) mod keys;
mod limits;
mod mail_room;
pub(crate) mod members;
pub(crate) mod oidc;
pub(crate) mod operations;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod receipts;
pub(crate) mod regions;
pub(crate) mod security_events;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sign_in_methods;
pub(crate) mod sign_ups;
pub(crate) mod strays;
pub(crate) mod tokens;
pub(crate) mod trust;
pub(crate) mod usage;
pub(crate) mod whoami;

/// Regions that an error names.
const MAX_REGIONS_NAMED: usize = 10;
/// The longest cursor, in bytes.
const MAX_CURSOR_BYTES: usize = 512;

/// Which page of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// How many items a page holds.
fn page_size(limit: Option<u32>) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(ApiError::field(
            "limit",
            format!("expected a whole number from 1 to {MAX_PAGE}"),
        ));
    }
    usize::try_from(limit).map_err(|error| ApiError::Internal(error.to_string()))
}

/// Cuts a list that was read one item too long, and gives the place where it goes on.
fn cut<T>(
    mut items: Vec<T>,
    size: usize,
    place: impl Fn(&T) -> Vec<String>,
) -> (Vec<T>, Option<String>) {
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|last| {
        let place = serde_json::json!(place(last));
        URL_SAFE_NO_PAD.encode(place.to_string())
    });
    (items, next)
}

/// The place in a cursor that [`cut`] made; of `N` parts.
fn place<const N: usize>(cursor: Option<&str>) -> Result<Option<[String; N]>, ApiError> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let parts: Vec<String> = serde_json::from_slice(&bytes).ok()?;
        parts.try_into().ok()
    };
    let place = (cursor.len() <= MAX_CURSOR_BYTES).then(read).flatten();
    place.map(Some).ok_or_else(|| {
        ApiError::field(
            "cursor",
            "not one that this list gave; leave it out to begin anew",
        )
    })
}

/// The region that a request names, or the only one there is.
async fn choose_region<N: Need>(
    caller: &Caller<N>,
    name: Option<RegionName>,
) -> Result<Region, ApiError> {
    match name {
        Some(name) => caller
            .store()
            .region(&name)
            .await?
            .ok_or_else(|| ApiError::no_region(&name)),
        None => match caller.store().only_region().await? {
            Some(region) => Ok(region),
            None => Err(name_a_region(&caller.store().regions().await?)),
        },
    }
}

/// Where to make something. The same request again is answered as it was, though there may be more regions
/// to choose from by now.
async fn region_to_make_in<N: Need>(
    caller: &Caller<N>,
    key: &IdempotencyKey,
    name: Option<RegionName>,
) -> Result<RegionName, ApiError> {
    if name.is_none()
        && let Some(asked) = key.asked_before(caller).await?
    {
        return Ok(asked.region);
    }
    Ok(choose_region(caller, name).await?.name)
}

fn name_a_region(regions: &[Region]) -> ApiError {
    if regions.is_empty() {
        let message = "There is no region yet, so nothing can be made. An operator makes one with `storm \
                       region create`.";
        return ApiError::refused(StatusCode::CONFLICT, "no_region", message);
    }
    let names = regions.iter().map(|region| region.name.as_str());
    let some: Vec<_> = names.take(MAX_REGIONS_NAMED).collect();
    let why = format!(
        "there is more than one, so the request has to name one, such as {}; GET /api/v1/regions lists \
         them",
        some.join(", ")
    );
    ApiError::field("region", why)
}

/// The caller's bucket.
async fn own_bucket<N: Need>(caller: &Caller<N>, id: BucketId) -> Result<Bucket, ApiError> {
    let bucket = caller.store().bucket(caller.person.account, id).await?;
    let bucket = bucket.filter(|_| caller.person.rights().reach(id));
    bucket.ok_or_else(|| ApiError::not_found("bucket", id, "/api/v1/buckets"))
}

/// Where the caller's bucket is. The same request again is answered as it was, though the bucket may be gone
/// or another's by now.
async fn bucket_region<N: Need>(
    caller: &Caller<N>,
    key: &IdempotencyKey,
    id: BucketId,
) -> Result<RegionName, ApiError> {
    match own_bucket(caller, id).await {
        Ok(bucket) => Ok(bucket.region),
        Err(no) => {
            let before = key.asked_before(caller).await?;
            before.map(|asked| asked.region).ok_or(no)
        }
    }
}

/// The caller's bucket; for operators, also that of any other account. With its account.
async fn reachable_bucket<N: Need>(
    caller: &Caller<N>,
    id: BucketId,
) -> Result<(AccountId, Bucket), ApiError> {
    let person = &caller.person;
    if person.operator && person.rights().buckets().is_none() {
        let found = caller.store().bucket_of_anyone(id).await?;
        if let Some((Some(account), bucket)) = found {
            return Ok((account, bucket));
        }
    }
    Ok((person.account, own_bucket(caller, id).await?))
}

/// The caller's key.
async fn own_key<N: Need>(caller: &Caller<N>, id: &AccessKeyId) -> Result<Key, ApiError> {
    let key = caller.store().key(caller.person.account, id).await?;
    key.ok_or_else(|| ApiError::not_found("key", id, "/api/v1/keys"))
}

/// Where the caller's key is. The same request again is answered as it was, though the key may be gone by now.
async fn key_region<N: Need>(
    caller: &Caller<N>,
    idempotency: &IdempotencyKey,
    id: &AccessKeyId,
) -> Result<RegionName, ApiError> {
    match own_key(caller, id).await {
        Ok(key) => Ok(key.region),
        Err(no) => {
            let before = idempotency.asked_before(caller).await?;
            before.map(|asked| asked.region).ok_or(no)
        }
    }
}

/// An e-mail address in lower case, if the text is one.
fn check_email(text: &str) -> Result<String, ApiError> {
    let email = text.trim().to_lowercase();
    let sound = email.len() <= MAX_EMAIL_BYTES && email.parse::<lettre::Address>().is_ok();
    sound.then_some(email).ok_or_else(|| {
        ApiError::field(
            "email",
            "expected an e-mail address, such as ann@example.org",
        )
    })
}

/// An end has to lie ahead.
fn check_expiry(expires_at: Option<Micros>, now: Micros) -> Result<(), ApiError> {
    match expires_at {
        Some(at) if at <= now => Err(ApiError::field(
            "expires_at",
            format!(
                "{} has passed, since it is {} now; expected a later instant, in microseconds UTC",
                at.0, now.0
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
