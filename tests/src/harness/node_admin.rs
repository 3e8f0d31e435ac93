//! A client of Garage's admin API with a root token of its own, for what the tests assert; nothing
//! of the product uses it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wait;

/// No limit that a healthy Garage meets.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Speaks to one node's admin socket.
#[derive(Clone)]
pub struct NodeAdmin {
    http: reqwest::Client,
    token: Option<String>,
}

/// A key's rights on a bucket, or a bucket's on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Rights {
    /// Reads.
    pub read: bool,
    /// Writes.
    pub write: bool,
    /// Owns.
    pub owner: bool,
}

/// A bucket as Garage tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSeen {
    /// Global aliases.
    pub aliases: Vec<String>,
    /// Whether some key has a local alias for it.
    pub has_local_alias: bool,
    /// The limit on bytes.
    pub quota_bytes: Option<u64>,
    /// The limit on objects.
    pub quota_objects: Option<u64>,
    /// Its keys, by its own side of the grant.
    pub keys: BTreeMap<String, Rights>,
}

/// A key as Garage tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySeen {
    /// Its name.
    pub name: String,
    /// Whether it has ended.
    pub expired: bool,
    /// When it ends.
    pub expiration: Option<String>,
    /// Its buckets, by its own side of the grant.
    pub buckets: BTreeMap<String, Rights>,
}

/// All buckets and keys of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// By bucket id.
    pub buckets: BTreeMap<String, BucketSeen>,
    /// By key id.
    pub keys: BTreeMap<String, KeySeen>,
}

impl NodeAdmin {
    /// A client without a token: `/health` and `/metrics` alone.
    pub fn without_token(socket: &Path) -> Result<Self> {
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { http, token: None })
    }

    /// The same client with a token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            http: self.http.clone(),
            token: Some(token.to_owned()),
        }
    }

    /// Whether `/health` answers 200.
    pub async fn is_healthy(&self) -> Result<bool> {
        let answer = self.http.get("http://garage/health").send().await?;
        Ok(answer.status().is_success())
    }

    /// `GET /v2/<call>`.
    pub async fn get(&self, call: &str) -> Result<Value> {
        let request = self.http.get(format!("http://garage/v2/{call}"));
        self.send(call, request).await
    }

    /// `POST /v2/<call>` with a body.
    pub async fn post(&self, call: &str, body: &Value) -> Result<Value> {
        let request = self
            .http
            .post(format!("http://garage/v2/{call}"))
            .json(body);
        self.send(call, request).await
    }

    async fn send(&self, call: &str, request: reqwest::RequestBuilder) -> Result<Value> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{call} answered {status}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{call} answered {text}"))
    }

    /// How often each admin call was made since Garage started, by name.
    pub async fn calls(&self) -> Result<BTreeMap<String, u64>> {
        let mut calls = BTreeMap::new();
        for (path, count) in self
            .metric("api_admin_request_counter", "api_endpoint")
            .await?
        {
            let name = path.trim_start_matches("/v2/").to_owned();
            *calls.entry(name).or_default() += count;
        }
        Ok(calls)
    }

    /// How many changes of buckets, keys and aliases this node has seen since it started.
    pub async fn table_updates(&self) -> Result<u64> {
        const TABLES: [&str; 3] = ["bucket_v2", "bucket_alias", "key"];
        let changes = self.changes().await?;
        Ok(TABLES.iter().filter_map(|table| changes.get(*table)).sum())
    }

    /// What the agent takes for a signal: how often something changed on this node since it started, by
    /// the table that buckets, keys or their sizes live in.
    pub async fn changes(&self) -> Result<BTreeMap<String, u64>> {
        const TABLES: [&str; 5] = [
            "bucket_object_counter",
            "bucket_mpu_counter",
            "bucket_v2",
            "key",
            "bucket_alias",
        ];
        let changes = self
            .metric("table_internal_update_counter", "table_name")
            .await?;
        let ours = changes
            .into_iter()
            .filter(|(table, _)| TABLES.contains(&table.as_str()));
        Ok(ours.collect())
    }

    /// How many changes wait on this node for their way into a table.
    pub async fn changes_waiting(&self) -> Result<u64> {
        let waiting = self
            .metric("table_insert_queue_length", "table_name")
            .await?;
        Ok(waiting.iter().map(|(_, count)| count).sum())
    }

    /// A metric's values by one of its labels.
    async fn metric(&self, name: &str, label: &str) -> Result<Vec<(String, u64)>> {
        let answer = self.http.get("http://garage/metrics").send().await?;
        let text = answer.error_for_status()?.text().await?;
        let (name, label) = (format!("{name}{{"), format!("{label}=\""));
        let samples = text.lines().filter_map(|line| line.strip_prefix(&name));
        let read = samples.map(|sample| {
            let value = sample
                .split_once(&label)
                .and_then(|(_, rest)| rest.split('"').next());
            let count = sample
                .rsplit(' ')
                .next()
                .and_then(|count| count.parse::<f64>().ok());
            // Counters are whole numbers.
            let read = value
                .zip(count)
                .map(|(value, count)| (value.to_owned(), count as u64));
            read.with_context(|| format!("this line of /metrics cannot be read: {sample}"))
        });
        read.collect()
    }

    /// The calls that commands make and that watching a cluster, its buckets and keys does not.
    pub async fn calls_for_commands(&self) -> Result<BTreeMap<String, u64>> {
        const WATCHING: [&str; 10] = [
            "/metrics",
            "/health",
            "GetBucketInfo",
            "ListBucketsInfo",
            "ListKeysInfo",
            "GetClusterHealth",
            "GetClusterStatus",
            "GetClusterLayout",
            "GetCurrentAdminTokenInfo",
            "GetNodeInfo",
        ];
        let mut calls = self.calls().await?;
        calls.retain(|name, _| !WATCHING.contains(&name.as_str()));
        Ok(calls)
    }

    /// Reads everything.
    pub async fn contents(&self) -> Result<Contents> {
        // Garage answers 404 when one of the buckets goes while it reads them.
        let buckets = wait::until("Garage to list its buckets", async || {
            self.get("ListBucketsInfo?limit=5000").await.map(Some)
        })
        .await?;
        let keys = self.get("ListKeysInfo?limit=5000").await?;
        let buckets: Vec<BucketAnswer> = serde_json::from_value(buckets)?;
        let keys: Vec<KeyAnswer> = serde_json::from_value(keys)?;
        Ok(Contents {
            buckets: buckets.into_iter().map(BucketAnswer::seen).collect(),
            keys: keys.into_iter().map(KeyAnswer::seen).collect(),
        })
    }

    /// Makes a key with this secret, as another program than ours would.
    pub async fn import_key(&self, id: &str, secret: &str, name: &str) -> Result<()> {
        let body = json!({ "accessKeyId": id, "secretAccessKey": secret, "name": name });
        self.post("ImportKey", &body).await?;
        Ok(())
    }

    /// Makes a bucket, as another program than ours would; gives its id.
    pub async fn create_bucket(&self, alias: &str) -> Result<String> {
        let made = self
            .post("CreateBucket", &json!({ "globalAlias": alias }))
            .await?;
        made["id"]
            .as_str()
            .map(str::to_owned)
            .context("the new bucket has no id")
    }

    /// Gives a key every right on a bucket.
    pub async fn allow_all(&self, bucket: &str, key: &str) -> Result<()> {
        let permissions = json!({ "read": true, "write": true, "owner": true });
        let body = json!({ "bucketId": bucket, "accessKeyId": key, "permissions": permissions });
        self.post("AllowBucketKey", &body).await?;
        Ok(())
    }
}

