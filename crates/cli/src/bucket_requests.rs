//! `storm bucket requests`: requests to a bucket over time.

use anyhow::Result;
use clap::Args;
use storm_protocol::{
    api::{RequestsPage, RequestsPoint, RequestsStep},
    frame::MethodClass,
    ident::Micros,
};

use crate::{
    bucket::{Which, name},
    client, clock, output,
    output::{Column, Sheet},
    session::Session,
    units,
};

/// The first hundreds of a status that says that a request failed.
const FIRST_FAILED: u8 = 4;

/// Requests of a bucket.
#[derive(Debug, Args)]
pub(crate) struct Requests {
    #[command(flatten)]
    which: Which,
    /// How far back: 24h, 7d [default: 24h, or 30d by day]
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, allow_hyphen_values = true)]
    last: Option<u32>,
    /// How long each step is: hour (kept for 90 days) or day (kept for ever)
    #[arg(long, value_name = "STEP", default_value = "hour", value_parser = parse_step)]
    by: RequestsStep,
}

fn parse_step(text: &str) -> Result<RequestsStep, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected hour or day".to_owned())
}

/// A line of the table: what a step comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    at: Micros,
    requests: u64,
    read: u64,
    written: u64,
    deleted: u64,
    failed: u64,
    received_bytes: u64,
    sent_bytes: u64,
}

pub(crate) async fn show(session: &Session, args: Requests) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let from = args.last.map(|seconds| {
        let from = clock::now().plus_seconds(-i64::from(seconds));
        from.0.to_string()
    });
    let step = match args.by {
        RequestsStep::Hour => "hour",
        RequestsStep::Day => "day",
    };
    let path = client::query(
        &format!("/buckets/{}/requests", bucket.id),
        &[("step", Some(step)), ("from", from.as_deref())],
    );
    let page: RequestsPage = session.api.get(&path).await?;
    session.show(&page, || {
        if !page.configured {
            output::note(&format!(
                "Requests are not counted in region {}: no agent there reads a proxy's access log.",
                bucket.region
            ));
            return Ok(());
        }
        let mut sheet = Sheet::new(&[
            Column::Text("From (UTC)"),
            Column::Number("Requests"),
            Column::Number("Reads"),
            Column::Number("Writes"),
            Column::Number("Deletes"),
            Column::Number("Failed"),
            Column::Number("Received"),
            Column::Number("Sent"),
        ]);
        for sum in sums(&page.points) {
            sheet.row([
                units::instant(sum.at),
                units::count(sum.requests),
                units::count(sum.read),
                units::count(sum.written),
                units::count(sum.deleted),
                units::count(sum.failed),
                units::size(sum.received_bytes),
                units::size(sum.sent_bytes),
            ]);
        }
        sheet.print(&format!(
            "No requests to bucket {} in this time.",
            name(&bucket)
        ))
    })
}

/// The points, which come oldest first, by their step.
fn sums(points: &[RequestsPoint]) -> Vec<Sum> {
    let mut sums: Vec<Sum> = vec![];
    for point in points {
        if sums.last().is_none_or(|last| last.at != point.at) {
            sums.push(Sum {
                at: point.at,
                ..Sum::default()
            });
        }
        let Some(sum) = sums.last_mut() else { continue };
        let add = |figure: &mut u64, more: u64| *figure = figure.saturating_add(more);
        add(&mut sum.requests, point.requests);
        match point.method {
            MethodClass::Read => add(&mut sum.read, point.requests),
            MethodClass::Write => add(&mut sum.written, point.requests),
            MethodClass::Delete => add(&mut sum.deleted, point.requests),
            // Shown in the sum of all.
            MethodClass::Other => {}
        }
        if point.status >= FIRST_FAILED {
            add(&mut sum.failed, point.requests);
        }
        add(&mut sum.received_bytes, point.received_bytes);
        add(&mut sum.sent_bytes, point.sent_bytes);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_a_step_are_added_up() {
        let point = |at, method, status| RequestsPoint {
            at: Micros(at),
            method,
            status,
            requests: 10,
            received_bytes: 3,
            sent_bytes: 4,
        };
        let points = [
            point(1, MethodClass::Read, 2),
            point(1, MethodClass::Write, 5),
            point(1, MethodClass::Other, 4),
            point(2, MethodClass::Delete, 2),
        ];
        let first = Sum {
            at: Micros(1),
            requests: 30,
            read: 10,
            written: 10,
            deleted: 0,
            failed: 20,
            received_bytes: 9,
            sent_bytes: 12,
        };
        let second = Sum {
            at: Micros(2),
            requests: 10,
            deleted: 10,
            received_bytes: 3,
            sent_bytes: 4,
            ..Sum::default()
        };
        assert_eq!(sums(&points), [first, second]);
        assert!(sums(&[]).is_empty());
    }

    #[test]
    fn a_step_is_an_hour_or_a_day() {
        assert_eq!(parse_step("hour"), Ok(RequestsStep::Hour));
        assert_eq!(parse_step("day"), Ok(RequestsStep::Day));
        assert!(parse_step("Hour").is_err() && parse_step("").is_err());
    }
}
