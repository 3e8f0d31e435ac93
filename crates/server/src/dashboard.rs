//! The dashboard: the files that `npm run build` makes in `web/dist`, inside this binary, each also as
//! brotli and gzip. Built without them, the server has its plain page only. (A debug build reads the
//! folder at each request.)

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{auth::Anyone, web};

#[derive(RustEmbed)]
#[folder = "../../web/dist/"]
#[allow_missing = true]
struct Files;

/// What a browser may do for the page: nothing inline, nothing evaluated, no other origin.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
/// Names below `assets/` carry a digest of what they name.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");
const PAGE: &str = "index.html";

/// Encodings in the order in which they are preferred, with the ends of their files' names.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// `GET /`: the dashboard, or the plain page without it.
pub(crate) async fn index(anyone: Anyone, headers: HeaderMap) -> Response {
    match file(PAGE, &headers) {
        Some(page) => page,
        None => web::page(anyone).await.into_response(),
    }
}

/// `GET /assets/…`: a script, a style or a picture of the dashboard.
pub(crate) async fn asset(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    match file(path, request.headers()) {
        Some(asset) => asset,
        None => web::nowhere(request.uri().clone()).await.into_response(),
    }
}

/// What no route takes: a page of the dashboard when a browser asks for one, which finds its own way.
pub(crate) async fn elsewhere(request: Request) -> Response {
    let page = if is_navigation(&request) {
        file(PAGE, request.headers())
    } else {
        None
    };
    match page {
        Some(page) => page,
        None => web::nowhere(request.uri().clone()).await.into_response(),
    }
}

/// Whether a browser goes to an address, rather than a program asking for it.
fn is_navigation(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    let path = request.uri().path();
    matches!(*request.method(), Method::GET | Method::HEAD)
        && accepted.is_some_and(|types| types.contains("text/html"))
        && path != "/api"
        && !path.starts_with("/api/")
}

fn file(path: &str, asked: &HeaderMap) -> Option<Response> {
    let plain = Files::get(path)?;
    let (file, encoding) = best(path, plain, asked);
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let tag = HeaderValue::from_str(&tag).ok()?;
    let known = asked.get(header::IF_NONE_MATCH) == Some(&tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.data))
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(
        header::VARY,
        HeaderValue::from_name(header::ACCEPT_ENCODING),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type(path)),
    );
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if path == PAGE {
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    }
    let lasting = if path.starts_with("assets/") {
        FOREVER
    } else {
        ASK_FIRST
    };
    headers.insert(header::CACHE_CONTROL, lasting);
    Some(response)
}

/// The file in the best encoding that the browser takes.
fn best(
    path: &str,
    plain: EmbeddedFile,
    asked: &HeaderMap,
) -> (EmbeddedFile, Option<&'static str>) {
    let taken = asked.get(header::ACCEPT_ENCODING);
    let taken = taken.and_then(|value| value.to_str().ok()).unwrap_or("");
    for (encoding, ending) in ENCODINGS {
        if takes(taken, encoding)
            && let Some(file) = Files::get(&format!("{path}{ending}"))
        {
            return (file, Some(encoding));
        }
    }
    (plain, None)
}

/// Whether `Accept-Encoding` takes an encoding.
fn takes(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        let named = pieces.next() == Some(encoding);
        named && !pieces.any(|piece| matches!(piece, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(method: Method, path: &str, accept: &str) -> Request {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, accept)
            .body(Body::empty())
            .unwrap()
    }

    #[test]
    fn a_browser_is_told_from_a_program() {
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        assert!(is_navigation(&asks(Method::GET, "/buckets/8f2c", browser)));
        assert!(!is_navigation(&asks(Method::GET, "/buckets/8f2c", "*/*")));
        assert!(!is_navigation(&asks(Method::POST, "/buckets", browser)));
        assert!(!is_navigation(&asks(
            Method::GET,
            "/api/v2/buckets",
            browser
        )));
    }

    #[test]
    fn encodings_are_taken_as_asked() {
        assert!(takes("gzip, deflate, br, zstd", "br"));
        assert!(takes("br;q=0.5", "br"));
        assert!(!takes("br;q=0, gzip", "br"));
        assert!(!takes("brotli", "br"));
        assert!(!takes("", "gzip"));
    }

    #[test]
    fn a_file_that_is_not_there_is_nothing() {
        assert!(file("../package.json", &HeaderMap::new()).is_none());
        assert!(file("assets/../../package.json", &HeaderMap::new()).is_none());
        assert!(file("assets/none.js", &HeaderMap::new()).is_none());
    }

    #[test]
    fn what_is_built_is_compressed_and_kept_by_its_name() {
        let mut asked = HeaderMap::new();
        asked.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("br, gzip"),
        );
        for path in Files::iter().filter(|path| path.ends_with(".js")) {
            let headers = file(&path, &asked).unwrap().headers().clone();
            assert_eq!(headers[header::CACHE_CONTROL], FOREVER);
            assert_eq!(headers[header::CONTENT_ENCODING], "br");
            asked.insert(header::IF_NONE_MATCH, headers[header::ETAG].clone());
            let again = file(&path, &asked).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            asked.remove(header::IF_NONE_MATCH);
        }
        if let Some(page) = file(PAGE, &asked) {
            assert_eq!(page.headers()[header::CACHE_CONTROL], ASK_FIRST);
            assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        }
    }
}
