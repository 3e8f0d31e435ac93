//! When a request that was refused for now, or got no answer, is sent again. What is waited for has a bound.

use std::time::Duration;

use reqwest::header::{self, HeaderMap};

use crate::errors::ApiError;

/// Times that a request without an answer is sent.
const MAX_TRIES: u32 = 3;
/// Milliseconds after the first of them, twice as many after each next one.
const FIRST_BACKOFF_MILLIS: u64 = 250;
/// Seconds that a server may make one request wait, all in all.
const MOST_SECONDS: u64 = 30;
const TOO_MANY: u16 = 429;
const UNAVAILABLE: u16 = 503;

/// What is left of it for one request.
pub(crate) struct Patience {
    /// Whether sending it twice does no harm.
    repeatable: bool,
    tries: u32,
    seconds: u64,
}

/// Wait, and send again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Nobody has to be told.
    Short(Duration),
    /// The server asks for that many seconds.
    Asked(u64),
}

impl Patience {
    pub(crate) fn new(repeatable: bool) -> Self {
        Self {
            repeatable,
            tries: 1,
            seconds: MOST_SECONDS,
        }
    }

    /// What to do after an error, with which the server asked for `wait` seconds. `None`: it stands.
    pub(crate) fn pause(&mut self, error: &ApiError, wait: Option<u64>) -> Option<Pause> {
        let (status, answered) = match error {
            ApiError::Unreachable { .. } => (None, false),
            ApiError::Unexpected { status, .. } => (Some(*status), false),
            ApiError::Problem { status, .. } => (Some(*status), true),
        };
        // Whoever is refused for having asked too often has done nothing yet.
        let later = status == Some(TOO_MANY) || (status == Some(UNAVAILABLE) && self.repeatable);
        if let Some(wait) = wait.filter(|_| later) {
            let wait = wait.max(1);
            self.seconds = self.seconds.checked_sub(wait)?;
            return Some(Pause::Asked(wait));
        }
        let lost = !answered && matches!(status, None | Some(502..=504));
        if !lost || !self.repeatable || self.tries >= MAX_TRIES {
            return None;
        }
        let backoff = FIRST_BACKOFF_MILLIS << (self.tries - 1);
        self.tries += 1;
        Some(Pause::Short(Duration::from_millis(backoff)))
    }
}

/// The seconds after which a server wants to be asked again, if it says so in seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use storm_protocol::api::ProblemBody;

    use super::{Patience, Pause};
    use crate::errors::ApiError;

    fn problem(status: u16) -> ApiError {
        let said = |text: &str| text.to_owned();
        let body = ProblemBody {
            code: said("busy"),
            message: said("Busy."),
            request: said("r1"),
        };
        ApiError::Problem {
            status,
            body,
            uncertain: false,
        }
    }

    fn unexpected(status: u16) -> ApiError {
        ApiError::Unexpected {
            url: String::new(),
            status,
            reason: String::new(),
        }
    }

    #[test]
    fn what_the_server_asks_for_is_waited_for_up_to_the_bound() {
        let mut patience = Patience::new(true);
        for wait in [3, 20] {
            let pause = patience.pause(&problem(429), Some(wait));
            assert_eq!(pause, Some(Pause::Asked(wait)));
        }
        assert_eq!(patience.pause(&problem(503), Some(8)), None);
        assert_eq!(
            patience.pause(&unexpected(503), Some(7)),
            Some(Pause::Asked(7))
        );
        assert_eq!(patience.pause(&problem(429), Some(1)), None);
    }

    #[test]
    fn a_server_that_asks_for_nothing_at_all_is_not_asked_without_end() {
        let mut patience = Patience::new(true);
        let mut tries = 0;
        while let Some(pause) = patience.pause(&problem(429), Some(0)) {
            assert_eq!(pause, Pause::Asked(1));
            tries += 1;
        }
        assert_eq!(tries, 30);
        for huge in [31, 3600, u64::MAX] {
            let mut patience = Patience::new(true);
            assert_eq!(patience.pause(&problem(429), Some(huge)), None, "{huge}");
        }
    }

    #[test]
    fn what_may_have_been_done_is_not_repeated_unless_that_does_no_harm() {
        let mut once = Patience::new(false);
        for error in [unexpected(503), unexpected(502), problem(503)] {
            assert_eq!(once.pause(&error, Some(1)), None, "{error}");
        }
        // Too often is said before anything is done.
        assert_eq!(once.pause(&problem(429), Some(1)), Some(Pause::Asked(1)));
        let mut patience = Patience::new(true);
        for status in [400, 401, 409, 500] {
            assert_eq!(patience.pause(&problem(status), Some(1)), None, "{status}");
        }
        let short = |millis| Some(Pause::Short(Duration::from_millis(millis)));
        assert_eq!(patience.pause(&unexpected(502), None), short(250));
        assert_eq!(patience.pause(&unexpected(504), None), short(500));
        assert_eq!(patience.pause(&unexpected(503), None), None);
    }
}
