//! From a kind of request to the request itself, with what there is.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{ident::AccountId, seal::OpenKey};

use super::{kind::Kind, model::Model, plan::Ask, stage::Person};
use crate::harness::{now, stack::REGION};

const DAY_SECONDS: i64 = 24 * 3600;
/// An account makes no more of either.
const ENOUGH: usize = 10;

/// A request.
#[derive(Clone)]
pub struct Request {
    /// Its kind, which may be another than was planned, where nothing is there to do it to.
    pub kind: Kind,
    /// Method.
    pub method: Method,
    /// Path below `/api/v1`.
    pub path: String,
    /// Body.
    pub body: Option<Value>,
    /// Opens the secret that comes back.
    pub seal: Option<Arc<OpenKey>>,
    /// The bucket that it is about.
    pub bucket: Option<String>,
}

/// The request that an ask stands for. `round` and `index` make names that are nobody else's.
pub fn request(model: &Model, person: &Person, ask: &Ask, name: &str) -> Request {
    let account = person.account;
    let (buckets, keys) = (model.buckets_of(Some(account)), model.keys_of(account));
    let kind = possible(ask.kind, buckets.len(), keys.len(), model);
    let bucket = match kind {
        Kind::BucketAdopt => pick(&model.buckets_of(None), ask.pick),
        Kind::BucketRemoveAlias if !ask.value.is_multiple_of(4) => {
            let spare = model.with_names_to_spare(&buckets);
            pick(if spare.is_empty() { &buckets } else { &spare }, ask.pick)
        }
        _ => pick(&buckets, ask.pick),
    };
    let key = pick(&keys, ask.pick >> 8);
    let seal = OpenKey::generate();
    let (method, path, body) = spoken(&Spoken {
        kind,
        account,
        bucket: &bucket,
        name,
        value: ask.value,
        last_name: model
            .buckets
            .get(&bucket)
            .and_then(|seen| seen.names.last()),
        seal: &seal,
    });
    let about_bucket = kind.command().starts_with("bucket.") && kind != Kind::BucketCreate;
    Request {
        kind,
        method,
        path: path.replace("{bucket}", &bucket).replace("{key}", &key),
        body,
        seal: kind.makes_secret().then(|| Arc::new(seal)),
        bucket: about_bucket.then_some(bucket),
    }
}

/// What can be asked for in its place where there is nothing to do it to, or too much already.
fn possible(kind: Kind, buckets: usize, keys: usize, model: &Model) -> Kind {
    match kind {
        Kind::BucketCreate if buckets >= ENOUGH => Kind::BucketDelete,
        Kind::KeyCreate | Kind::KeyCreateTemporary | Kind::KeyRotate if keys >= 2 * ENOUGH => {
            Kind::KeyDelete
        }
        // What is cancelled is a clearing; the cancel is sent beside it.
        Kind::JobCancel => Kind::BucketClear,
        Kind::BucketAdopt if model.buckets_of(None).is_empty() => Kind::BucketRelease,
        other => other,
    }
}

struct Spoken<'a> {
    kind: Kind,
    account: AccountId,
    bucket: &'a str,
    name: &'a str,
    value: u32,
    last_name: Option<&'a String>,
    seal: &'a OpenKey,
}

