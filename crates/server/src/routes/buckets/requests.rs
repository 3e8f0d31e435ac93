//! `GET /api/v1/buckets/{bucket}/requests`

use serde::Deserialize;
use storm_protocol::{
    api::{RequestsPage, RequestsStep},
    ident::{BucketId, Micros},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::own_bucket,
    store::traffic::{Step, TrafficOf},
    web::{Json, Path, Search},
};

/// The most steps that one request asks for.
const MAX_STEPS: i64 = 1000;
/// Hours that are shown when the request does not say from when.
const DEFAULT_HOURS: i64 = 24;
/// Days, where the step is a day.
const DEFAULT_DAYS: i64 = 30;

/// Which time.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// From the step in which this instant lies, in microseconds UTC; 24 hours, or 30 days, before `to`
    /// when absent.
    #[param(value_type = Option<i64>)]
    from: Option<Micros>,
    /// Until before this instant, in microseconds UTC; now when absent. At most 1,000 steps after
    /// `from`.
    #[param(value_type = Option<i64>)]
    to: Option<Micros>,
    /// How long each step is; an hour when absent.
    #[param(inline)]
    step: Option<RequestsStep>,
}

/// Requests to a bucket over time.
///
/// Those since it is yours, counted from the access logs of the proxies before the storage, by the minute; the last minutes may
/// be missing.
#[utoipa::path(
    get,
    path = "/api/v1/buckets/{bucket}/requests",
    tag = "buckets",
    params(("bucket" = BucketId, Path), Filter),
    responses(
        (status = 200, body = RequestsPage),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn requests(
    caller: Caller<act::ReadUsage>,
    Path(id): Path<BucketId>,
    Search(filter): Search<Filter>,
) -> Result<Json<RequestsPage>, ApiError> {
    let region = own_bucket(&caller, id).await?.region;
    let (step, default_steps) = match filter.step.unwrap_or(RequestsStep::Hour) {
        RequestsStep::Hour => (Step::Hour, DEFAULT_HOURS),
        RequestsStep::Day => (Step::Day, DEFAULT_DAYS),
    };
    let to = filter.to.unwrap_or_else(|| caller.now());
    let from = filter
        .from
        .unwrap_or_else(|| to.plus_seconds(-default_steps * step.seconds()));
    let from = step.begin(from);
    let most = MAX_STEPS * step.seconds() * Micros::SECOND;
    if to.0.saturating_sub(from.0) > most {
        return Err(ApiError::field(
            "from",
            format!(
                "there are more than {MAX_STEPS} steps between it and `to`; ask for less, or for \
                 longer steps"
            ),
        ));
    }
    let store = caller.store();
    let configured = store.counts_requests(&region).await?;
    let of = TrafficOf {
        account: caller.person.account,
        bucket: Some(id),
    };
    let points = store.traffic(of, step, from, to).await?;
    Ok(Json(RequestsPage { configured, points }))
}
