//! The API over HTTP: time limits, retries of what may be repeated, errors as [`ApiError`]. What a
//! request means is said elsewhere.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use storm_protocol::api::{
    Account, AccountPage, Agent, AgentPage, Bucket, BucketPage, EnrolTokenInfo, EnrolTokenPage,
    Grant, GrantPage, Invitation, InvitationPage, Key, KeyPage, Member, MemberPage, Operation,
    OperationPage, OwnAccount, OwnAccountPage, Problem, ReceiptPage, ReceiptRecord, Region,
    RegionPage, Session, SessionPage, Stray, StrayPage, Token, TokenPage, VIA_HEADER,
};
use url::Url;

use crate::{
    config,
    errors::ApiError,
    output,
    patience::{self, Patience, Pause},
};

const CONNECT_TIMEOUT_SECONDS: u64 = 10;
/// Longer than the server waits for an operation.
const REQUEST_TIMEOUT_SECONDS: u64 = 30;
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
const USER_AGENT: &str = concat!("storm/", env!("CARGO_PKG_VERSION"));
const IDEMPOTENCY_HEADER: &str = "idempotency-key";

/// How a request proves who sends it.
pub(crate) enum Credential {
    /// Not at all.
    None,
    /// An API token.
    Token(SecretString),
    /// The session cookie, between password and token.
    Cookie(SecretString),
}

/// A server's API.
pub(crate) struct Api {
    http: reqwest::Client,
    base: Url,
    credential: Credential,
}

/// One request, without what is the same for all.
pub(crate) struct Call<'a> {
    /// The method.
    pub(crate) method: Method,
    /// The path below `/api/v1`, with its query.
    pub(crate) path: &'a str,
    /// The JSON body.
    pub(crate) body: Option<&'a Value>,
    /// Makes repeating safe.
    pub(crate) idempotency_key: Option<&'a str>,
}

