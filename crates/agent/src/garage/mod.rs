//! Garage's admin API (v2): one connection for a call, over a unix socket or TCP. What Garage did
//! not clearly answer is never taken for done or undone.

mod calls;
mod endpoint;
mod error;
mod page;
pub(crate) mod rules;
mod stream;
mod token;
mod types;

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use storm_protocol::command::AdminCall;
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use calls::{AdminRequest, BucketUpdate, KeyUpdate, Quotas, Rights};
pub(crate) use endpoint::Endpoint;
use error::unknown;
pub(crate) use error::{CallError, Rejection};
pub(crate) use token::{TokenMaker, load_token};
pub(crate) use types::{BucketInfo, ClusterStatus, Health, KeyInfo, UploadsDeleted};
#[cfg(test)]
pub(crate) use types::{KeyBucket, KeyPermissions, Permissions};

use crate::fault::{self, Moment};

/// Seconds until a connection to Garage counts as not reached.
pub(crate) const CONNECT_TIMEOUT_SECONDS: u64 = 5;
/// Seconds until a call counts as of unknown outcome. Never under 60: a client that goes away cuts
/// Garage's handler half-way.
pub(crate) const CALL_TIMEOUT_SECONDS: u64 = 120;
/// The largest answer that is read whole, in bytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The largest error answer that is read, in bytes.
pub(crate) const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Buckets or keys on a page of a sweep.
pub(crate) const PAGE_ITEMS: usize = 5000;
/// Times that a page of a sweep is tried when one of its buckets vanishes meanwhile.
pub(crate) const PAGE_TRIES: u32 = 5;

/// A client of one Garage node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct GarageClient(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    token: RwLock<SecretString>,
}

impl GarageClient {
    /// A client that shows `token` to the node at `endpoint`.
    pub(crate) fn new(endpoint: Endpoint, token: SecretString) -> Self {
        Self(Arc::new(Inner {
            endpoint,
            token: RwLock::new(token),
        }))
    }

    /// Uses another token from now on.
    pub(crate) fn set_token(&self, token: SecretString) {
        *self
            .0
            .token
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = token;
    }

    /// Makes one call and gives the answer's bytes. A change runs in a task of its own: whoever
    /// waits may go away, Garage's handler is not cut. A read ends with whoever waits for it.
    pub(crate) async fn send(&self, request: AdminRequest) -> Result<Bytes, CallError> {
        let (client, call) = (self.clone(), request.call);
        let changes = request.changes();
        let exchange = async move {
            fault::call(call, Moment::Before);
            let http = client.http(request)?;
            let answer = client.exchange(call.as_str(), http, Some(call)).await?;
            let bytes = collect(call.as_str(), answer, MAX_ANSWER_BYTES).await?;
            fault::call(call, Moment::After);
            Ok(bytes)
        };
        let limit = Duration::from_secs(CALL_TIMEOUT_SECONDS);
        let answered = if changes {
            let exchange = tokio::spawn(exchange);
            let cut = |_| Err(unknown(call.as_str(), "the call was broken off"));
            tokio::time::timeout(limit, async { exchange.await.unwrap_or_else(cut) }).await
        } else {
            tokio::time::timeout(limit, exchange).await
        };
        let words = format!("no answer in {CALL_TIMEOUT_SECONDS} seconds");
        answered.unwrap_or_else(|_| Err(unknown(call.as_str(), &words)))
    }

