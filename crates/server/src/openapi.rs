//! The API's description. Routes and types describe themselves; what holds for all of them is added
//! here: errors, limits on names, the idempotency header.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::response::IntoResponse;
use http::header;
use serde_json::{Map, Value, json};
use storm_protocol::{api::Problem, command::MAX_GRANTS};
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{Ref, RefOr, Response, ResponseBuilder, content::ContentBuilder},
};

use crate::{auth::COOKIE, router, web::MAX_BODY_BYTES};

/// The description, as JSON with a newline at its end.
pub fn openapi_json() -> String {
    static TEXT: LazyLock<String> = LazyLock::new(write);
    TEXT.clone()
}

/// `GET /api/openapi.json`
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json())
}

/// What the routes are added to.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        info(title = "Storm Buckets", license(name = "AGPL-3.0-only", identifier = "AGPL-3.0-only")),
        components(schemas(Problem)),
        tags(
            (name = "server", description = "The server itself"),
            (name = "session", description = "Signing in and out"),
            (name = "regions", description = "Clusters, as customers see them"),
            (name = "buckets", description = "Buckets"),
            (name = "grants", description = "Rights of keys on buckets"),
            (name = "keys", description = "S3 access keys"),
            (name = "strays", description = "Buckets and keys of no account, for operators"),
            (name = "operations", description = "Intents, from request to receipt"),
            (name = "receipts", description = "Signed answers of agents, and what verifies them"),
            (name = "tokens", description = "API tokens"),
            (name = "device", description = "Letting a program in that has no sign-in page"),
            (name = "agents", description = "Agents and their enrolment, for operators"),
            (name = "accounts", description = "What accounts may have and what they have"),
            (name = "audit", description = "Who did what"),
            (name = "usage", description = "Use over time"),
            (name = "events", description = "Changes as they come"),
        ),
    )]
    struct Frame;
    Frame::openapi()
}

/// How a route that asks for a command may answer, apart from success.
pub(crate) struct CommandErrors;

impl IntoResponses for CommandErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let answer = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("OperationAnswer")))
            .build();
        let later = ResponseBuilder::new()
            .description("It goes on; `Location` says where to look")
            .content("application/json", answer);
        let problem = |words: &str| ResponseBuilder::new().description(words);
        [
            ("202", later),
            (
                "404",
                problem("`no_such_region`, `no_such_bucket`, `no_such_key`"),
            ),
            (
                "409",
                problem(
                    "`name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, \
                         `cancelled`",
                ),
            ),
            (
                "422",
                problem("`idempotency_conflict`: the key came before with another request"),
            ),
            (
                "502",
                problem(
                    "It ended otherwise; the code is the failure's or the refusal's, or `expired`",
                ),
            ),
        ]
        .into_iter()
        .map(|(status, response)| (status.to_owned(), response.build().into()))
        .collect()
    }
}

