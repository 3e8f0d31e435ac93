//! A bucket's rules between our names and Garage's, which are those of AWS's XML. What Garage holds
//! and our types cannot say is not guessed at: the reader tells that there is more.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use storm_protocol::rules::{CorsRule, LifecycleRule, Website, check_cors, check_lifecycle};

/// Rules as far as our types can say them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read<T> {
    /// What can be said.
    pub(crate) rules: Vec<T>,
    /// Whether there is more.
    pub(crate) other: bool,
}

/// `corsRules` of UpdateBucket.
pub(crate) fn cors_json(rules: &[CorsRule]) -> Value {
    let rule = |rule: &CorsRule| {
        let mut json = Map::new();
        put(&mut json, "ID", rule.id.as_ref());
        put(&mut json, "MaxAgeSeconds", rule.max_age_seconds);
        put(&mut json, "AllowedOrigin", Some(&rule.allowed_origins));
        put(&mut json, "AllowedMethod", Some(&rule.allowed_methods));
        put(&mut json, "AllowedHeader", Some(&rule.allowed_headers));
        put(&mut json, "ExposeHeader", Some(&rule.expose_headers));
        Value::Object(json)
    };
    rules.iter().map(rule).collect()
}

/// `lifecycleRules` of UpdateBucket.
pub(crate) fn lifecycle_json(rules: &[LifecycleRule]) -> Value {
    rules.iter().map(lifecycle_rule_json).collect()
}

/// `websiteAccess` of UpdateBucket. Without rules for redirection: Garage would keep old ones that
/// nobody sees here.
pub(crate) fn website_json(website: Option<&Website>) -> Value {
    match website {
        Some(website) => json!({
            "enabled": true,
            "indexDocument": website.index_document,
            "errorDocument": website.error_document,
            "routingRules": [],
        }),
        None => json!({ "enabled": false }),
    }
}

/// Reads `corsRules` of a bucket.
pub(crate) fn read_cors(rules: &[Value]) -> Read<CorsRule> {
    read(rules, |rule: GarageCorsRule| rule.named(), check_cors)
}

/// Reads `lifecycleRules` of a bucket.
pub(crate) fn read_lifecycle(rules: &[Value]) -> Read<LifecycleRule> {
    read(
        rules,
        |rule: GarageLifecycleRule| rule.named(),
        check_lifecycle,
    )
}

/// Reads `websiteConfig` of a bucket whose website is on.
pub(crate) fn read_website(config: &Value) -> (Option<Website>, bool) {
    let named = json!({
        "index_document": config["indexDocument"],
        "error_document": config["errorDocument"],
    });
    let redirects = config["routingRules"]
        .as_array()
        .is_some_and(|rules| !rules.is_empty());
    match serde_json::from_value(named) {
        Ok(website) => (Some(website), redirects),
        Err(_) => (None, true),
    }
}

fn read<G: DeserializeOwned, T: DeserializeOwned + serde::Serialize, F>(
    rules: &[Value],
    named: impl Fn(G) -> Value,
    check: impl Fn(&[T]) -> Result<(), F>,
) -> Read<T> {
    let mut read = Read {
        rules: vec![],
        other: false,
    };
    for rule in rules {
        let rule = G::deserialize(rule).ok().map(&named);
        let rule = rule.and_then(|named| serde_json::from_value::<T>(named).ok());
        match rule {
            Some(rule) if check(std::slice::from_ref(&rule)).is_ok() => read.rules.push(rule),
            Some(_) | None => read.other = true,
        }
    }
    // Each may be sound, and all of them together more than fits.
    if check(&read.rules).is_err() {
        read = Read {
            rules: vec![],
            other: true,
        };
    }
    read
}

fn lifecycle_rule_json(rule: &LifecycleRule) -> Value {
    let mut filter = Map::new();
    put(&mut filter, "Prefix", rule.prefix.as_ref());
    put(&mut filter, "ObjectSizeGreaterThan", rule.size_greater_than);
    put(&mut filter, "ObjectSizeLessThan", rule.size_less_than);
    let filter = match filter.len() {
        0 => None,
        1 => Some(Value::Object(filter)),
        // Garage takes several conditions together only so.
        _ => Some(json!({ "And": filter })),
    };
    let days = rule.expire_after_days.map(|days| json!({ "Days": days }));
    let date = rule.expire_on.as_ref().map(|date| json!({ "Date": date }));
    let abort = rule.abort_uploads_after_days;
    let abort = abort.map(|days| json!({ "DaysAfterInitiation": days }));
    let mut json = Map::new();
    put(&mut json, "ID", rule.id.as_ref());
    let status = if rule.enabled { "Enabled" } else { "Disabled" };
    put(&mut json, "Status", Some(status));
    put(&mut json, "Filter", filter);
    put(&mut json, "Expiration", days.or(date));
    put(&mut json, "AbortIncompleteMultipartUpload", abort);
    Value::Object(json)
}

fn put(json: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        json.insert(name.to_owned(), json!(value));
    }
}

/// A CORS rule as Garage has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GarageCorsRule {
    #[serde(rename = "ID", default)]
    id: Option<String>,
    #[serde(default)]
    max_age_seconds: Option<u64>,
    allowed_origin: Vec<String>,
    allowed_method: Vec<String>,
    #[serde(default)]
    allowed_header: Vec<String>,
    #[serde(default)]
    expose_header: Vec<String>,
}

