//! One request on one connection: no pool means no stale connection to send a deletion on.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Position, Url};

use super::S3Error;

/// Seconds until a connection to S3 counts as not reached.
const CONNECT_SECONDS: u64 = 5;
/// Seconds until a request counts as unanswered: Garage deletes the objects of one one by one.
const REQUEST_SECONDS: u64 = 120;
const CONTENT_MD5: &str = "content-md5";

/// GET; gives the answer's body.
pub(super) async fn get(url: &Url, most: usize) -> Result<Bytes, S3Error> {
    exchange(request(Method::GET, url, None, Bytes::new())?, url, most).await
}

/// POST of an XML document; gives the answer's body.
pub(super) async fn post(
    url: &Url,
    body: String,
    md5: &str,
    most: usize,
) -> Result<Bytes, S3Error> {
    let request = request(Method::POST, url, Some(md5), Bytes::from(body))?;
    exchange(request, url, most).await
}

/// DELETE.
pub(super) async fn delete(url: &Url, most: usize) -> Result<(), S3Error> {
    let request = request(Method::DELETE, url, None, Bytes::new())?;
    exchange(request, url, most).await.map(drop)
}

/// PUT.
#[cfg(test)]
pub(super) async fn put(url: &Url, body: String, most: usize) -> Result<(), S3Error> {
    let request = request(Method::PUT, url, None, Bytes::from(body))?;
    exchange(request, url, most).await.map(drop)
}

/// An answer as text.
pub(super) fn text(body: &[u8]) -> Result<&str, S3Error> {
    std::str::from_utf8(body).map_err(|error| S3Error::unclear(&error.to_string()))
}

fn request(
    method: Method,
    url: &Url,
    md5: Option<&str>,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, S3Error> {
    let mut builder = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..])
        .header(header::HOST, authority(url))
        .header(header::CONNECTION, "close");
    if let Some(md5) = md5 {
        builder = builder
            .header(CONTENT_MD5, md5)
            .header(header::CONTENT_TYPE, "application/xml");
    }
    let request = builder.body(Full::new(body));
    request.map_err(|error| S3Error::refused(0, "", &error.to_string()))
}

async fn exchange(request: Request<Full<Bytes>>, url: &Url, most: usize) -> Result<Bytes, S3Error> {
    let limit = Duration::from_secs(REQUEST_SECONDS);
    let timely = tokio::time::timeout(limit, converse(request, url, most)).await;
    timely.unwrap_or_else(|_| {
        let words = format!("no answer in {REQUEST_SECONDS} seconds");
        Err(S3Error::unclear(&words))
    })
}

async fn converse(request: Request<Full<Bytes>>, url: &Url, most: usize) -> Result<Bytes, S3Error> {
    let broken = |error: hyper::Error| S3Error::unclear(&error.to_string());
    let stream = connect(url).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(broken)?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), most).collect().await;
    let body = body.map_err(|error| S3Error::unclear(&error.to_string()))?;
    let body = body.to_bytes();
    if status.is_success() {
        Ok(body)
    } else {
        Err(S3Error::of_answer(status.as_u16(), &body))
    }
}

async fn connect(url: &Url) -> Result<TcpStream, S3Error> {
    let port = url.port_or_known_default().unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let connecting = TcpStream::connect((host.trim_matches(['[', ']']), port));
    let limit = Duration::from_secs(CONNECT_SECONDS);
    match tokio::time::timeout(limit, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(S3Error::unclear(&error.to_string())),
        Err(_) => {
            let words = format!("no connection in {CONNECT_SECONDS} seconds");
            Err(S3Error::unclear(&words))
        }
    }
}

/// The host as it was signed.
fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}
