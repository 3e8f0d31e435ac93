//! Rules of CORS and lifecycle in files: in our own names, or in those of AWS, as `aws s3api
//! put-bucket-cors` and `put-bucket-lifecycle-configuration` take them. What Garage would drop is
//! refused by its name, not left out.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use storm_protocol::rules::{CorsRule, LifecycleRule, RuleFault, check_cors, check_lifecycle};

use crate::errors::usage;

/// The largest file, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Reads CORS rules.
pub(crate) fn read_cors(path: &Path) -> Result<Vec<CorsRule>> {
    let rules = own_names(read(path)?, "CORSRules", aws_cors).map_err(|why| wrong(path, &why))?;
    understood(path, rules, check_cors)
}

/// Reads lifecycle rules.
pub(crate) fn read_lifecycle(path: &Path) -> Result<Vec<LifecycleRule>> {
    let rules = own_names(read(path)?, "Rules", aws_lifecycle).map_err(|why| wrong(path, &why))?;
    understood(path, rules, check_lifecycle)
}

fn read(path: &Path) -> Result<Value> {
    let shown = path.display();
    let length = std::fs::metadata(path).with_context(|| format!("{shown} cannot be read"))?;
    if length.len() > MAX_FILE_BYTES {
        return Err(usage(format!(
            "{shown} has more than {MAX_FILE_BYTES} bytes."
        )));
    }
    let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(path, &format!("not JSON: {error}")))
}

fn understood<T: DeserializeOwned>(
    path: &Path,
    rules: Vec<Value>,
    check: impl Fn(&[T]) -> Result<(), RuleFault>,
) -> Result<Vec<T>> {
    let mut read = vec![];
    for (index, rule) in rules.into_iter().enumerate() {
        let rule = T::deserialize(rule);
        read.push(rule.map_err(|error| wrong(path, &format!("rules[{index}]: {error}")))?);
    }
    check(&read).map_err(|fault| wrong(path, &fault.to_string()))?;
    Ok(read)
}

fn wrong(path: &Path, why: &str) -> anyhow::Error {
    usage(format!("{}: {why}.", path.display()))
}

/// The rules in our own names, whichever form the file has: `[…]`, `{"rules": […]}` or AWS's.
fn own_names(
    file: Value,
    aws: &str,
    translate: fn(Value) -> Result<Value, String>,
) -> Result<Vec<Value>, String> {
    let expected = || format!("expected a list of rules, {{\"rules\": […]}} or {{\"{aws}\": […]}}");
    match file {
        Value::Array(rules) => Ok(rules),
        Value::Object(mut file) => {
            let only = file.len() == 1;
            match (file.remove("rules"), file.remove(aws)) {
                (Some(Value::Array(rules)), None) if only => Ok(rules),
                (None, Some(Value::Array(rules))) if only => {
                    let translate = |(index, rule)| {
                        translate(rule).map_err(|why| format!("{aws}[{index}]: {why}"))
                    };
                    rules.into_iter().enumerate().map(translate).collect()
                }
                _ => Err(expected()),
            }
        }
        _ => Err(expected()),
    }
}

/// Takes members out by name; what is left at the end has none of ours.
struct Members(Map<String, Value>);

impl Members {
    fn of(rule: Value) -> Result<Self, String> {
        match rule {
            Value::Object(members) => Ok(Self(members)),
            _ => Err("not an object".to_owned()),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    fn end(self) -> Result<(), String> {
        match self.0.keys().next() {
            Some(name) => Err(format!(
                "{name} is not something that Garage does, and it would drop it silently; leave it out"
            )),
            None => Ok(()),
        }
    }
}

fn aws_cors(rule: Value) -> Result<Value, String> {
    let mut members = Members::of(rule)?;
    let mut own = Map::new();
    for (aws, name) in [
        ("ID", "id"),
        ("AllowedOrigins", "allowed_origins"),
        ("AllowedMethods", "allowed_methods"),
        ("AllowedHeaders", "allowed_headers"),
        ("ExposeHeaders", "expose_headers"),
        ("MaxAgeSeconds", "max_age_seconds"),
    ] {
        if let Some(value) = members.take(aws) {
            own.insert(name.to_owned(), value);
        }
    }
    members.end()?;
    Ok(Value::Object(own))
}

fn aws_lifecycle(rule: Value) -> Result<Value, String> {
    let mut members = Members::of(rule)?;
    let mut own = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            own.insert(name.to_owned(), value);
        }
    };
    put("id", members.take("ID"));
    let enabled = match members.take("Status").as_ref().and_then(Value::as_str) {
        Some("Enabled") => true,
        Some("Disabled") => false,
        _ => return Err("Status is neither Enabled nor Disabled".to_owned()),
    };
    put("enabled", Some(json!(enabled)));
    // The older form has the prefix beside the filter.
    put("prefix", members.take("Prefix"));
    if let Some(filter) = members.take("Filter") {
        let mut filter = Members::of(filter)?;
        if let Some(and) = filter.take("And") {
            filter.end()?;
            filter = Members::of(and)?;
        }
        put("prefix", filter.take("Prefix"));
        put("size_greater_than", filter.take("ObjectSizeGreaterThan"));
        put("size_less_than", filter.take("ObjectSizeLessThan"));
        filter.end()?;
    }
    if let Some(expiration) = members.take("Expiration") {
        let mut expiration = Members::of(expiration)?;
        put("expire_after_days", expiration.take("Days"));
        let date = expiration.take("Date");
        put("expire_on", date.map(day));
        expiration.end()?;
    }
    if let Some(abort) = members.take("AbortIncompleteMultipartUpload") {
        let mut abort = Members::of(abort)?;
        put(
            "abort_uploads_after_days",
            abort.take("DaysAfterInitiation"),
        );
        abort.end()?;
    }
    members.end()?;
    Ok(Value::Object(own))
}

