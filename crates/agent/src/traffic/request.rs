//! One line of an access log, and what of it counts: when, which bucket, what kind, how much. The
//! rest, the URL and the address foremost, goes no further than this call.

mod caddy;
mod nginx;

use storm_protocol::{
    frame::MethodClass,
    ident::{BucketAddress, Micros},
};

use super::hosts::Hosts;
use crate::config::LogFormat;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A request to a bucket.
    Request(Request),
    /// A request that names no bucket, or no request at all.
    Other,
}

/// A request, as far as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// When it ended.
    pub(super) at: Micros,
    /// The bucket that it names.
    pub(super) bucket: BucketAddress,
    /// What it does.
    pub(super) method: MethodClass,
    /// The hundreds of its status.
    pub(super) status: u8,
    /// Bytes of its body; nginx's format does not have them.
    pub(super) received_bytes: u64,
    /// Bytes of the answer's body.
    pub(super) sent_bytes: u64,
}

/// Reads a line without its end. `None` when it is not one of `format`.
pub(super) fn read(format: LogFormat, hosts: &Hosts, line: &[u8]) -> Option<Line> {
    match format {
        LogFormat::Caddy => caddy::read(hosts, line),
        LogFormat::Nginx => nginx::read(hosts, line),
    }
}

fn method_class(method: &str) -> MethodClass {
    match method {
        "GET" | "HEAD" => MethodClass::Read,
        "PUT" | "POST" => MethodClass::Write,
        "DELETE" => MethodClass::Delete,
        _ => MethodClass::Other,
    }
}

/// The hundreds of a status. 0, which Caddy writes when the client went away before an answer, is
/// one of the client's, like nginx's 499.
fn hundreds(status: u16) -> Option<u8> {
    match status {
        0 => Some(4),
        100..600 => u8::try_from(status / 100).ok(),
        _ => None,
    }
}