fn spoken(ask: &Spoken<'_>) -> (Method, String, Option<Value>) {
    let Spoken { name, value, .. } = *ask;
    let seal_to = ask.seal.seal_key();
    let number = u64::from(value % 1000) + 1;
    let odd = value % 2 == 1;
    let optional = |some: Value| if value % 5 == 0 { Value::Null } else { some };
    let later = optional(json!(
        now().plus_seconds(DAY_SECONDS * (1 + i64::from(value % 30)))
    ));
    let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
    let (method, path, body) = match ask.kind {
        Kind::AgentPing => (post, format!("/regions/{REGION}/ping"), Value::Null),
        Kind::ClusterHealth => (post, format!("/regions/{REGION}/health"), Value::Null),
        Kind::InventoryRefresh => (post, format!("/regions/{REGION}/refresh"), Value::Null),
        // The cancel itself is sent when the job is there.
        Kind::BucketClear | Kind::JobCancel => {
            (post, "/buckets/{bucket}/clear".to_owned(), Value::Null)
        }
        Kind::BucketMeasure => (post, "/buckets/{bucket}/measure".to_owned(), json!({})),
        Kind::BucketCreate => {
            let body = json!({
                "region": REGION, "name": name, "quota_bytes": optional(json!(number * 1_000_000)),
                "quota_objects": null, "key": name, "seal_to": seal_to,
            });
            (post, "/buckets".to_owned(), body)
        }
        Kind::BucketDelete => (delete, "/buckets/{bucket}".to_owned(), Value::Null),
        Kind::BucketSetQuota => {
            let quota = optional(json!(number * 1_000_000));
            let body = json!({ "quota_bytes": quota, "quota_objects": number * 1000 });
            (put, "/buckets/{bucket}/quota".to_owned(), body)
        }
        Kind::BucketSetCors => {
            let rule = json!({
                "allowed_origins": ["*"], "allowed_methods": ["GET"], "max_age_seconds": number,
            });
            let rules = if odd { json!([rule]) } else { json!([]) };
            (
                put,
                "/buckets/{bucket}/cors".to_owned(),
                json!({ "rules": rules }),
            )
        }
        Kind::BucketSetLifecycle => {
            let rule = json!({ "enabled": true, "expire_after_days": 100 + number });
            let rules = if odd { json!([rule]) } else { json!([]) };
            (
                put,
                "/buckets/{bucket}/lifecycle".to_owned(),
                json!({ "rules": rules }),
            )
        }
        Kind::BucketSetWebsite => {
            let page = json!({ "index_document": format!("index{number}.html") });
            let website = if odd { page } else { Value::Null };
            (
                put,
                "/buckets/{bucket}/website".to_owned(),
                json!({ "website": website }),
            )
        }
        Kind::BucketAddAlias => {
            let body = json!({ "name": format!("{name}-too") });
            (post, "/buckets/{bucket}/aliases".to_owned(), body)
        }
        Kind::BucketRemoveAlias => {
            let last = ask.last_name.map_or("none", String::as_str);
            let path = format!("/buckets/{{bucket}}/aliases/{last}");
            (delete, path, Value::Null)
        }
        Kind::BucketCleanupUploads => {
            let body = json!({ "older_than_seconds": 0 });
            (post, "/buckets/{bucket}/cleanup-uploads".to_owned(), body)
        }
        Kind::BucketRestore => (post, "/buckets/{bucket}/restore".to_owned(), Value::Null),
        Kind::BucketAdopt => {
            let body = json!({
                "account": ask.account, "name": null, "quota_bytes": number * 1_000_000,
                "quota_objects": null,
            });
            (post, "/buckets/{bucket}/adopt".to_owned(), body)
        }
        Kind::BucketRelease => (post, "/buckets/{bucket}/release".to_owned(), Value::Null),
        Kind::AccountLimits => {
            let limit = optional(json!(number * 10_000_000));
            let body = json!({ "buckets": null, "keys": null, "storage_bytes": limit });
            (put, format!("/accounts/{}/limits", ask.account), body)
        }
        Kind::KeyCreate => {
            let grant = json!({ "bucket": ask.bucket, "read": true, "write": odd, "owner": value % 3 == 0 });
            let body = json!({
                "region": REGION, "label": name, "grants": [grant], "seal_to": seal_to,
                "expires_at": later,
            });
            (post, "/keys".to_owned(), body)
        }
        Kind::KeyCreateTemporary => {
            let body = json!({
                "bucket": ask.bucket, "write": odd, "valid_seconds": 36_000, "seal_to": seal_to,
            });
            (post, "/keys/temporary".to_owned(), body)
        }
        Kind::KeyRename => (
            put,
            "/keys/{key}/label".to_owned(),
            json!({ "label": name }),
        ),
        Kind::KeySetExpiry => {
            let body = json!({ "expires_at": later });
            (put, "/keys/{key}/expiry".to_owned(), body)
        }
        Kind::KeySuspend => (post, "/keys/{key}/suspend".to_owned(), Value::Null),
        Kind::KeyResume => (post, "/keys/{key}/resume".to_owned(), Value::Null),
        Kind::KeyDelete => (delete, "/keys/{key}".to_owned(), Value::Null),
        Kind::KeySetGrant => {
            let body = json!({ "read": odd, "write": value % 3 == 0, "owner": value % 5 == 0 });
            (put, "/buckets/{bucket}/grants/{key}".to_owned(), body)
        }
        Kind::KeyRotate => {
            let body = json!({ "label": name, "grace_seconds": 3600, "seal_to": seal_to });
            (post, "/keys/{key}/rotate".to_owned(), body)
        }
        Kind::KeyRevokeLeaked => {
            let body = json!({ "label": null, "seal_to": seal_to });
            (post, "/keys/{key}/revoke-leaked".to_owned(), body)
        }
    };
    (method, path, (!body.is_null()).then_some(body))
}

/// One of them; what is nowhere to be found when there are none.
fn pick(among: &[&String], choice: u32) -> String {
    match among.len() {
        0 => "none".to_owned(),
        count => among[choice as usize % count].clone(),
    }
}

impl Kind {
    /// Whether a secret comes back.
    const fn makes_secret(self) -> bool {
        matches!(
            self,
            Self::BucketCreate
                | Self::KeyCreate
                | Self::KeyCreateTemporary
                | Self::KeyRotate
                | Self::KeyRevokeLeaked
        )
    }
}
