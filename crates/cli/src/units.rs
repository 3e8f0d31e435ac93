//! Numbers and instants as people write and read them: decimal sizes, durations, times of day.

use jiff::Timestamp;
use storm_protocol::ident::{Limit, Micros};

use crate::errors::usage;

const MINUTE_SECONDS: i64 = 60;
const HOUR_SECONDS: i64 = 60 * MINUTE_SECONDS;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;
const SIZE_FORM: &str =
    "a size such as 10GB, 1.5TB, 500MB, 10GiB or a number of bytes, from 1 byte to 9 PB";
const DURATION_FORM: &str = "a duration such as 30d, 12h, 15m or 90s";

/// Reads a size: `10GB`, `10GiB`, `500 MB`, `1.5TB` or plain bytes.
pub(crate) fn parse_size(text: &str) -> Result<Limit, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u128 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "p" | "pb" => 1_000_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "pib" => 1 << 50,
        _ => return Err(format!("expected {SIZE_FORM}")),
    };
    scaled(number, factor)
        .and_then(Limit::new)
        .ok_or_else(|| format!("expected {SIZE_FORM}"))
}

/// `number`, which may have a fraction, times `factor`; `None` when it is no number, too large, or
/// leaves a part of a byte.
fn scaled(number: &str, factor: u128) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || whole.len() > 18 || fraction.len() > 12 || number.ends_with('.') {
        return None;
    }
    let divisor = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(factor)?;
    (product % divisor == 0)
        .then(|| u64::try_from(product / divisor).ok())
        .flatten()
}

/// Reads a count: a positive whole number.
pub(crate) fn parse_count(text: &str) -> Result<Limit, String> {
    text.parse()
        .ok()
        .and_then(Limit::new)
        .ok_or_else(|| "expected a whole number from 1 to 9007199254740991".to_owned())
}

/// A limit to set, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    /// No limit.
    Lifted,
    /// This limit.
    Limited(Limit),
}

impl Quota {
    /// The limit as the API takes it.
    pub(crate) fn limit(self) -> Option<Limit> {
        match self {
            Self::Lifted => None,
            Self::Limited(limit) => Some(limit),
        }
    }
}

/// Reads a size, or `none` for no limit.
pub(crate) fn parse_size_or_none(text: &str) -> Result<Quota, String> {
    if text == "none" {
        return Ok(Quota::Lifted);
    }
    let or_none = |error| format!("{error}, or none for no limit");
    parse_size(text).map(Quota::Limited).map_err(or_none)
}

/// Reads a count, or `none` for no limit.
pub(crate) fn parse_count_or_none(text: &str) -> Result<Quota, String> {
    if text == "none" {
        return Ok(Quota::Lifted);
    }
    let or_none = |error| format!("{error}, or none for no limit");
    parse_count(text).map(Quota::Limited).map_err(or_none)
}

/// Reads a duration of whole seconds: `30d`, `12h`, `15m`, `90s`, `2w`.
pub(crate) fn parse_duration(text: &str) -> Result<u32, String> {
    let wrong = || format!("expected {DURATION_FORM}");
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "s" => 1,
        "m" => MINUTE_SECONDS,
        "h" => HOUR_SECONDS,
        "d" => DAY_SECONDS,
        "w" => 7 * DAY_SECONDS,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(factor)
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(wrong)
}

/// When something ends: after a duration, or at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// So many seconds from now.
    After(u32),
    /// At this instant.
    At(Micros),
}

impl Expiry {
    /// The instant. `place` is how it is given on this command line, such as `--expires`.
    ///
    /// # Errors
    /// When it does not lie ahead.
    pub(crate) fn instant(self, now: Micros, place: &str) -> anyhow::Result<Micros> {
        let ends = match self {
            Self::After(seconds) => now.plus_seconds(i64::from(seconds)),
            Self::At(instant) => instant,
        };
        if ends > now {
            return Ok(ends);
        }
        Err(usage(format!(
            "{place}: {} has passed already. Give an end in the future, such as 30d.",
            instant(ends)
        )))
    }
}

