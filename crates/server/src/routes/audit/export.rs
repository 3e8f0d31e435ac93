//! `GET /api/v1/audit/export`

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::header;
use serde::Deserialize;
use storm_protocol::api::AuditEvent;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    store::{Store, audit::Wanted},
    web::Search,
};

/// Events of one export. Who has more asks again with an earlier `to`.
const MAX_EVENTS: usize = 1_000_000;
/// Events read and sent at once.
const EVENTS_AT_ONCE: usize = 1_000;
/// The table's header. Columns may be added at its end, none is renamed or moved.
const HEADER: &str =
    "id,at,account,user,email,token,via,origin,act,thing,operation,result,count\r\n";

/// How it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// JSON Lines: one event a line.
    #[default]
    Jsonl,
    /// A table: RFC 4180, with a header.
    Csv,
}

filter! {
    /// Which events, and how.
    Filter {
        /// How it is written; JSON Lines when absent.
        #[param(inline)]
        format: Option<Format>,
    }
}

/// The same events as a file, newest first; at most 1,000,000.
///
/// For more ask again with the instant of the last one as `to`.
#[utoipa::path(
    get,
    path = "/api/v1/audit/export",
    tag = "audit",
    params(Filter),
    responses((status = 200, description = "As asked", content(
        (String = "application/jsonl"),
        (String = "text/csv"),
    ))),
)]
pub(crate) async fn export(
    caller: Caller<act::ReadAudit>,
    Search(filter): Search<Filter>,
) -> Result<Response, ApiError> {
    let wanted = filter.wanted(&caller)?;
    let format = filter.format.unwrap_or_default();
    let (media_type, name) = match format {
        Format::Jsonl => ("application/jsonl", "audit.jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "audit.csv"),
    };
    let begin = Progress {
        store: caller.store().clone(),
        wanted,
        format,
        left: MAX_EVENTS,
        at_start: true,
    };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let body = Body::from_stream(stream::try_unfold(begin, portion));
    Ok((headers, body).into_response())
}

struct Progress {
    store: Store,
    wanted: Wanted,
    format: Format,
    left: usize,
    at_start: bool,
}

/// The next events as text. No more is read than the client takes.
async fn portion(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, std::io::Error> {
    let mut text = String::new();
    if progress.at_start && progress.format == Format::Csv {
        text.push_str(HEADER);
    }
    let size = progress.left.min(EVENTS_AT_ONCE);
    let events = match size {
        0 => vec![],
        size => {
            let read = progress.store.audit_events(&progress.wanted, size).await;
            read.map_err(|error| {
                // The answer breaks off, which the client sees.
                tracing::error!(%error, "an export broke off");
                std::io::Error::other("an export broke off")
            })?
        }
    };
    for event in &events {
        match progress.format {
            Format::Jsonl => {
                text.push_str(&serde_json::to_string(event).map_err(std::io::Error::other)?);
                text.push('\n');
            }
            Format::Csv => text.push_str(&row(event)),
        }
    }
    if text.is_empty() {
        return Ok(None);
    }
    progress.at_start = false;
    progress.left = match events.last() {
        Some(last) if events.len() == size => {
            progress.wanted.before = Some(last.id);
            progress.left - size
        }
        Some(_) | None => 0,
    };
    Ok(Some((text.into(), progress)))
}

fn row(event: &AuditEvent) -> String {
    let cells = [
        event.id.to_string(),
        event.at.0.to_string(),
        cell(event.account.as_ref()),
        cell(event.user.as_ref()),
        cell(event.email.as_ref()),
        cell(event.token.as_ref()),
        cell(Some(&event.via)),
        cell(event.origin.as_ref()),
        cell(Some(&event.act)),
        cell(event.thing.as_ref()),
        cell(event.operation.as_ref()),
        cell(Some(&event.result)),
        event.count.to_string(),
    ];
    format!("{}\r\n", cells.join(","))
}

/// A cell, quoted where it has to be. What spreadsheets would run as a formula is text to them.
fn cell(value: Option<&impl ToString>) -> String {
    let mut text = value.map(ToString::to_string).unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        text.insert(0, '\'');
    }
    if text.contains(['"', ',', '\r', '\n']) {
        text = format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_cannot_break_out_or_be_formulas() {
        assert_eq!(cell(Some(&"a,b")), "\"a,b\"");
        assert_eq!(cell(Some(&"a\"b\r\nc")), "\"a\"\"b\r\nc\"");
        assert_eq!(cell(Some(&"=cmd|' /C calc'!A0")), "'=cmd|' /C calc'!A0");
        assert_eq!(cell(Some(&"@x,y")), "\"'@x,y\"");
        assert_eq!(cell(None::<&String>), "");
    }
}