impl Contents {
    /// Whether Garage holds nothing half-made: no bucket without a name, no key without one, and
    /// every right equal on the bucket's and the key's side.
    pub fn check_whole(&self) -> Result<()> {
        for (id, bucket) in &self.buckets {
            ensure!(
                !bucket.aliases.is_empty() || bucket.has_local_alias,
                "bucket {id} has no name: {bucket:?}"
            );
        }
        for (id, key) in &self.keys {
            ensure!(!key.name.is_empty(), "key {id} has no name: {key:?}");
        }
        let ours = self.buckets.iter().flat_map(|(bucket, seen)| {
            let keys = seen.keys.keys();
            keys.map(move |key| (bucket.as_str(), key.as_str()))
        });
        let theirs = self.keys.iter().flat_map(|(key, seen)| {
            let buckets = seen.buckets.keys();
            buckets.map(move |bucket| (bucket.as_str(), key.as_str()))
        });
        for (bucket, key) in ours.chain(theirs).collect::<BTreeSet<_>>() {
            let of_bucket = self.buckets.get(bucket).and_then(|seen| seen.keys.get(key));
            let of_key = self.keys.get(key).and_then(|seen| seen.buckets.get(bucket));
            let of_bucket = of_bucket.copied().unwrap_or_default();
            let of_key = of_key.copied().unwrap_or_default();
            ensure!(
                of_bucket == of_key,
                "rights of {key} on {bucket} differ: the bucket says {of_bucket:?}, the key {of_key:?}"
            );
        }
        Ok(())
    }

    /// The bucket of this global alias.
    pub fn bucket_named(&self, alias: &str) -> Option<(&str, &BucketSeen)> {
        let mut buckets = self.buckets.iter();
        let found = buckets.find(|(_, seen)| seen.aliases.iter().any(|name| name == alias));
        found.map(|(id, seen)| (id.as_str(), seen))
    }

    /// A key's rights on a bucket, by the key's side, which S3 obeys.
    pub fn rights(&self, bucket: &str, key: &str) -> Rights {
        let key = self.keys.get(key);
        key.and_then(|seen| seen.buckets.get(bucket))
            .copied()
            .unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BucketAnswer {
    id: String,
    global_aliases: Vec<String>,
    keys: Vec<BucketKeyAnswer>,
    quotas: QuotaAnswer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuotaAnswer {
    max_size: Option<u64>,
    max_objects: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BucketKeyAnswer {
    access_key_id: String,
    permissions: Rights,
    bucket_local_aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyAnswer {
    access_key_id: String,
    name: String,
    expired: bool,
    expiration: Option<String>,
    buckets: Vec<KeyBucketAnswer>,
}

#[derive(Deserialize)]
struct KeyBucketAnswer {
    id: String,
    permissions: Rights,
}

impl BucketAnswer {
    fn seen(self) -> (String, BucketSeen) {
        let has_local_alias = self
            .keys
            .iter()
            .any(|key| !key.bucket_local_aliases.is_empty());
        let keys = self.keys.into_iter();
        let seen = BucketSeen {
            aliases: self.global_aliases,
            has_local_alias,
            quota_bytes: self.quotas.max_size,
            quota_objects: self.quotas.max_objects,
            keys: keys
                .map(|key| (key.access_key_id, key.permissions))
                .collect(),
        };
        (self.id, seen)
    }
}

impl KeyAnswer {
    fn seen(self) -> (String, KeySeen) {
        let buckets = self.buckets.into_iter();
        let seen = KeySeen {
            name: self.name,
            expired: self.expired,
            expiration: self.expiration,
            buckets: buckets
                .map(|bucket| (bucket.id, bucket.permissions))
                .collect(),
        };
        (self.access_key_id, seen)
    }
}
