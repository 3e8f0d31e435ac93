//! `POST /api/v1/buckets/{bucket}/cors/check`

use storm_protocol::{
    api::{CheckCorsRequest, CorsVerdict, Setting},
    ident::BucketId,
    rules::CorsRule,
};

use super::sight;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::own_bucket,
    web::{Json, Path},
};

/// The most headers that a question may name.
const MAX_HEADERS: usize = 100;
/// The longest origin or header in a question, in bytes.
const MAX_TEXT_BYTES: usize = 255;

/// Ask whether a page may do something with a bucket from a browser.
///
/// By the bucket's rules as last heard, in the way in which Garage reads them.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/cors/check",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = CheckCorsRequest,
    responses(
        (status = 200, body = CorsVerdict),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn check_cors(
    caller: Caller<act::ReadBuckets>,
    Path(id): Path<BucketId>,
    Json(question): Json<CheckCorsRequest>,
) -> Result<Json<CorsVerdict>, ApiError> {
    let region = own_bucket(&caller, id).await?.region;
    if question.origin.len() > MAX_TEXT_BYTES {
        let why = format!("expected {MAX_TEXT_BYTES} bytes at most");
        return Err(ApiError::field("origin", why));
    }
    let long = |header: &String| header.len() > MAX_TEXT_BYTES;
    if question.headers.len() > MAX_HEADERS || question.headers.iter().any(long) {
        let why = format!("expected {MAX_HEADERS} of {MAX_TEXT_BYTES} bytes at most");
        return Err(ApiError::field("headers", why));
    }
    let account = caller.person.account;
    let settings = caller
        .store()
        .bucket_settings(&region, id, account, sight(&caller))
        .await?;
    // What was just set counts, though a sweep from before may still come in.
    let rules = match settings.drift.contains(&Setting::Cors) {
        true => &settings.found.cors,
        false => &settings.wanted.cors,
    };
    Ok(Json(judge(rules, &question)))
}

/// The first rule that lets the page, else why none does.
fn judge(rules: &[CorsRule], question: &CheckCorsRequest) -> CorsVerdict {
    let no = |why: String| CorsVerdict {
        allowed: false,
        rule: None,
        why,
    };
    if rules.is_empty() {
        return no("The bucket has no CORS rule, so no page may use it from a browser.".to_owned());
    }
    let (mut origin_fits, mut method_fits) = (false, false);
    for (index, rule) in rules.iter().enumerate() {
        let origins = rule.allowed_origins.iter().map(|origin| origin.as_str());
        let origin = any_fits(origins, &question.origin);
        let method = origin && rule.allowed_methods.contains(&question.method);
        let headers = method
            && question.headers.iter().all(|header| {
                let allowed = rule.allowed_headers.iter().map(|header| header.as_str());
                // Browsers send them in lower case.
                any_fits(allowed, &header.to_ascii_lowercase())
            });
        if headers {
            return CorsVerdict {
                allowed: true,
                rule: u32::try_from(index).ok(),
                why: format!("Rule {} lets it.", index + 1),
            };
        }
        origin_fits |= origin;
        method_fits |= method;
    }
    no(if method_fits {
        "A rule takes this origin and method, but not all of these headers.".to_owned()
    } else if origin_fits {
        "A rule takes this origin, but not this method.".to_owned()
    } else {
        format!("No rule takes the origin {}.", question.origin)
    })
}

fn any_fits<'a>(mut patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    patterns.any(|pattern| match pattern.split_once('*') {
        Some((front, back)) => {
            text.len() >= front.len() + back.len()
                && text.starts_with(front)
                && text.ends_with(back)
        }
        None => pattern == text,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use storm_protocol::rules::CorsMethod;

    use super::*;

    #[test]
    fn the_verdict_is_garages() {
        let rules: Vec<CorsRule> = serde_json::from_value(json!([
            { "allowed_origins": ["https://*.example.org"], "allowed_methods": ["GET", "PUT"],
              "allowed_headers": ["x-amz-*", "content-type"] },
            { "allowed_origins": ["*"], "allowed_methods": ["GET"] },
        ]))
        .unwrap();
        let ask = |origin: &str, method, headers: &[&str]| {
            let question = CheckCorsRequest {
                origin: origin.to_owned(),
                method,
                headers: headers.iter().map(|&header| header.to_owned()).collect(),
            };
            judge(&rules, &question)
        };
        let app = "https://app.example.org";
        assert_eq!(ask(app, CorsMethod::Put, &["X-Amz-Date"]).rule, Some(0));
        assert_eq!(
            ask("https://example.com", CorsMethod::Get, &[]).rule,
            Some(1)
        );
        for (verdict, word) in [
            (ask(app, CorsMethod::Put, &["x-other"]), "headers"),
            (ask(app, CorsMethod::Delete, &[]), "method"),
            (ask("https://example.com", CorsMethod::Put, &[]), "method"),
            (
                judge(
                    &rules[..1],
                    &CheckCorsRequest {
                        origin: "https://.example.org.evil".to_owned(),
                        method: CorsMethod::Get,
                        headers: vec![],
                    },
                ),
                "origin",
            ),
            (
                judge(
                    &[],
                    &CheckCorsRequest {
                        origin: app.to_owned(),
                        method: CorsMethod::Get,
                        headers: vec![],
                    },
                ),
                "no CORS rule",
            ),
        ] {
            assert!(
                !verdict.allowed && verdict.why.contains(word),
                "{verdict:?}"
            );
        }
    }
}