impl Api {
    /// The API at `base`.
    pub(crate) fn new(base: Url, credential: Credential) -> anyhow::Result<Self> {
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_SECONDS))
            .timeout(Duration::from_secs(REQUEST_TIMEOUT_SECONDS))
            .redirect(redirect::Policy::none())
            .user_agent(USER_AGENT);
        if config::is_this_machine(&base) {
            // A proxy would not find it, and would read the token.
            http = http.no_proxy();
        }
        Ok(Self {
            http: http.build()?,
            base,
            credential,
        })
    }

    /// The same server with another credential.
    pub(crate) fn with(&self, credential: Credential) -> Self {
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            credential,
        }
    }

    /// Reads a resource.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let call = Call {
            method: Method::GET,
            path,
            body: None,
            idempotency_key: None,
        };
        self.json(&call).await
    }

    /// Reads a resource that is plain text.
    pub(crate) async fn text(&self, path: &str) -> Result<String, ApiError> {
        let call = Call {
            method: Method::GET,
            path,
            body: None,
            idempotency_key: None,
        };
        let (status, _, bytes) = self.send(&call).await?;
        String::from_utf8(bytes).map_err(|error| ApiError::Unexpected {
            url: self.url(path),
            status: status.as_u16(),
            reason: error.to_string(),
        })
    }

    /// Reads all pages of a list.
    pub(crate) async fn list<P: Page>(
        &self,
        path: &str,
        filters: &[(&str, Option<&str>)],
    ) -> Result<Vec<P::Item>, ApiError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut parts = filters.to_vec();
            parts.push(("cursor", cursor.as_deref()));
            let page: P = self.get(&query(path, &parts)).await?;
            let (mut more, next) = page.split();
            let got_none = more.is_empty();
            items.append(&mut more);
            match next {
                Some(next) if !got_none && Some(&next) != cursor.as_ref() => cursor = Some(next),
                Some(_) | None => return Ok(items),
            }
        }
    }

    /// Sends a request and reads its JSON answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, ApiError> {
        let (status, _, bytes) = self.send(call).await?;
        serde_json::from_slice(&bytes).map_err(|error| ApiError::Unexpected {
            url: self.url(call.path),
            status: status.as_u16(),
            reason: error.to_string(),
        })
    }

    /// Asks, once, for a change that answers with nothing.
    pub(crate) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), ApiError> {
        let call = Call {
            method,
            path,
            body,
            idempotency_key: None,
        };
        self.send(&call).await.map(drop)
    }

    /// Sends a request; an answer that is no success is an error. Repeats what may be repeated.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
    ) -> Result<(StatusCode, header::HeaderMap, Vec<u8>), ApiError> {
        let repeatable = call.method == Method::GET || call.idempotency_key.is_some();
        let mut patience = Patience::new(repeatable);
        let mut uncertain = false;
        loop {
            let mut wait = None;
            let error = match self.send_once(call, &mut uncertain, &mut wait).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match patience.pause(&error, wait) {
                None => return Err(error),
                Some(Pause::Short(pause)) => tokio::time::sleep(pause).await,
                Some(Pause::Asked(seconds)) => {
                    output::note(&format!("The server is busy; trying again in {seconds} s."));
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
            }
        }
    }

    async fn send_once(
        &self,
        call: &Call<'_>,
        uncertain: &mut bool,
        wait: &mut Option<u64>,
    ) -> Result<(StatusCode, header::HeaderMap, Vec<u8>), ApiError> {
        let url = self.url(call.path);
        let mut request = self
            .http
            .request(call.method.clone(), &url)
            .header(VIA_HEADER, "cli")
            .header(header::ACCEPT, "application/json");
        request = match &self.credential {
            Credential::None => request,
            Credential::Token(token) => request.bearer_auth(token.expose_secret()),
            Credential::Cookie(cookie) => request.header(header::COOKIE, cookie.expose_secret()),
        };
        if let Some(key) = call.idempotency_key {
            request = request.header(IDEMPOTENCY_HEADER, key);
        }
        if let Some(body) = call.body {
            request = request.json(body);
        }
        let unreachable = |error: &reqwest::Error, uncertain: &mut bool| {
            // Without a connection nothing was sent.
            *uncertain |= !error.is_connect();
            ApiError::Unreachable {
                url: self.base.to_string(),
                reason: reason(error),
                uncertain: *uncertain,
            }
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(unreachable(&error, uncertain)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        *wait = patience::retry_after(&headers);
        let bytes = match read_limited(response).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                return Err(ApiError::Unexpected {
                    url,
                    status: status.as_u16(),
                    reason: "the answer is too long".to_owned(),
                });
            }
            Err(error) => return Err(unreachable(&error, uncertain)),
        };
        if status.is_success() {
            return Ok((status, headers, bytes));
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(ApiError::Problem {
                status: status.as_u16(),
                body: problem.error,
                uncertain: *uncertain,
            }),
            Err(_) => {
                *uncertain |= status.is_server_error();
                Err(ApiError::Unexpected {
                    url,
                    status: status.as_u16(),
                    reason: "the answer is no error of this API".to_owned(),
                })
            }
        }
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base.as_str().trim_end_matches('/'))
    }
}

/// `path` with the parts of a query that are there.
pub(crate) fn query(path: &str, parts: &[(&str, Option<&str>)]) -> String {
    let mut serializer = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parts {
        if let Some(value) = value {
            serializer.append_pair(name, value);
        }
    }
    let query = serializer.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

async fn read_limited(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// The innermost cause, which says most to a person.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// A page of a list.
pub(crate) trait Page: DeserializeOwned {
    /// What is listed.
    type Item;
    /// The items, and the cursor of the next page.
    fn split(self) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! pages {
    ($($page:ident of $item:ident,)+) => {
        $(impl Page for $page {
            type Item = $item;
            fn split(self) -> (Vec<$item>, Option<String>) {
                (self.items, self.next_cursor)
            }
        })+
    };
}

pages! {
    RegionPage of Region,
    BucketPage of Bucket,
    KeyPage of Key,
    GrantPage of Grant,
    OperationPage of Operation,
    TokenPage of Token,
    AgentPage of Agent,
    EnrolTokenPage of EnrolTokenInfo,
    ReceiptPage of ReceiptRecord,
    StrayPage of Stray,
    AccountPage of Account,
    OwnAccountPage of OwnAccount,
    MemberPage of Member,
    SessionPage of Session,
    InvitationPage of Invitation,
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
