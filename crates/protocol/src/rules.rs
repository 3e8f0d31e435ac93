//! A bucket's rules in our own names: CORS, lifecycle, website. What Garage would silently drop or
//! misread cannot be written down here: unknown members do not parse, and [`CorsRule::check`] and
//! [`LifecycleRule::check`] name what is wrong with the rest.

use serde::{Deserialize, Serialize};

use crate::ident::{
    CorsOrigin, Date, DocumentName, HeaderPattern, ObjectKey, ObjectPrefix, RuleName,
};

/// The most CORS or lifecycle rules of one bucket.
pub const MAX_RULES: usize = 100;
/// The most origins, methods or headers in one list of a CORS rule.
pub const MAX_CORS_VALUES: usize = 100;
/// The largest list of CORS or lifecycle rules, in bytes of JSON.
pub const MAX_RULES_BYTES: usize = 12 * 1024;
/// The longest time after which a rule may act, in days: ten years.
pub const MAX_RULE_DAYS: u32 = 3650;
/// The longest time that a browser may remember a preflight answer, in seconds: a day.
pub const MAX_AGE_SECONDS: u32 = 86_400;

/// A method that a CORS rule lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum CorsMethod {
    /// Reads.
    Get,
    /// Writes.
    Put,
    /// Writes by a form.
    Post,
    /// Deletes.
    Delete,
    /// Asks for the headers alone.
    Head,
}

/// Which pages may use the bucket from a browser, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CorsRule {
    /// What to call the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RuleName>,
    /// Origins such as `https://example.org`, `https://*.example.org` or `*`; 1 to 100.
    pub allowed_origins: Vec<CorsOrigin>,
    /// Methods; 1 to 5.
    pub allowed_methods: Vec<CorsMethod>,
    /// Request headers, such as `content-type`, `x-amz-*` or `*`; at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_headers: Vec<HeaderPattern>,
    /// Response headers that the page may read; at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<HeaderPattern>,
    /// Seconds for which a browser may remember the answer; 0 to 86,400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

/// What happens to a bucket's objects and uploads by themselves, once a day at midnight UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LifecycleRule {
    /// What to call the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RuleName>,
    /// Whether it acts.
    pub enabled: bool,
    /// Only objects and uploads whose key begins so; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<ObjectPrefix>,
    /// Only objects of more bytes. Not for unfinished uploads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_greater_than: Option<u64>,
    /// Only objects of fewer bytes. Not for unfinished uploads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_less_than: Option<u64>,
    /// Deletes objects this many days after they were written; 1 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_days: Option<u32>,
    /// Deletes objects from this day on. Not together with `expire_after_days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_on: Option<Date>,
    /// Removes unfinished uploads this many days after they began; 1 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_uploads_after_days: Option<u32>,
}

/// How a bucket is shown as a website under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Website {
    /// The object that stands for a folder, such as `index.html`.
    pub index_document: DocumentName,
    /// The object that is shown when there is none under the name that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_document: Option<ObjectKey>,
}

/// What is wrong with a rule: where, and why with the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct RuleFault {
    /// Such as `rules[2].max_age_seconds`.
    pub place: String,
    /// What is wrong and what to do.
    pub why: String,
}

fn fault<T>(index: usize, member: &str, why: impl Into<String>) -> Result<T, RuleFault> {
    Err(RuleFault {
        place: format!("rules[{index}].{member}"),
        why: why.into(),
    })
}

/// Whether all `rules` are sound together. Errors: the first fault.
pub fn check_cors(rules: &[CorsRule]) -> Result<(), RuleFault> {
    check_size(rules)?;
    rules
        .iter()
        .enumerate()
        .try_for_each(|(index, rule)| rule.check(index))
}

/// Whether all `rules` are sound together. Errors: the first fault.
pub fn check_lifecycle(rules: &[LifecycleRule]) -> Result<(), RuleFault> {
    check_size(rules)?;
    rules
        .iter()
        .enumerate()
        .try_for_each(|(index, rule)| rule.check(index))
}

