//! What a request is answered when it is not answered as asked: [`ApiError`]. Its body, an
//! `api::Problem`, is written by `web::guard`, which knows the request's id.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use storm_protocol::ident::RegionName;

use crate::{auth::password::PasswordError, store::StoreError};

/// What a client hears when nothing can be written down.
const DISK_FULL: &str = "The control plane's disk is full. Nothing was changed, and buckets keep serving. \
                         An operator has to make room there; then ask again.";

/// What a client hears when the server, or its database, is too slow.
const LATE: &str =
    "The server did not answer in time. Look whether the change was made before you ask again.";
/// Seconds after which to ask again then.
const LATE_RETRY_SECONDS: u64 = 5;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The client's matter: said to the client.
    #[error("{message}")]
    Refused {
        /// The answer's status.
        status: StatusCode,
        /// A stable code.
        code: Cow<'static, str>,
        /// What happened, what was kept, what to do.
        message: String,
    },
    /// Too often: said to the client, with the time to wait.
    #[error("{message}")]
    RateLimited {
        /// Seconds to wait.
        retry_after_seconds: u64,
        /// What happened, what to do.
        message: String,
    },
    /// As much waits here, of everybody's, as may: said to the client, with the time to wait.
    #[error("{message}")]
    Busy {
        /// Seconds to wait.
        retry_after_seconds: u64,
        /// What happened, what to do.
        message: String,
    },
    /// Something here took too long; whether the change was made is not known.
    #[error("{LATE}")]
    Late,
    /// The database failed: nothing to the client, all to the log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Anything else that must not happen: nothing to the client, all to the log.
    #[error("{0}")]
    Internal(String),
}

/// What `web::guard` makes the body from; travels in the response's extensions.
#[derive(Clone)]
pub(crate) struct Fault {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) retry_after_seconds: Option<u64>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
}

impl ApiError {
    /// A refusal with its own status.
    pub(crate) fn refused(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::Refused {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// A value that its place does not take: names the field.
    pub(crate) fn field(field: &str, why: impl std::fmt::Display) -> Self {
        Self::refused(
            StatusCode::BAD_REQUEST,
            "bad_request",
            format!("{field}: {why}."),
        )
    }

    /// There is no such thing for this caller. `list` is the path that lists those that there are.
    pub(crate) fn not_found(thing: &str, name: impl std::fmt::Display, list: &str) -> Self {
        Self::refused(
            StatusCode::NOT_FOUND,
            format!("no_such_{thing}"),
            format!("There is no {thing} {name} here; GET {list} lists those that there are."),
        )
    }

    /// There is no such region.
    pub(crate) fn no_region(name: &RegionName) -> Self {
        Self::not_found("region", name, "/api/v1/regions")
    }

    /// The caller may not do this.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::FORBIDDEN, "forbidden", message)
    }

    fn into_parts(self) -> (StatusCode, Fault) {
        let fault = |code, message, retry_after_seconds, cause| Fault {
            code,
            message,
            retry_after_seconds,
            cause,
        };
        match self {
            Self::Refused {
                status,
                code,
                message,
            } => (status, fault(code, message, None, None)),
            Self::RateLimited {
                retry_after_seconds,
                message,
            } => (
                StatusCode::TOO_MANY_REQUESTS,
                fault(
                    "rate_limited".into(),
                    message,
                    Some(retry_after_seconds),
                    None,
                ),
            ),
            Self::Busy {
                retry_after_seconds,
                message,
            } => (
                StatusCode::SERVICE_UNAVAILABLE,
                fault("busy".into(), message, Some(retry_after_seconds), None),
            ),
            Self::Late => (StatusCode::SERVICE_UNAVAILABLE, Fault::late(None)),
            Self::Store(error) if error.is_late() => (
                StatusCode::SERVICE_UNAVAILABLE,
                Fault::late(Some(error.to_string())),
            ),
            Self::Store(error) if error.is_full() => (
                StatusCode::INSUFFICIENT_STORAGE,
                fault(
                    "disk_full".into(),
                    DISK_FULL.to_owned(),
                    None,
                    Some(error.to_string()),
                ),
            ),
            error @ (Self::Store(_) | Self::Internal(_)) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Fault::internal(error.to_string()),
            ),
        }
    }
}

impl Fault {
    fn late(cause: Option<String>) -> Self {
        Self {
            code: "timeout".into(),
            message: LATE.to_owned(),
            retry_after_seconds: Some(LATE_RETRY_SECONDS),
            cause,
        }
    }

    /// Says nothing to the client; `cause` goes to the log.
    pub(crate) fn internal(cause: String) -> Self {
        Self {
            code: "internal".into(),
            message:
                "Something failed here, not with you. Try again; the request's id finds it in \
                      the server's log."
                    .to_owned(),
            retry_after_seconds: None,
            cause: Some(cause),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::RateLimited {
                retry_after_seconds: 2,
                message: "Too many people sign in at this moment. Try again in some seconds."
                    .to_owned(),
            },
            PasswordError::Length | PasswordError::Guessable(_) => Self::field("password", error),
            PasswordError::Hash(_) => Self::Internal(error.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, fault) = self.into_parts();
        let mut response = status.into_response();
        response.extensions_mut().insert(fault);
        response
    }
}
