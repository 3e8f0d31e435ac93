//! `GET /api/v1/usage`

use std::collections::BTreeMap;

use serde::Deserialize;
use storm_protocol::{
    api::{Usage, UsagePoint},
    ident::{BucketId, Micros, RegionName},
};

use crate::{
    auth::{Caller, access::Denied, act},
    error::ApiError,
    routes::own_bucket,
    store::{
        Store,
        traffic::{self, Served, TrafficOf},
        usage::{Chart, Span},
    },
    usage::step::{DAY_MICROS, HOUR_MICROS},
    web::{Json, Search},
};

/// The most points of an answer.
const MAX_POINTS: usize = 2_000;
/// How far back it goes when the request does not say, in days.
const DEFAULT_DAYS: i64 = 7;
/// Up to so many days come by the hour when the request does not say.
const HOURLY_UP_TO_DAYS: i64 = 14;

/// From one point to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Every change; kept 48 hours.
    Change,
    /// An hour; kept 90 days.
    Hour,
    /// A day, UTC; kept for ever.
    Day,
}

/// Which use.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Of this bucket; of all together when absent.
    bucket: Option<BucketId>,
    /// From this instant; 7 days before the end when absent.
    from: Option<Micros>,
    /// To this instant; now when absent.
    to: Option<Micros>,
    /// From one point to the next; an hour for up to 14 days when absent, else a day.
    #[param(inline)]
    step: Option<Step>,
}

/// What you use, over time.
///
/// At most 2,000 points. The last hour or day counts as far as it has come. Requests come by the hour
/// or the day, from the access logs of the proxies before the storage; the last minutes may be missing.
#[utoipa::path(
    get,
    path = "/api/v1/usage",
    tag = "usage",
    params(Filter),
    responses(
        (status = 200, body = Usage),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn chart(
    caller: Caller<act::ReadUsage>,
    Search(filter): Search<Filter>,
) -> Result<Json<Usage>, ApiError> {
    let now = caller.now();
    let to = filter.to.map_or(now, |to| to.min(now));
    let from = filter
        .from
        .unwrap_or(Micros(to.0.saturating_sub(DEFAULT_DAYS * DAY_MICROS)));
    let why = |place: &str, text: &str| Err(ApiError::field(place, text));
    if from.0 < 0 {
        return why("from", "expected microseconds since 1970, UTC");
    }
    if from >= to {
        return why("from", "expected an instant before `to` and before now");
    }
    let range = to.0 - from.0;
    let default = if range <= HOURLY_UP_TO_DAYS * DAY_MICROS {
        Step::Hour
    } else {
        Step::Day
    };
    let step = filter.step.unwrap_or(default);
    let step_micros = match step {
        Step::Change => 0,
        Step::Hour => HOUR_MICROS,
        Step::Day => DAY_MICROS,
    };
    if step_micros > 0 && range / step_micros >= i64::try_from(MAX_POINTS).unwrap_or(i64::MAX) {
        return Err(too_many());
    }
    let region = match filter.bucket {
        Some(bucket) => Some(own_bucket(&caller, bucket).await?.region),
        None => None,
    };
    if filter.bucket.is_none() && caller.person.rights().buckets().is_some() {
        return Err(ApiError::forbidden(Denied::Buckets.sentence()));
    }
    let chart = Chart {
        account: caller.person.account,
        bucket: filter.bucket,
        from,
        to,
        now,
    };
    let store = caller.store();
    let spans = match step {
        Step::Change => store.usage_changes(&chart, MAX_POINTS + 1).await?,
        Step::Hour => store.usage_hours(&chart).await?,
        Step::Day => store.usage_days(&chart).await?,
    };
    if spans.len() > MAX_POINTS {
        return Err(too_many());
    }
    let served = served(store, &chart, region.as_ref(), step).await?;
    Ok(Json(Usage {
        step_seconds: u32::try_from(step_micros / Micros::SECOND).unwrap_or(0),
        has_requests: served.is_some(),
        points: points(&spans, served.as_ref(), to, step_micros),
    }))
}

/// What was served in each step in which anything was; none where that is not counted, or not by
/// this step.
async fn served(
    store: &Store,
    chart: &Chart,
    region: Option<&RegionName>,
    step: Step,
) -> Result<Option<BTreeMap<Micros, Served>>, ApiError> {
    let step = match step {
        Step::Change => return Ok(None),
        Step::Hour => traffic::Step::Hour,
        Step::Day => traffic::Step::Day,
    };
    let counted = match region {
        Some(region) => store.counts_requests(region).await?,
        None => store.counts_requests_of(chart.account).await?,
    };
    if !counted {
        return Ok(None);
    }
    let of = TrafficOf {
        account: chart.account,
        bucket: chart.bucket,
    };
    Ok(Some(store.served(of, step, chart.from, chart.to).await?))
}

/// A point for each span, and before them for each step since something was served though nothing was
/// stored.
fn points(
    spans: &[Span],
    served: Option<&BTreeMap<Micros, Served>>,
    to: Micros,
    step_micros: i64,
) -> Vec<UsagePoint> {
    let stored_from = spans.first().map_or(to, |span| span.at);
    let served_from = served.and_then(|served| served.keys().next().copied());
    let mut steps = vec![];
    let mut at = served_from.unwrap_or(stored_from);
    while at < stored_from {
        steps.push(Span::empty(at));
        at = Micros(at.0 + step_micros);
    }
    let steps = steps.iter().chain(spans);
    let served_at = |at| served.map(|served| served.get(&at).copied().unwrap_or_default());
    steps.map(|span| point(span, served_at(span.at))).collect()
}

fn too_many() -> ApiError {
    let why = format!(
        "more than {MAX_POINTS} points; take a longer step (hour, day) or a later beginning"
    );
    ApiError::field("step", why)
}

fn point(span: &Span, served: Option<Served>) -> UsagePoint {
    UsagePoint {
        at: span.at,
        bytes: span.closing.bytes,
        objects: span.closing.objects,
        unfinished_bytes: span.closing.unfinished_bytes,
        peak_bytes: span.peak_bytes,
        byte_hours: span.byte_hours,
        requests: served.map(|served| served.requests),
        sent_bytes: served.map(|served| served.sent_bytes),
    }
}
