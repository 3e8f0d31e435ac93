//! The dashboard: the files that `npm run build` makes in `web/dist`, inside this binary, each also as
//! brotli and gzip. Built without them, the server has its plain page only. (A debug build reads the
//! folder at each request.)

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

use crate::{app::App, auth::Anyone, web};

#[derive(RustEmbed)]
#[folder = "../../web/dist/"]
#[allow_missing = true]
struct Files;

/// What a browser may do for the page: nothing inline, nothing evaluated. It asks this server and, for
/// the files of a bucket, the S3 endpoints of the regions.
fn policy(endpoints: &[String]) -> String {
    let endpoints: String = endpoints
        .iter()
        .map(|origin| format!(" {origin}"))
        .collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'{endpoints}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
}

/// The origins at which the regions speak S3; none when the database does not answer.
async fn endpoints(app: &App) -> Vec<String> {
    let regions = app.store.regions().await.unwrap_or_default();
    let mut origins: Vec<String> = regions
        .iter()
        .filter_map(|region| origin(&region.s3_endpoint))
        .collect();
    origins.sort();
    origins.dedup();
    origins
}

/// The origin of an address, where it is one that may stand in a policy.
fn origin(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let scheme = uri
        .scheme_str()
        .filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let host = uri.authority()?.as_str();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    host.chars()
        .all(is_plain)
        .then(|| format!("{scheme}://{host}"))
}
/// Names below `assets/` carry a digest of what they name.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");
const PAGE: &str = "index.html";

/// Encodings in the order in which they are preferred, with the ends of their files' names.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// `GET /`: the dashboard, or the plain page without it.
pub(crate) async fn index(anyone: Anyone, headers: HeaderMap) -> Response {
    match page(anyone.app(), &headers).await {
        Some(page) => page,
        None => web::page(anyone).await.into_response(),
    }
}

/// `GET /assets/…`: a script, a style or a picture of the dashboard.
pub(crate) async fn asset(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    match file(path, request.headers(), None) {
        Some(asset) => asset,
        None => web::nowhere(request.uri().clone()).await.into_response(),
    }
}

/// What no route takes: a page of the dashboard when a browser asks for one, which finds its own way.
pub(crate) async fn elsewhere(anyone: Anyone, request: Request) -> Response {
    let page = if is_navigation(&request) {
        page(anyone.app(), request.headers()).await
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

async fn page(app: &App, asked: &HeaderMap) -> Option<Response> {
    file(PAGE, asked, Some(&policy(&endpoints(app).await)))
}

/// A file as it is asked for; a page has a policy, and is another one under another policy.
fn file(path: &str, asked: &HeaderMap, policy: Option<&str>) -> Option<Response> {
    let plain = Files::get(path)?;
    let (file, encoding) = best(path, plain, asked);
    let mut digest = Sha256::new_with_prefix(file.metadata.sha256_hash());
    digest.update(policy.unwrap_or_default());
    let tag = format!("\"{}\"", hex::encode(digest.finalize()));
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
    if let Some(policy) = policy {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(policy).ok()?,
        );
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
        assert!(file("../package.json", &HeaderMap::new(), None).is_none());
        assert!(file("assets/../../package.json", &HeaderMap::new(), None).is_none());
        assert!(file("assets/none.js", &HeaderMap::new(), None).is_none());
    }

    #[test]
    fn what_is_built_is_compressed_and_kept_by_its_name() {
        let mut asked = HeaderMap::new();
        asked.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("br, gzip"),
        );
        for path in Files::iter().filter(|path| path.ends_with(".js")) {
            let headers = file(&path, &asked, None).unwrap().headers().clone();
            assert_eq!(headers[header::CACHE_CONTROL], FOREVER);
            assert_eq!(headers[header::CONTENT_ENCODING], "br");
            asked.insert(header::IF_NONE_MATCH, headers[header::ETAG].clone());
            let again = file(&path, &asked, None).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            asked.remove(header::IF_NONE_MATCH);
        }
        let here = policy(&[]);
        if let Some(page) = file(PAGE, &asked, Some(&here)) {
            let headers = page.headers();
            assert_eq!(headers[header::CACHE_CONTROL], ASK_FIRST);
            assert_eq!(headers[header::CONTENT_SECURITY_POLICY], *here);
            // A page that was kept under another policy is asked for again.
            let there = policy(&["https://s3.example".to_owned()]);
            let other = file(PAGE, &asked, Some(&there)).unwrap();
            assert_ne!(headers[header::ETAG], other.headers()[header::ETAG]);
        }
    }

    #[test]
    fn a_page_asks_the_storage_and_nobody_else() {
        for (address, expected) in [
            ("https://s3.example", Some("https://s3.example")),
            ("https://s3.example:8443/", Some("https://s3.example:8443")),
            ("http://127.0.0.1:3900", Some("http://127.0.0.1:3900")),
            ("https://s3.example/a;b", Some("https://s3.example")),
            ("https://a b", None),
            ("https://me@s3.example", None),
            ("https://*.example", None),
            ("data:text/html,", None),
            ("s3.example", None),
        ] {
            assert_eq!(origin(address).as_deref(), expected, "{address}");
        }
        let policy = policy(&["https://s3.example".to_owned()]);
        assert!(policy.contains("connect-src 'self' https://s3.example; "));
    }
}
