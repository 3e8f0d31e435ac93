//! What came of a call that Garage did not do: a clear no, no answer, or an answer that proves
//! nothing. Garage's words go into signed receipts, so they are bounded here, where they come in.

use serde::Deserialize;

use super::Endpoint;

/// The most characters of Garage's own words that are repeated.
const MAX_WORDS_CHARS: usize = 500;
/// The most characters of one of Garage's codes.
const MAX_CODE_CHARS: usize = 64;

/// What came of a call that was not answered with success.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// No connection: nothing was sent.
    #[error("Garage's admin API cannot be reached at {endpoint}: {cause}")]
    NotReached {
        /// Where.
        endpoint: Endpoint,
        /// Why.
        cause: String,
    },
    /// Something was sent and not clearly answered: it may be done, undone or half done.
    #[error("Garage did not answer {call} clearly: {cause}")]
    Unknown {
        /// The call.
        call: &'static str,
        /// What came instead of an answer.
        cause: String,
    },
    /// HTTP 403: wrong, expired and too narrow tokens all look the same.
    #[error(
        "Garage does not accept the agent's admin token for {call}. Make a new one on this node: \
         storm-pulse token create"
    )]
    Denied {
        /// The call.
        call: &'static str,
    },
    /// Garage said no.
    #[error("{0}")]
    Rejected(Rejection),
}

/// Garage's clear no (HTTP 4xx): nothing was changed by this call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Garage answered {status} {code}: {message}")]
pub(crate) struct Rejection {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Garage's code, for example `NoSuchBucket`.
    pub(crate) code: String,
    /// Garage's words.
    pub(crate) message: String,
}

impl Rejection {
    /// Whether Garage's code is `code`.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

/// The body of an answer without success, as Garage writes it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: String,
    message: String,
}

/// What an answer without success says: 4xx is a clear no, all else proves nothing.
pub(super) fn of_answer(call: &'static str, status: u16, body: &[u8]) -> CallError {
    let said: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let code = bounded(&said.code, MAX_CODE_CHARS);
    let message = bounded(&said.message, MAX_WORDS_CHARS);
    if (400..500).contains(&status) {
        return CallError::Rejected(Rejection {
            status,
            code,
            message,
        });
    }
    unknown(call, format!("HTTP {status} {code} {message}").trim_end())
}

/// A call of unknown outcome.
pub(super) fn unknown(call: &'static str, cause: &str) -> CallError {
    CallError::Unknown {
        call,
        cause: bounded(cause, MAX_WORDS_CHARS),
    }
}

/// Words from outside: short, and without characters that steer a terminal.
fn bounded(words: &str, max_chars: usize) -> String {
    let printable = words.chars().filter(|character| !character.is_control());
    printable.take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use super::{CallError, MAX_CODE_CHARS, MAX_WORDS_CHARS, of_answer};

    #[test]
    fn garages_words_are_bounded_and_steer_no_terminal() {
        let long = "x".repeat(60_000);
        let body = serde_json::json!({ "code": long, "message": format!("\u{1b}[2J{long}") });
        let body = serde_json::to_vec(&body).unwrap();
        let CallError::Rejected(no) = of_answer("ImportKey", 400, &body) else {
            panic!("a 4xx is a clear no")
        };
        assert_eq!(no.code.len(), MAX_CODE_CHARS);
        assert_eq!(no.message.chars().count(), MAX_WORDS_CHARS);
        assert!(no.message.starts_with("[2J"), "{}", no.message);
        let CallError::Unknown { cause, .. } = of_answer("ImportKey", 500, &body) else {
            panic!("a 5xx proves nothing")
        };
        assert_eq!(cause.chars().count(), MAX_WORDS_CHARS);
    }
}
