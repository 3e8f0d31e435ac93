//! `GET /device`: the page that a program sends people to. It signs in, looks the code up and answers over
//! the API, like any other client.

use axum::response::{Html, IntoResponse};
use http::header;

use crate::web::FORM_POLICY;

/// `GET /device`
pub(crate) async fn page() -> impl IntoResponse {
    let policy = [(header::CONTENT_SECURITY_POLICY, FORM_POLICY)];
    (policy, Html(include_str!("../../page/device.html")))
}

/// `GET /device.js`
pub(crate) async fn script() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, include_str!("../../page/device.js"))
}
