//! `GET /api/v1/events`

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse,
    sse::{self, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use http::HeaderName;
use serde::Deserialize;
use storm_protocol::api::Event;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    events::{Feed, HEARTBEAT_SECONDS, MAX_STREAMS_PER_ACCOUNT},
    web::Search,
};

/// Of what to hear.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Hearing {
    /// Of the operations of all accounts too. For operators.
    #[serde(default)]
    everyones: bool,
}

/// Hear of changes as they come.
///
/// Server-sent events: the name is the event's, the data its JSON. `missed` says to read again what
/// you show. A stream ends after 15 minutes; come back. 32 streams an account at most.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(Hearing),
    responses(
        (status = 200, content_type = "text/event-stream", body = Event),
        (status = 429, description = "`rate_limited`: too many streams"),
    ),
)]
pub(crate) async fn events(
    caller: Caller<act::ReadEvents>,
    Search(hearing): Search<Hearing>,
) -> Result<impl IntoResponse, ApiError> {
    if hearing.everyones && !caller.person.operator {
        let words = "Only an operator of the platform hears of other accounts' operations.";
        return Err(ApiError::forbidden(words));
    }
    let place = caller
        .streams()
        .take(caller.person.account)
        .ok_or_else(|| ApiError::RateLimited {
            retry_after_seconds: HEARTBEAT_SECONDS,
            message: format!(
                "Your account holds {MAX_STREAMS_PER_ACCOUNT} streams of events open. Close one."
            ),
        })?;
    let app = caller.app();
    let feed = Feed::new(
        &app.bus,
        app.store.clone(),
        &caller.person,
        place,
        hearing.everyones,
    );
    let beat = KeepAlive::new()
        .interval(Duration::from_secs(HEARTBEAT_SECONDS))
        .text("beat");
    // A proxy must not hold events back.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(lines(feed)).keep_alive(beat)))
}

fn lines(feed: Feed) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok(line(&event)), feed))
    })
}

fn line(event: &Event) -> sse::Event {
    let (name, data) = match event {
        Event::Operation(operation) => ("operation", serde_json::to_string(operation)),
        Event::Bucket(bucket) => ("bucket", serde_json::to_string(bucket)),
        Event::BucketGone(id) => ("bucket_gone", serde_json::to_string(id)),
        Event::Key(key) => ("key", serde_json::to_string(key)),
        Event::KeyGone(id) => ("key_gone", serde_json::to_string(id)),
        Event::Agent(agent) => ("agent", serde_json::to_string(agent)),
        Event::Region(region) => ("region", serde_json::to_string(region)),
        Event::Limit(notice) => ("limit", serde_json::to_string(notice)),
        Event::Missed => ("missed", Ok("null".to_owned())),
    };
    match data {
        Ok(data) => sse::Event::default().event(name).data(data),
        Err(error) => {
            tracing::error!(cause = error.to_string(), "an event cannot be written");
            sse::Event::default().event("missed").data("null")
        }
    }
}
