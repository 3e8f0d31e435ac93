//! nginx's `combined` format with `$host ` before it:
//! `$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent …`.
//! nginx writes quotes inside a value as `\x22`, so the first quote of a line opens the request and
//! the second one closes it, whatever a client sends.

use jiff::fmt::strtime;
use storm_protocol::ident::Micros;

use super::{Hosts, Line, Request, hundreds, method_class};

const TIME_FORMAT: &str = "%d/%b/%Y:%H:%M:%S %z";

/// Reads a line.
pub(super) fn read(hosts: &Hosts, line: &[u8]) -> Option<Line> {
    let line = str::from_utf8(line).ok()?;
    let mut parts = line.splitn(3, '"');
    let (before, request, after) = (parts.next()?, parts.next()?, parts.next()?);
    let (host, before) = before.split_once(' ')?;
    // A user's name may have brackets of its own; the time's are the last ones.
    let time = before.strip_suffix("] ")?.rsplit('[').next()?;
    let at = instant(time)?;
    let mut numbers = after.strip_prefix(' ')?.split(' ');
    let status = hundreds(numbers.next()?.parse().ok()?)?;
    let sent_bytes = numbers.next()?.parse().ok()?;
    let mut words = request.split(' ');
    let (method, target) = (words.next()?, words.next().unwrap_or_default());
    let Some(bucket) = hosts.bucket(host, target) else {
        return Some(Line::Other);
    };
    Some(Line::Request(Request {
        at,
        bucket,
        method: method_class(method),
        status,
        received_bytes: 0,
        sent_bytes,
    }))
}

fn instant(text: &str) -> Option<Micros> {
    let time = strtime::parse(TIME_FORMAT, text).ok()?;
    Some(Micros(time.to_timestamp().ok()?.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use storm_protocol::{frame::MethodClass, ident::Micros};

    use super::{Hosts, Line, Request, read};

    const LINE: &str = r#"s3.example.org 192.0.2.7 - - [25/Nov/2025:11:50:06 +0100] "GET /photos/a.jpg?x=1 HTTP/1.1" 206 1048576 "-" "curl/8""#;

    fn parse(line: &str) -> Option<Line> {
        let hosts = Hosts::new(&["s3.example.org".to_owned()], &[]);
        read(&hosts, line.as_bytes())
    }

    fn photos() -> Request {
        Request {
            at: Micros(1_764_067_806_000_000),
            bucket: "photos".parse().unwrap(),
            method: MethodClass::Read,
            status: 2,
            received_bytes: 0,
            sent_bytes: 1_048_576,
        }
    }

    #[test]
    fn a_line_of_nginxs_is_read() {
        assert_eq!(parse(LINE), Some(Line::Request(photos())));
        // What a client calls itself cannot move anything.
        let user = LINE.replace("- - [", r"- a\x22 [01/Jan/2020:00:00:00 +0000] \x22 [");
        assert_eq!(parse(&user), Some(Line::Request(photos())));
        let agent = LINE.replace("curl/8", r"\x22 500 1 \x22");
        assert_eq!(parse(&agent), Some(Line::Request(photos())));
    }

    #[test]
    fn what_is_no_request_is_told_from_what_cannot_be_read() {
        for other in [
            LINE.replace("GET /photos/a.jpg?x=1 HTTP/1.1", r"\x16\x03\x01"),
            LINE.replace("GET /photos/a.jpg?x=1 HTTP/1.1", "-"),
            LINE.replace("s3.example.org ", "_ "),
            LINE.replace("s3.example.org ", " "),
        ] {
            assert_eq!(parse(&other), Some(Line::Other), "{other}");
        }
        for broken in [
            "",
            "\"\"\"",
            &LINE[..60],
            &LINE.replace("206", "2066"),
            &LINE.replace("1048576", "-"),
            &LINE.replace("Nov", "Now"),
            // Without the host before it, the time stands elsewhere but the address is no host.
            &LINE.replace('"', "'"),
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
        let hosts = Hosts::default();
        assert_eq!(read(&hosts, b"\xff\xfe \"\" 200 1"), None);
    }
}