fn write() -> String {
    let (_, document) = router::api().split_for_parts();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["info"]["description"] = format!(
        "Instants are microseconds UTC. Bodies are JSON of at most {MAX_BODY_BYTES} bytes; an unknown \
         member is an error. Lists come in pages: give `next_cursor` as `cursor`. Programs send an API \
         token; a browser sends the session's cookie, and with a change the page's `Origin`. The header \
         `Storm-Via` (web, cli) says which way a request came. Every answer has the request's id in \
         `storm-request`."
    )
    .into();
    document["components"]["securitySchemes"] = json!({
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "sbt_ and 46 letters and digits"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    });
    document["components"]["responses"] = common_errors();
    document["security"] = json!([{"token": []}, {"session": []}]);
    if let Some(schemas) = object(&mut document["components"]["schemas"]) {
        add_limits(schemas);
    }
    for (path, item) in object(&mut document["paths"]).into_iter().flatten() {
        for (method, operation) in object(item).into_iter().flatten() {
            let noun = path
                .trim_start_matches("/api/v1/")
                .replace(['{', '}'], "")
                .replace(['/', '-'], "_");
            operation["operationId"] = format!("{method}_{noun}").into();
            complete(operation);
        }
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The errors that any route may answer: status, code words, name under `components/responses`.
const COMMON_ERRORS: [(&str, &str, &str); 9] = [
    (
        "400",
        "`bad_request`: the message names the field",
        "BadRequest",
    ),
    ("401", "`not_signed_in`, `bad_token`", "NotSignedIn"),
    ("403", "`forbidden`, `cross_site`", "Forbidden"),
    (
        "408",
        "`too_slow`: the body did not arrive in time",
        "TooSlow",
    ),
    ("413", "`too_large`", "TooLarge"),
    ("415", "`unsupported_media_type`", "UnsupportedMediaType"),
    (
        "429",
        "`rate_limited`: too much at once; see Retry-After",
        "RateLimited",
    ),
    ("500", "`internal`", "Internal"),
    (
        "503",
        "`timeout`, `busy`: as much waits as may; see Retry-After",
        "Unavailable",
    ),
];

fn common_errors() -> Value {
    let response = |(_, words, name): (_, &str, &str)| (name.to_owned(), problem(words));
    COMMON_ERRORS
        .into_iter()
        .map(response)
        .collect::<Map<_, _>>()
        .into()
}

fn problem(words: &str) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    json!({"description": words, "content": {"application/json": {"schema": schema}}})
}

/// Adds what a route does not say itself: common errors, the body of its errors, the idempotency
/// header.
fn complete(operation: &mut Value) {
    let is_public = operation["security"] == json!([{}]);
    let takes_body = operation.get("requestBody").is_some();
    let Some(responses) = object(&mut operation["responses"]) else {
        return;
    };
    let asks = responses.contains_key("422");
    for (status, response) in responses.iter_mut() {
        let words = response["description"].as_str().unwrap_or("").to_owned();
        // A browser that comes by itself is told in a page.
        let is_page = response["content"].get("text/html").is_some();
        if status.starts_with(['4', '5']) && !is_page {
            *response = problem(&words);
        } else if words.is_empty() {
            response["description"] = "As asked".into();
        }
    }
    for (status, _, name) in COMMON_ERRORS {
        let may_be = match status {
            "401" | "403" | "429" => !is_public,
            "408" | "413" | "415" => takes_body,
            _ => true,
        };
        if may_be {
            let shared = || json!({"$ref": format!("#/components/responses/{name}")});
            responses.entry(status).or_insert_with(shared);
        }
    }
    if asks {
        let header = json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same key and request again is the same operation.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
        });
        match operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
        {
            Some(parameters) => parameters.push(header),
            None => operation["parameters"] = json!([header]),
        }
    }
}

/// The forms that the newtypes of the protocol check.
fn add_limits(schemas: &mut Map<String, Value>) {
    const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
    const HEX: &str = "^[0-9a-f]{64}$";
    let patterns = [
        ("AccountId", UUID),
        ("UserId", UUID),
        ("AgentId", UUID),
        ("OperationId", UUID),
        ("TokenId", UUID),
        ("EnrolTokenId", UUID),
        ("Digest", HEX),
        ("BucketId", HEX),
        ("AccessKeyId", "^GK[0-9a-f]{24}$"),
        (
            "BucketName",
            "^(?!xn--)(?!.*-s3alias$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        ),
        ("KeyLabel", "^(?! )[ -.0-~]{1,64}(?<! )$"),
        ("Month", "^[1-9][0-9]{3}-(0[1-9]|1[0-2])$"),
        ("RegionName", "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"),
    ];
    for (name, pattern) in patterns {
        if let Some(schema) = schemas.get_mut(name) {
            schema["pattern"] = pattern.into();
        }
    }
    if let Some(request) = schemas.get_mut("CreateKeyRequest") {
        request["properties"]["grants"]["maxItems"] = MAX_GRANTS.into();
    }
}

fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    value.as_object_mut()
}