/// Reads an end: a duration, a date (its first instant, UTC), or an instant (RFC 3339).
pub(crate) fn parse_expiry(text: &str) -> Result<Expiry, String> {
    if let Ok(seconds) = parse_duration(text) {
        return Ok(Expiry::After(seconds));
    }
    let instant: Result<Timestamp, _> = if text.len() == 10 {
        format!("{text}T00:00:00Z").parse()
    } else {
        text.parse()
    };
    instant
        .map(|instant| Expiry::At(Micros(instant.as_microsecond())))
        .map_err(|_| {
            format!("expected {DURATION_FORM}, a date such as 2030-01-31 or an instant such as 2030-01-31T12:00:00Z")
        })
}

/// When something begins, which lies in the past: a duration ago, or at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So many seconds ago.
    Ago(u32),
    /// At this instant.
    At(Micros),
}

impl Since {
    /// The instant. `place` is how it is given on this command line, such as `--since`.
    ///
    /// # Errors
    /// When it does not lie in the past.
    pub(crate) fn instant(self, now: Micros, place: &str) -> anyhow::Result<Micros> {
        let begins = match self {
            Self::Ago(seconds) => now.plus_seconds(-i64::from(seconds)),
            Self::At(instant) => instant,
        };
        if begins < now {
            return Ok(begins);
        }
        Err(usage(format!(
            "{place}: {} has not been yet. Give a beginning in the past, such as 7d.",
            instant(begins)
        )))
    }
}

/// Reads a beginning: a duration, a date (its first instant, UTC), or an instant (RFC 3339).
pub(crate) fn parse_since(text: &str) -> Result<Since, String> {
    Ok(match parse_expiry(text)? {
        Expiry::After(seconds) => Since::Ago(seconds),
        Expiry::At(instant) => Since::At(instant),
    })
}

/// A size in decimal units with three significant digits: `4.82 TB`, `841 kB`, `12 B`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    // 999.5 would be written as 1000.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if value < 9.995 {
        format!("{value:.2} {name}")
    } else if value < 99.95 {
        format!("{value:.1} {name}")
    } else {
        format!("{value:.0} {name}")
    }
}

/// A count in full, in groups of three: `902,377`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of objects: `1 object`, `3,300 objects`.
pub(crate) fn objects(number: u64) -> String {
    let noun = if number == 1 { "object" } else { "objects" };
    format!("{} {noun}", count(number))
}

/// A span of seconds in its largest unit: `45 s`, `26 min`, `5 h`, `12 d`.
pub(crate) fn span(seconds: i64) -> String {
    if seconds < MINUTE_SECONDS {
        format!("{seconds} s")
    } else if seconds < HOUR_SECONDS {
        format!("{} min", seconds / MINUTE_SECONDS)
    } else if seconds < 2 * DAY_SECONDS {
        format!("{} h", seconds / HOUR_SECONDS)
    } else {
        format!("{} d", seconds / DAY_SECONDS)
    }
}

/// An instant in the past as seen from `now`, UTC: `8 s ago`, `26 min ago`, then `14:06` today,
/// `yesterday`, `23 Nov`, `23 Nov 2024`. One in the future: `in 5 h`.
pub(crate) fn when(now: Micros, instant: Micros) -> String {
    let seconds = now.0.saturating_sub(instant.0).div_euclid(Micros::SECOND);
    if instant.0 > now.0 {
        return format!("in {}", span(-seconds));
    }
    if seconds < HOUR_SECONDS {
        return format!("{} ago", span(seconds));
    }
    let (Ok(at), Ok(today)) = (
        Timestamp::from_microsecond(instant.0),
        Timestamp::from_microsecond(now.0),
    ) else {
        return "unknown".to_owned();
    };
    let day = |instant: Micros| instant.0.div_euclid(DAY_SECONDS * Micros::SECOND);
    match day(now) - day(instant) {
        0 => at.strftime("%H:%M").to_string(),
        1 => "yesterday".to_owned(),
        _ if at.strftime("%Y").to_string() == today.strftime("%Y").to_string() => {
            at.strftime("%-d %b").to_string()
        }
        _ => at.strftime("%-d %b %Y").to_string(),
    }
}