fn check_size<T: Serialize>(rules: &[T]) -> Result<(), RuleFault> {
    let bytes = serde_json::to_vec(rules).map_or(usize::MAX, |json| json.len());
    if rules.len() <= MAX_RULES && bytes <= MAX_RULES_BYTES {
        return Ok(());
    }
    Err(RuleFault {
        place: "rules".to_owned(),
        why: format!(
            "these are {} rules in {bytes} bytes; at most {MAX_RULES} rules in {MAX_RULES_BYTES} bytes \
             fit a bucket",
            rules.len()
        ),
    })
}

impl CorsRule {
    fn check(&self, index: usize) -> Result<(), RuleFault> {
        if self.allowed_origins.is_empty() {
            let why = "no origin is named, so the rule would let nobody in; name one or more, or *";
            return fault(index, "allowed_origins", why);
        }
        if self.allowed_methods.is_empty() {
            let why = "no method is named, so the rule would allow nothing; name GET, PUT, POST, DELETE \
                       or HEAD";
            return fault(index, "allowed_methods", why);
        }
        let lists = [
            ("allowed_origins", self.allowed_origins.len()),
            ("allowed_methods", self.allowed_methods.len()),
            ("allowed_headers", self.allowed_headers.len()),
            ("expose_headers", self.expose_headers.len()),
        ];
        for (member, count) in lists {
            if count > MAX_CORS_VALUES {
                return fault(
                    index,
                    member,
                    format!("at most {MAX_CORS_VALUES} are taken"),
                );
            }
        }
        match self.max_age_seconds {
            Some(seconds) if seconds > MAX_AGE_SECONDS => fault(
                index,
                "max_age_seconds",
                format!("expected 0 to {MAX_AGE_SECONDS}"),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

impl LifecycleRule {
    /// The rule that every new bucket has: unfinished uploads go after `days`.
    pub fn abort_uploads(days: u16) -> Self {
        Self {
            id: "abort-unfinished-uploads".parse().ok(),
            enabled: true,
            prefix: None,
            size_greater_than: None,
            size_less_than: None,
            expire_after_days: None,
            expire_on: None,
            abort_uploads_after_days: Some(u32::from(days)),
        }
    }

    fn check(&self, index: usize) -> Result<(), RuleFault> {
        let expires = self.expire_after_days.is_some() || self.expire_on.is_some();
        if !expires && self.abort_uploads_after_days.is_none() {
            let why = "the rule does nothing; give expire_after_days, expire_on or \
                       abort_uploads_after_days";
            return fault(index, "expire_after_days", why);
        }
        if self.expire_after_days.is_some() && self.expire_on.is_some() {
            let why = "a rule has either expire_after_days or expire_on; make two rules of it";
            return fault(index, "expire_on", why);
        }
        let days = [
            ("expire_after_days", self.expire_after_days),
            ("abort_uploads_after_days", self.abort_uploads_after_days),
        ];
        for (member, days) in days {
            if days.is_some_and(|days| !(1..=MAX_RULE_DAYS).contains(&days)) {
                return fault(index, member, format!("expected 1 to {MAX_RULE_DAYS} days"));
            }
        }
        if (self.size_greater_than.is_some() || self.size_less_than.is_some()) && !expires {
            let why = "Garage removes unfinished uploads of any size; leave the size out, or give \
                       expire_after_days or expire_on";
            return fault(index, "size_greater_than", why);
        }
        let exact = |size: Option<u64>| size.is_none_or(|size| size < 1 << 53);
        if !exact(self.size_greater_than) || !exact(self.size_less_than) {
            return fault(index, "size_less_than", "expected less than 2^53 bytes");
        }
        match (self.size_greater_than, self.size_less_than) {
            (Some(more), Some(fewer)) if fewer <= more.saturating_add(1) => {
                let why = "no size is greater than one and less than the other; swap or drop one";
                fault(index, "size_less_than", why)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(text: &str) -> Result<(), String> {
        let rules: Vec<CorsRule> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        check_cors(&rules).map_err(|fault| fault.to_string())
    }

    fn lifecycle(text: &str) -> Result<(), String> {
        let rules: Vec<LifecycleRule> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        check_lifecycle(&rules).map_err(|fault| fault.to_string())
    }

    #[test]
    fn sound_rules_pass() {
        let rules = r#"[{"allowed_origins":["https://*.example.org","http://localhost:5173","*"],
            "allowed_methods":["GET","PUT"],"allowed_headers":["x-amz-*"],"max_age_seconds":600}]"#;
        assert_eq!(cors(rules), Ok(()));
        let rules = r#"[{"enabled":true,"prefix":"logs/","expire_after_days":30},
            {"enabled":false,"expire_on":"2027-02-28","size_greater_than":0},
            {"enabled":true,"abort_uploads_after_days":7}]"#;
        assert_eq!(lifecycle(rules), Ok(()));
    }

    #[test]
    fn what_garage_would_drop_or_misread_is_refused_by_name() {
        for (rules, named) in [
            (
                r#"[{"allowed_origins":[],"allowed_methods":["GET"]}]"#,
                "rules[0].allowed_origins",
            ),
            (
                r#"[{"allowed_origins":["*"],"allowed_methods":[]}]"#,
                "rules[0].allowed_methods",
            ),
            (
                r#"[{"allowed_origins":["https://*.*.org"],"allowed_methods":["GET"]}]"#,
                "one *",
            ),
            (
                r#"[{"allowed_origins":["example.org"],"allowed_methods":["GET"]}]"#,
                "origin",
            ),
            (
                r#"[{"allowed_origins":["https://a.org/"],"allowed_methods":["GET"]}]"#,
                "origin",
            ),
            (
                r#"[{"allowed_origins":["*"],"allowed_methods":["PATCH"]}]"#,
                "PATCH",
            ),
            (
                r#"[{"allowed_origins":["*"],"allowed_methods":["GET"],"allowed_headers":["a b"]}]"#,
                "header",
            ),
            (
                r#"[{"allowed_origins":["*"],"allowed_methods":["GET"],"max_age_seconds":86401}]"#,
                "max_age_seconds",
            ),
            (
                r#"[{"allowed_origins":["*"],"allowed_methods":["GET"],"AllowedHeader":[]}]"#,
                "AllowedHeader",
            ),
        ] {
            let error = cors(rules).expect_err(rules);
            assert!(error.contains(named), "{rules}: {error}");
        }
        for (rules, named) in [
            (r#"[{"enabled":true}]"#, "does nothing"),
            (
                r#"[{"enabled":true,"expire_after_days":0}]"#,
                "expire_after_days",
            ),
            (
                r#"[{"enabled":true,"abort_uploads_after_days":4000}]"#,
                "abort_uploads_after_days",
            ),
            (
                r#"[{"enabled":true,"expire_after_days":1,"expire_on":"2027-01-01"}]"#,
                "expire_on",
            ),
            (r#"[{"enabled":true,"expire_on":"2027-02-30"}]"#, "date"),
            (
                r#"[{"enabled":true,"abort_uploads_after_days":1,"size_less_than":5}]"#,
                "any size",
            ),
            (
                r#"[{"enabled":true,"expire_after_days":1,"size_less_than":5,"size_greater_than":5}]"#,
                "swap",
            ),
            (
                r#"[{"enabled":true,"noncurrent_version_expiration":{}}]"#,
                "noncurrent_version_expiration",
            ),
        ] {
            let error = lifecycle(rules).expect_err(rules);
            assert!(error.contains(named), "{rules}: {error}");
        }
        let many = format!(
            "[{}]",
            vec![r#"{"enabled":true,"expire_after_days":1}"#; 101].join(",")
        );
        assert!(
            lifecycle(&many)
                .expect_err("too many")
                .contains("at most 100")
        );
    }
}
