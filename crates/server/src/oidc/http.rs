//! How providers are asked: without redirects, which could lead anywhere; within bounds of time and size.

use std::{pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;

/// Seconds until a provider has to have answered whole.
const ANSWER_SECONDS: u64 = 8;
/// Seconds until a connection to one has to stand.
const CONNECT_SECONDS: u64 = 4;
/// Bytes of an answer at most; the largest are sets of keys.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Why a provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// It cannot be reached, or broke off.
    #[error("{0}")]
    Failed(#[from] reqwest::Error),
    /// It said more than anyone has to.
    #[error("its answer has more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
    /// It named an address that would be asked in the clear.
    #[error("{0} does not begin with https://")]
    Plain(String),
    /// The request or answer is none.
    #[error("{0}")]
    Form(#[from] http::Error),
}

/// Asks one provider.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    plain: bool,
}

impl Http {
    /// `plain`: it is on this machine, over plain HTTP.
    pub(crate) fn new(plain: bool) -> Result<Self, HttpError> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .timeout(Duration::from_secs(ANSWER_SECONDS))
            .https_only(!plain);
        let builder = if plain { builder.no_proxy() } else { builder };
        let client = builder.build()?;
        Ok(Self { client, plain })
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let is_https = parts.uri.scheme_str() == Some("https");
        if !is_https && !self.plain {
            return Err(HttpError::Plain(parts.uri.to_string()));
        }
        let asked = self.client.request(parts.method, parts.uri.to_string());
        let mut answer = asked.headers(parts.headers).body(body).send().await?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(HttpError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(response.body(bytes)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