    /// Makes one call and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: AdminRequest,
    ) -> Result<T, CallError> {
        let call = request.call.as_str();
        parse(call, &self.send(request).await?)
    }

    /// A small page of buckets from `offset` (inclusive), at most `limit`.
    pub(crate) async fn list_buckets_info(
        &self,
        offset: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BucketInfo>, CallError> {
        self.buckets(offset, limit).await?.rest().await
    }

    /// A small page of keys from `offset` (inclusive), at most `limit`; without secrets.
    pub(crate) async fn list_keys_info(
        &self,
        offset: Option<&str>,
        limit: usize,
    ) -> Result<Vec<KeyInfo>, CallError> {
        self.keys(offset, limit).await?.rest().await
    }

    /// The key called `id`, by the listing, which does not hold its secret.
    pub(crate) async fn key(&self, id: &str) -> Result<Option<KeyInfo>, CallError> {
        let page = self.list_keys_info(Some(id), 1).await?;
        // The listing answers the next key when there is none with this id.
        Ok(page.into_iter().find(|key| key.access_key_id == id))
    }

    /// `GET /metrics`, which needs no token unless the operator asks for one.
    pub(crate) async fn metrics(&self) -> Result<Bytes, CallError> {
        self.get("/metrics").await.map(|(_, body)| body)
    }

    /// `GET /health`: the status and Garage's words.
    #[cfg(test)]
    pub(crate) async fn health(&self) -> Result<(u16, Bytes), CallError> {
        self.get("/health").await
    }

    async fn get(&self, path: &'static str) -> Result<(u16, Bytes), CallError> {
        let request = self.request(Method::GET, path, Bytes::new(), path)?;
        let work = async {
            let answer = self.answer(path, request, None).await?;
            let status = answer.status().as_u16();
            Ok((status, collect(path, answer, MAX_ANSWER_BYTES).await?))
        };
        let limit = Duration::from_secs(CALL_TIMEOUT_SECONDS);
        let timely = tokio::time::timeout(limit, work).await;
        timely.unwrap_or_else(|_| Err(unknown(path, "no answer in time")))
    }

    fn http(&self, request: AdminRequest) -> Result<Request<Full<Bytes>>, CallError> {
        let call = request.call.as_str();
        let method = if request.body.is_some() {
            Method::POST
        } else {
            request.method()
        };
        let path = format!("/v2/{call}{}", request.query);
        self.request(method, &path, request.body.unwrap_or_default(), call)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        call: &'static str,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let token = self
            .0
            .token
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        let mut bearer = header::HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| CallError::Denied { call })?;
        bearer.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "garage")
            .header(header::CONNECTION, "close")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, bearer)
            .body(Full::new(body))
            .map_err(|error| unknown(call, &error.to_string()))
    }

    /// Sends and tells an answer with success from every other one.
    async fn exchange(
        &self,
        name: &'static str,
        request: Request<Full<Bytes>>,
        call: Option<AdminCall>,
    ) -> Result<Response<Incoming>, CallError> {
        let answer = self.answer(name, request, call).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status == StatusCode::FORBIDDEN {
            return Err(CallError::Denied { call: name });
        }
        let body = collect(name, answer, MAX_ERROR_BYTES).await?;
        Err(error::of_answer(name, status.as_u16(), &body))
    }

    async fn answer(
        &self,
        name: &'static str,
        request: Request<Full<Bytes>>,
        call: Option<AdminCall>,
    ) -> Result<Response<Incoming>, CallError> {
        match &self.0.endpoint {
            Endpoint::Unix(path) => {
                let stream = self.connect(tokio::net::UnixStream::connect(path)).await?;
                converse(name, stream, request, call).await
            }
            Endpoint::Tcp(authority) => {
                let stream = self
                    .connect(tokio::net::TcpStream::connect(authority))
                    .await?;
                converse(name, stream, request, call).await
            }
        }
    }

    async fn connect<S>(
        &self,
        connecting: impl Future<Output = std::io::Result<S>>,
    ) -> Result<S, CallError> {
        let limit = Duration::from_secs(CONNECT_TIMEOUT_SECONDS);
        let not_reached = |cause: String| CallError::NotReached {
            endpoint: self.0.endpoint.clone(),
            cause,
        };
        match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected.map_err(|error| not_reached(error.to_string())),
            Err(_) => Err(not_reached(format!(
                "no connection in {CONNECT_TIMEOUT_SECONDS} seconds"
            ))),
        }
    }
}

async fn converse<S>(
    name: &'static str,
    stream: S,
    request: Request<Full<Bytes>>,
    call: Option<AdminCall>,
) -> Result<Response<Incoming>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http1::Builder::new()
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = handshake.map_err(|error| unknown(name, &error.to_string()))?;
    tokio::spawn(connection);
    if let Some(call) = call {
        fault::call(call, Moment::During);
    }
    let answer = sender.send_request(request).await;
    answer.map_err(|error| unknown(name, &error.to_string()))
}

async fn collect(
    name: &'static str,
    answer: Response<Incoming>,
    max_bytes: usize,
) -> Result<Bytes, CallError> {
    let collected = Limited::new(answer.into_body(), max_bytes).collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            let cause = if error.is::<LengthLimitError>() {
                format!("the answer is longer than {max_bytes} bytes")
            } else {
                error.to_string()
            };
            unknown(name, &cause)
        })
}

pub(crate) fn parse<T: DeserializeOwned>(call: &'static str, body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| unknown(call, &error.to_string()))
}
