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
    clock::random,
    error::ApiError,
    events::{Feed, Full, HEARTBEAT_SECONDS, MAX_STREAMS_PER_ACCOUNT, MAX_STREAMS_PER_PERSON},
    web::Search,
};

/// Milliseconds after which whoever listened comes back, at the earliest, and spread over how many more.
const COME_BACK_MILLISECONDS: u64 = 500;
const COME_BACK_SPREAD_MILLISECONDS: u64 = 2_000;

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
/// you show. A stream ends after 15 minutes, or when the server ends, and
/// its last line says after how many milliseconds to come back. 24 streams a person and 32 an account at most.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(Hearing),
    responses(
        (status = 200, content_type = "text/event-stream", body = Event),
        (status = 429, description = "`rate_limited`: too many streams"),
        (status = 503, description = "`busy`: too many streams of everybody; see Retry-After"),
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
    let (account, user) = (caller.person.account, caller.actor().user);
    let place = caller.streams().take(account, user).map_err(no_place)?;
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

fn no_place(full: Full) -> ApiError {
    let message = match full {
        Full::Person => {
            format!("You hold {MAX_STREAMS_PER_PERSON} streams of events open. Close one.")
        }
        Full::Account => {
            format!(
                "Your account holds {MAX_STREAMS_PER_ACCOUNT} streams of events open. Close one."
            )
        }
        Full::All => {
            return ApiError::Busy {
                retry_after_seconds: HEARTBEAT_SECONDS,
                message: "As many streams of events are open here as may be. All else works: ask for what you \
                          show again from time to time."
                    .to_owned(),
            };
        }
    };
    ApiError::RateLimited {
        retry_after_seconds: HEARTBEAT_SECONDS,
        message,
    }
}

/// A stream's last line says when to come back: not all of them at once.
fn lines(feed: Feed) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(Some(feed), |feed| async move {
        let mut feed = feed?;
        Some(match feed.next().await {
            Some(event) => (Ok(line(&event)), Some(feed)),
            None => (Ok(sse::Event::default().retry(come_back_in())), None),
        })
    })
}

fn come_back_in() -> Duration {
    let spread = u64::from(u16::from_be_bytes(random())) % COME_BACK_SPREAD_MILLISECONDS;
    Duration::from_millis(COME_BACK_MILLISECONDS + spread)
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