/// The full instant: `2026-11-23 14:06:09 UTC`.
pub(crate) fn instant(instant: Micros) -> String {
    Timestamp::from_microsecond(instant.0).map_or_else(
        |_| "unknown".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let cases = [
            ("10GB", 10_000_000_000),
            ("10GiB", 10 << 30),
            ("500MB", 500_000_000),
            ("500 mb", 500_000_000),
            ("1.5TB", 1_500_000_000_000),
            ("0.5KiB", 512),
            ("12345", 12345),
            ("7b", 7),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text).map(Limit::get), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "0",
            "GB",
            "-1",
            "1.5",
            "10XB",
            "1e9",
            "10GB0",
            ".5GB",
            "5.GB",
            "99999PB",
            "1.0000000000001kB",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_three_significant_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_996, "10.0 kB"),
            (99_960, "100 kB"),
            (841_300, "841 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (4_820_000_000_000, "4.82 TB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn counts_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (902_377, "902,377"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn instants_are_told_as_people_do() {
        let at = |text: &str| Micros(text.parse::<Timestamp>().unwrap().as_microsecond());
        let now = at("2026-11-23T14:06:09Z");
        let cases = [
            ("2026-11-23T14:06:01Z", "8 s ago"),
            ("2026-11-23T13:40:00Z", "26 min ago"),
            ("2026-11-23T09:05:00Z", "09:05"),
            ("2026-11-22T23:00:00Z", "yesterday"),
            ("2026-03-05T00:00:00Z", "5 Mar"),
            ("2024-11-23T00:00:00Z", "23 Nov 2024"),
            ("2026-11-23T19:06:09Z", "in 5 h"),
        ];
        for (instant, text) in cases {
            assert_eq!(when(now, at(instant)), text, "{instant}");
        }
    }

    #[test]
    fn an_end_lies_ahead() {
        let now = Micros(1_896_048_000_000_000);
        let later = Expiry::After(1).instant(now, "WHEN").unwrap();
        assert_eq!(later, now.plus_seconds(1));
        for passed in [
            Expiry::After(0),
            Expiry::At(now),
            parse_expiry("2020-01-01").unwrap(),
        ] {
            let error = passed.instant(now, "--expires").unwrap_err().to_string();
            assert!(
                error.contains("--expires") && error.contains("passed"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_beginning_lies_in_the_past() {
        let now = Micros(1_896_048_000_000_000);
        let ago = parse_since("1d").unwrap().instant(now, "WHEN").unwrap();
        assert_eq!(ago, now.plus_seconds(-86_400));
        let date = parse_since("2030-01-30").unwrap();
        assert_eq!(date.instant(now, "WHEN").unwrap(), ago);
        for to_come in [Since::Ago(0), Since::At(now), Since::At(Micros(now.0 + 1))] {
            let error = to_come.instant(now, "--since").unwrap_err().to_string();
            assert!(error.contains("--since"), "{error}");
        }
    }

    #[test]
    fn ends_are_read() {
        let day = Micros(1_896_048_000_000_000);
        assert_eq!(parse_expiry("30d"), Ok(Expiry::After(2_592_000)));
        assert_eq!(parse_expiry("2030-01-31"), Ok(Expiry::At(day)));
        assert_eq!(parse_expiry("2030-01-31T00:00:00Z"), Ok(Expiry::At(day)));
        for text in ["", "30", "d", "tomorrow", "2030-13-01", "99999999w"] {
            assert!(parse_expiry(text).is_err(), "{text}");
        }
    }
}
