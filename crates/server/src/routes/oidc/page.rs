//! What a browser sees that is sent here.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{
    error::Fault,
    store::StoreError,
    web::{PAGE_POLICY, escaped},
};

/// The dashboard's address for who has just signed in elsewhere: it asks who they are, even in a browser that
/// it never saw.
const ARRIVED: &str = "/#arrived";

/// Why somebody is not signed in: a page for them, a code for the trail.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    lead: String,
    retry_after_seconds: Option<u64>,
    cause: Option<String>,
}

impl Refusal {
    /// Said to the person.
    pub(super) fn new(status: StatusCode, code: &'static str, lead: impl Into<String>) -> Self {
        Self {
            status,
            code,
            lead: lead.into(),
            retry_after_seconds: None,
            cause: None,
        }
    }

    /// Too often.
    pub(super) fn rate_limited(retry_after_seconds: u64) -> Self {
        let lead = format!(
            "Too many tries to sign in from your network. Try again in {retry_after_seconds} seconds."
        );
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", lead)
        }
    }

    /// Nothing to the person, all to the log.
    pub(super) fn internal(cause: String) -> Self {
        let lead = "Something failed here, not with you. You are not signed in. Try again.";
        Self {
            cause: Some(cause),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", lead)
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::internal(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let page = page("You are not signed in", &self.lead, ("Back", "/"), "");
        let mut response = (self.status, page).into_response();
        response.extensions_mut().insert(Fault {
            code: self.code.into(),
            message: self.lead,
            retry_after_seconds: self.retry_after_seconds,
            cause: self.cause,
        });
        if let Some(seconds) = self.retry_after_seconds {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A page that goes on by itself. Not a redirect: within the navigation that another site began, a browser
/// would not send the session's cookie, which is for this site alone.
pub(super) fn go_on(title: &str, lead: &str) -> Response {
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"0; url={ARRIVED}\">\n");
    page(title, lead, ("Go on", ARRIVED), &refresh).into_response()
}

/// A page that is done with: who proved themselves did so in a tab of its own.
pub(super) fn proved() -> Response {
    let lead = "You have proved again who you are. Close this page, and go on where you came from.";
    page("Thank you", lead, ("To the dashboard", "/"), "").into_response()
}

fn page(
    title: &str,
    lead: &str,
    (link, to): (&str, &str),
    refresh: &str,
) -> ([(HeaderName, HeaderValue); 1], Html<String>) {
    let text = include_str!("../../page/said.html")
        .replace("{{refresh}}", refresh)
        .replace("{{title}}", &escaped(title))
        .replace("{{lead}}", &escaped(lead))
        .replace("{{to}}", to)
        .replace("{{link}}", &escaped(link));
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(text))
}