impl GarageCorsRule {
    fn named(self) -> Value {
        json!({
            "id": self.id,
            "allowed_origins": self.allowed_origin,
            "allowed_methods": self.allowed_method,
            "allowed_headers": self.allowed_header,
            "expose_headers": self.expose_header,
            "max_age_seconds": self.max_age_seconds,
        })
    }
}

/// A lifecycle rule as Garage has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GarageLifecycleRule {
    #[serde(rename = "ID", default)]
    id: Option<String>,
    status: String,
    #[serde(default)]
    filter: Option<GarageFilter>,
    #[serde(default)]
    expiration: Option<GarageExpiration>,
    #[serde(default)]
    abort_incomplete_multipart_upload: Option<GarageAbort>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GarageFilter {
    #[serde(default)]
    and: Option<Box<GarageFilter>>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    object_size_greater_than: Option<u64>,
    #[serde(default)]
    object_size_less_than: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GarageExpiration {
    #[serde(default)]
    days: Option<u64>,
    #[serde(default)]
    date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GarageAbort {
    days_after_initiation: u64,
}

impl GarageLifecycleRule {
    fn named(self) -> Value {
        let filter = self.filter.unwrap_or_default();
        let beside = filter.and.is_some()
            && (filter.prefix.is_some()
                || filter.object_size_greater_than.is_some()
                || filter.object_size_less_than.is_some());
        if beside {
            // No rule of ours: what stands beside must not be dropped.
            return Value::Null;
        }
        let filter = filter.and.map_or_else(
            || {
                (
                    filter.prefix,
                    filter.object_size_greater_than,
                    filter.object_size_less_than,
                )
            },
            |and| {
                (
                    and.prefix,
                    and.object_size_greater_than,
                    and.object_size_less_than,
                )
            },
        );
        let expiration = self.expiration.unwrap_or_default();
        // Garage also takes midnight of a day as an instant.
        let date = expiration
            .date
            .map(|date| match date.strip_suffix("T00:00:00Z") {
                Some(day) => day.to_owned(),
                None => date,
            });
        json!({
            "id": self.id,
            "enabled": self.status == "Enabled",
            "prefix": filter.0,
            "size_greater_than": filter.1,
            "size_less_than": filter.2,
            "expire_after_days": expiration.days,
            "expire_on": date,
            "abort_uploads_after_days":
                self.abort_incomplete_multipart_upload.map(|abort| abort.days_after_initiation),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use storm_protocol::rules::{CorsRule, LifecycleRule};

    use super::*;

    fn cors() -> Vec<CorsRule> {
        let rules = json!([
            { "allowed_origins": ["*"], "allowed_methods": ["GET", "HEAD"] },
            { "id": "app", "allowed_origins": ["https://*.example.org"], "allowed_methods": ["PUT"],
              "allowed_headers": ["x-amz-*"], "expose_headers": ["etag"], "max_age_seconds": 60 },
        ]);
        serde_json::from_value(rules).unwrap()
    }

    fn lifecycle() -> Vec<LifecycleRule> {
        let rules = json!([
            { "enabled": true, "expire_after_days": 30 },
            { "id": "logs", "enabled": false, "prefix": "logs/", "expire_on": "2027-02-28" },
            { "enabled": true, "prefix": "a", "size_greater_than": 5, "size_less_than": 50,
              "expire_after_days": 1, "abort_uploads_after_days": 3650 },
            { "enabled": true, "size_less_than": 9, "expire_after_days": 2 },
            { "enabled": true, "abort_uploads_after_days": 7 },
        ]);
        serde_json::from_value(rules).unwrap()
    }

    fn array(value: &Value) -> &[Value] {
        value.as_array().unwrap()
    }

    #[test]
    fn rules_come_back_as_they_went() {
        let there = cors_json(&cors());
        assert_eq!(
            read_cors(array(&there)),
            Read {
                rules: cors(),
                other: false
            }
        );
        let there = lifecycle_json(&lifecycle());
        assert_eq!(
            read_lifecycle(array(&there)),
            Read {
                rules: lifecycle(),
                other: false
            }
        );
    }

    #[test]
    fn what_cannot_be_said_is_told_and_not_guessed() {
        let any_method = json!([{ "AllowedOrigin": ["*"], "AllowedMethod": ["*"] }]);
        assert_eq!(
            read_cors(array(&any_method)),
            Read {
                rules: vec![],
                other: true
            }
        );
        let newer = json!([
            { "Status": "Enabled", "Expiration": { "Days": 3 } },
            { "Status": "Enabled", "Expiration": { "Days": 3, "Unheard": 1 } },
        ]);
        let read = read_lifecycle(array(&newer));
        assert!(read.other && read.rules.len() == 1, "{read:?}");
        let redirecting = json!({ "indexDocument": "index.html", "routingRules": [{}] });
        assert!(matches!(read_website(&redirecting), (Some(_), true)));
        assert!(matches!(
            read_website(&json!({ "indexDocument": "a/b" })),
            (None, true)
        ));
    }
}