/// AWS takes midnight of a day as an instant; we take the day.
fn day(date: Value) -> Value {
    let Some(text) = date.as_str() else {
        return date;
    };
    let (day, time) = text.split_once('T').unwrap_or((text, ""));
    let midnight = ["", "00:00:00Z", "00:00:00.000Z", "00:00:00+00:00"].contains(&time);
    if midnight { json!(day) } else { date }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(text: &str) -> Result<Vec<CorsRule>, String> {
        with_file(text, read_cors)
    }

    fn lifecycle(text: &str) -> Result<Vec<LifecycleRule>, String> {
        with_file(text, read_lifecycle)
    }

    fn with_file<T>(text: &str, read: impl Fn(&Path) -> Result<T>) -> Result<T, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.json");
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn our_names_and_awss_say_the_same() {
        let own = r#"[{"id":"app","allowed_origins":["*"],"allowed_methods":["GET"],"max_age_seconds":9}]"#;
        let wrapped = format!(r#"{{"rules":{own}}}"#);
        let aws = r#"{"CORSRules":[{"ID":"app","AllowedOrigins":["*"],"AllowedMethods":["GET"],"MaxAgeSeconds":9}]}"#;
        assert_eq!(cors(own), cors(aws));
        assert_eq!(cors(own), cors(&wrapped));
        assert_eq!(cors(own).unwrap().len(), 1);

        let own = r#"[{"enabled":true,"prefix":"logs/","size_less_than":9,"expire_on":"2027-01-31"},
                      {"enabled":false,"abort_uploads_after_days":7}]"#;
        let aws = r#"{"Rules":[
            {"Status":"Enabled","Filter":{"And":{"Prefix":"logs/","ObjectSizeLessThan":9}},
             "Expiration":{"Date":"2027-01-31T00:00:00Z"}},
            {"Status":"Disabled","AbortIncompleteMultipartUpload":{"DaysAfterInitiation":7}}]}"#;
        assert_eq!(lifecycle(own), lifecycle(aws));
        assert_eq!(lifecycle(own).unwrap().len(), 2);
    }

    #[test]
    fn what_garage_would_drop_is_named() {
        let rule = |more: &str| format!(r#"{{"Rules":[{{"Status":"Enabled",{more}}}]}}"#);
        for (more, named) in [
            (
                r#""NoncurrentVersionExpiration":{"NoncurrentDays":1}"#,
                "NoncurrentVersionExpiration",
            ),
            (r#""Transitions":[]"#, "Transitions"),
            (
                r#""Filter":{"Tag":{"Key":"a","Value":"b"}},"Expiration":{"Days":1}"#,
                "Tag",
            ),
            (
                r#""Expiration":{"ExpiredObjectDeleteMarker":true}"#,
                "ExpiredObjectDeleteMarker",
            ),
            (r#""Expiration":{"Date":"2027-01-31T12:00:00Z"}"#, "date"),
            (r#""Expiration":{"Days":0}"#, "expire_after_days"),
        ] {
            let error = lifecycle(&rule(more)).unwrap_err();
            assert!(
                error.contains(named) && error.contains("rules.json"),
                "{error}"
            );
        }
        for (text, named) in [
            ("[", "not JSON"),
            ("7", "expected a list"),
            (r#"{"rules":[],"CORSRules":[]}"#, "expected a list"),
            (
                r#"[{"allowed_origins":["*"],"allowed_methods":["GET"],"AllowedHeaders":[]}]"#,
                "AllowedHeaders",
            ),
        ] {
            let error = cors(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
