//! Caddy's JSON access log.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use storm_protocol::ident::Micros;

use super::{Hosts, Line, Request, hundreds, method_class};

/// What Caddy calls the loggers of requests; others may write into the same file.
const ACCESS_LOGGER: &str = "http.log.access";

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    logger: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request: Option<EntryRequest<'a>>,
    ts: Timestamp,
    status: Option<u16>,
    size: Option<u64>,
    // Not written by Caddy before 2.7.
    #[serde(default)]
    bytes_read: u64,
}

#[derive(Deserialize)]
struct EntryRequest<'a> {
    #[serde(borrow)]
    host: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

/// Reads a line.
pub(super) fn read(hosts: &Hosts, line: &[u8]) -> Option<Line> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    let logger = entry.logger.as_deref().unwrap_or(ACCESS_LOGGER);
    if !logger.starts_with(ACCESS_LOGGER) {
        return Some(Line::Other);
    }
    let request = entry.request?;
    let (status, sent_bytes) = (hundreds(entry.status?)?, entry.size?);
    let Some(bucket) = hosts.bucket(&request.host, &request.uri) else {
        return Some(Line::Other);
    };
    Some(Line::Request(Request {
        at: entry.ts.0,
        bucket,
        method: method_class(&request.method),
        status,
        received_bytes: entry.bytes_read,
        sent_bytes,
    }))
}

/// Seconds since 1970 as a number, as Caddy writes them unless told otherwise, or RFC 3339.
struct Timestamp(Micros);

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimestampVisitor)
    }
}

struct TimestampVisitor;

impl Visitor<'_> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970, or an RFC 3339 instant")
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Timestamp, E> {
        // A cast from a float saturates; JSON has no NaN.
        let micros = (seconds * Micros::SECOND as f64) as i64;
        Ok(Timestamp(Micros(micros)))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
        let seconds = i64::try_from(seconds).map_err(E::custom)?;
        Ok(Timestamp(Micros(0).plus_seconds(seconds)))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
        Ok(Timestamp(Micros(0).plus_seconds(seconds)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        let at: jiff::Timestamp = text.parse().map_err(E::custom)?;
        Ok(Timestamp(Micros(at.as_microsecond())))
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::{frame::MethodClass, ident::Micros};

    use super::{Hosts, Line, Request, read};

    const LINE: &str = r#"{"level":"info","ts":1764067806.25,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"4711","proto":"HTTP/2.0","method":"PUT","host":"s3.example.org","uri":"/photos/a \" b.jpg?X-Amz-Signature=12","headers":{"User-Agent":["x"]},"tls":{"resumed":false}},"user_id":"","duration":0.01,"size":17,"bytes_read":4096,"status":200,"resp_headers":{}}"#;

    fn parse(line: &str) -> Option<Line> {
        let hosts = Hosts::new(&["s3.example.org".to_owned()], &[]);
        read(&hosts, line.as_bytes())
    }

    fn photos() -> Request {
        Request {
            at: Micros(1_764_067_806_250_000),
            bucket: "photos".parse().unwrap(),
            method: MethodClass::Write,
            status: 2,
            received_bytes: 4096,
            sent_bytes: 17,
        }
    }

    #[test]
    fn a_line_of_caddys_is_read() {
        let line = LINE.replace(" \\\" ", "-\\\"-");
        assert_eq!(parse(&line), Some(Line::Request(photos())));
        let text_time = LINE.replace("1764067806.25", "\"2025-11-25T10:50:06.25Z\"");
        assert_eq!(parse(&text_time), Some(Line::Request(photos())));
        let gone = Request {
            status: 4,
            ..photos()
        };
        let line = LINE.replace("\"status\":200", "\"status\":0");
        assert_eq!(parse(&line), Some(Line::Request(gone)));
    }

    #[test]
    fn what_is_no_request_is_told_from_what_cannot_be_read() {
        let other = LINE.replace("http.log.access.log0", "http.log.error");
        assert_eq!(parse(&other), Some(Line::Other));
        assert_eq!(parse(&LINE.replace("/photos/", "/")), Some(Line::Other));
        for broken in [
            String::new(),
            "{}".to_owned(),
            LINE[..LINE.len() - 1].to_owned(),
            LINE.replace("\"status\":200", "\"status\":999"),
            LINE.replace("\"size\":17", "\"size\":-1"),
            LINE.replace("1764067806.25", "\"yesterday\""),
            format!("{LINE}{LINE}"),
        ] {
            assert_eq!(parse(&broken), None, "{broken}");
        }
    }
}
