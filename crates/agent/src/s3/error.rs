//! What came of an S3 request that was not done. S3's words go into signed receipts, so they are
//! bounded here, where they come in.

/// The most characters of S3's own words that are repeated.
const MAX_WORDS_CHARS: usize = 300;

/// What came of a request that was not answered with success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum S3Error {
    /// No connection, a broken one, or an answer that proves nothing: the same again.
    #[error("S3 does not answer clearly: {0}")]
    Unclear(String),
    /// HTTP 403: the key or its right is not known, perhaps not yet.
    #[error("S3 does not accept the job's key: {0}")]
    Denied(String),
    /// A clear no.
    #[error("S3 answered {status} {code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// S3's code, for example `NoSuchBucket`.
        code: String,
        /// S3's words.
        message: String,
    },
}

impl S3Error {
    /// Nothing is proven.
    pub(super) fn unclear(cause: &str) -> Self {
        Self::Unclear(bounded(cause))
    }

    /// The key is not accepted.
    pub(super) fn denied(cause: &str) -> Self {
        Self::Denied(bounded(cause))
    }

    /// A clear no.
    pub(super) fn refused(status: u16, code: &str, message: &str) -> Self {
        Self::Refused {
            status,
            code: bounded(code),
            message: bounded(message),
        }
    }

    /// What an answer without success says: 403 is about the key, other 4xx are a clear no, all else
    /// proves nothing.
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let (code, message) = (element(&text, "Code"), element(&text, "Message"));
        match status {
            403 => Self::denied(message),
            // Too slow, too often: that is no answer yet.
            408 | 429 => Self::unclear(&format!("HTTP {status} {code} {message}")),
            400..=499 => Self::refused(status, code, message),
            _ => Self::unclear(&format!("HTTP {status} {code} {message}")),
        }
    }
}

/// The text of the first element of this name: enough for S3's error answers, which are flat.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split_once("</"))
        .map_or("", |(text, _)| text)
}

/// Words from outside: short, and without characters that steer a terminal.
fn bounded(words: &str) -> String {
    let printable = words.chars().filter(|character| !character.is_control());
    printable.take(MAX_WORDS_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORDS_CHARS, S3Error};

    #[test]
    fn an_answer_is_about_the_key_a_no_or_nothing_clear() {
        let body = b"<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>";
        let refused = S3Error::of_answer(404, body);
        assert_eq!(refused, S3Error::refused(404, "NoSuchBucket", "gone"));
        assert_eq!(S3Error::of_answer(403, body), S3Error::denied("gone"));
        for status in [500, 503, 429, 302] {
            assert!(
                matches!(S3Error::of_answer(status, body), S3Error::Unclear(_)),
                "{status}"
            );
        }
        let long = format!("<Error><Message>\u{1b}[2J{}</Message>", "x".repeat(9000));
        let S3Error::Denied(words) = S3Error::of_answer(403, long.as_bytes()) else {
            panic!("a 403 is about the key")
        };
        assert_eq!(words.chars().count(), MAX_WORDS_CHARS);
        assert!(words.starts_with("[2J"), "{words}");
        assert_eq!(
            S3Error::of_answer(400, b"\xff"),
            S3Error::refused(400, "", "")
        );
    }
}
