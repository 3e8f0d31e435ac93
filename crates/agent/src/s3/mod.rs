//! S3 on this node, as jobs speak it: a page of a listing, and the deletion of what stood on one. Each
//! request has a connection of its own and is signed for a few minutes; nothing is tried again here.

mod error;
mod key;
mod request;

use std::{sync::Arc, time::Duration};

use rusty_s3::{
    Bucket, Credentials, S3Action as _, UrlStyle,
    actions::{DeleteObjectsResponse, ListObjectsV2, ListObjectsV2Response, ObjectIdentifier},
};
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::ident::{AccessKeyId, BucketId, Micros};
use url::Url;

pub(crate) use self::{error::S3Error, key::Naming};
use crate::fault::{self, Moment};

/// Objects on a page of a listing, and keys in one deletion: as many as S3 takes.
pub(crate) const PAGE_OBJECTS: usize = 1000;
/// Seconds for which a request's signature holds.
const SIGNED_SECONDS: u64 = 300;
/// The largest answer that is read, in bytes: a page of the longest keys, each byte as three.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
const SCHEME: &str = "http://";

/// Where S3 is spoken on this node. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    endpoint: Url,
    region: String,
}

/// An object of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its key.
    pub(crate) key: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// When it was written, to the millisecond.
    pub(crate) written_at: Micros,
}

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its objects, by key.
    pub(crate) objects: Vec<Object>,
    /// Whether more follow.
    pub(crate) more: bool,
}

impl S3 {
    /// S3 at `http://host:port`. The error is a sentence.
    pub(crate) fn new(endpoint: &str, region: &str) -> Result<Self, String> {
        let wrong = || format!("'{endpoint}' is no address of S3: write http://127.0.0.1:3900");
        let url: Url = endpoint.parse().map_err(|_| wrong())?;
        let plain = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let named = url.host_str().is_some_and(|host| !host.is_empty());
        if !(endpoint.starts_with(SCHEME) && named && plain) {
            return Err(wrong());
        }
        if region.is_empty() {
            return Err("the name of the S3 region is empty".to_owned());
        }
        Ok(Self {
            endpoint: url,
            region: region.to_owned(),
        })
    }

    /// The bucket, by its id, as the holder of a key sees it.
    pub(crate) fn bucket(
        &self,
        bucket: BucketId,
        key: &AccessKeyId,
        secret: &SecretString,
    ) -> Result<S3Bucket, S3Error> {
        let (endpoint, region) = (self.endpoint.clone(), self.region.clone());
        let bucket = Bucket::new(endpoint, UrlStyle::Path, bucket.to_string(), region);
        let bucket = bucket.map_err(|error| S3Error::refused(0, "", &error.to_string()))?;
        let credentials = Credentials::new(key.as_str(), secret.expose_secret());
        Ok(S3Bucket(Arc::new(Inner {
            bucket,
            credentials,
        })))
    }
}

impl std::fmt::Display for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.endpoint.as_str().trim_end_matches('/'))
    }
}

/// A bucket as the holder of a key sees it. Cheap to clone; the secret is zeroed with the last one.
#[derive(Clone)]
pub(crate) struct S3Bucket(Arc<Inner>);

struct Inner {
    bucket: Bucket,
    credentials: Credentials,
}

impl S3Bucket {
    /// The objects under `prefix` after the key `after`, `most` of them at most.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page, S3Error> {
        let mut action = self.0.bucket.list_objects_v2(Some(&self.0.credentials));
        if !prefix.is_empty() {
            action.with_prefix(prefix);
        }
        // The key, not the continuation token: it stands in the journal, and outlives a restart.
        if let Some(after) = after {
            action.with_start_after(after);
        }
        action.with_max_keys(most.min(PAGE_OBJECTS));
        let url = action.sign(signed());
        fault::s3("ListObjectsV2", Moment::Before);
        fault::s3("ListObjectsV2", Moment::During);
        let body = request::get(&url, MAX_ANSWER_BYTES).await?;
        fault::s3("ListObjectsV2", Moment::After);
        let text = request::text(&body)?;
        let answer = ListObjectsV2::parse_response(text);
        page(answer.map_err(|error| S3Error::unclear(&error.to_string()))?)
    }

    /// Deletes the objects of `keys`, [`PAGE_OBJECTS`] at most, each of which XML can say. That one is
    /// gone already is fine.
    pub(crate) async fn delete(&self, keys: &[String]) -> Result<(), S3Error> {
        let objects: Vec<_> = keys.iter().cloned().map(ObjectIdentifier::new).collect();
        let credentials = Some(&self.0.credentials);
        let mut action = self.0.bucket.delete_objects(credentials, objects.iter());
        action.set_quiet(true);
        let url = action.sign(signed());
        let (body, md5) = action.body_with_md5();
        fault::s3("DeleteObjects", Moment::Before);
        fault::s3("DeleteObjects", Moment::During);
        let answer = request::post(&url, body, &md5, MAX_ANSWER_BYTES).await?;
        fault::s3("DeleteObjects", Moment::After);
        let answer = DeleteObjectsResponse::parse(request::text(&answer)?);
        let answer = answer.map_err(|error| S3Error::unclear(&error.to_string()))?;
        let failed = answer
            .errors
            .into_iter()
            .find(|error| error.code != "NoSuchKey");
        match failed {
            None => Ok(()),
            Some(error) if error.code == "AccessDenied" => Err(S3Error::denied(&error.message)),
            Some(error) => Err(S3Error::unclear(&format!(
                "{} {}",
                error.code, error.message
            ))),
        }
    }

    /// Deletes one object, whose key a path can say. That it is gone already is fine.
    pub(crate) async fn delete_one(&self, key: &str) -> Result<(), S3Error> {
        let credentials = Some(&self.0.credentials);
        let url = self.0.bucket.delete_object(credentials, key).sign(signed());
        fault::s3("DeleteObject", Moment::Before);
        fault::s3("DeleteObject", Moment::During);
        request::delete(&url, MAX_ANSWER_BYTES).await?;
        fault::s3("DeleteObject", Moment::After);
        Ok(())
    }

    /// Writes an object.
    #[cfg(test)]
    pub(crate) async fn put(&self, key: &str, body: &str) -> Result<(), S3Error> {
        let credentials = Some(&self.0.credentials);
        let url = self.0.bucket.put_object(credentials, key).sign(signed());
        request::put(&url, body.to_owned(), MAX_ANSWER_BYTES).await
    }
}

/// Signatures are checked against Garage's clock, which is this machine's, as rusty-s3 reads it.
const fn signed() -> Duration {
    Duration::from_secs(SIGNED_SECONDS)
}

fn page(answer: ListObjectsV2Response) -> Result<Page, S3Error> {
    let unclear = |what: &str| S3Error::unclear(&format!("an object of a listing has no {what}"));
    let mut objects = Vec::with_capacity(answer.contents.len());
    for object in answer.contents {
        let written_at = object.last_modified.as_deref();
        let written_at = written_at.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        objects.push(Object {
            key: object.key,
            bytes: object.size.ok_or_else(|| unclear("size"))?,
            written_at: Micros(written_at.ok_or_else(|| unclear("time"))?.as_microsecond()),
        });
    }
    Ok(Page {
        objects,
        more: answer.next_continuation_token.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::S3;

    #[test]
    fn an_address_of_s3_is_plain_http_with_nothing_beside() {
        let at = |text: &str| S3::new(text, "garage").map(|s3| s3.to_string());
        for right in [
            "http://127.0.0.1:3900",
            "http://[::1]:3900",
            "http://garage",
        ] {
            assert_eq!(at(right).as_deref(), Ok(right));
        }
        for wrong in [
            "https://garage:3900",
            "http://garage:3900/bucket",
            "http://a:b@garage",
            "http://garage?x=1",
            "garage:3900",
            "http://",
            "",
        ] {
            let error = at(wrong).expect_err(wrong);
            assert!(error.contains("http://127.0.0.1:3900"), "{error}");
        }
        assert!(S3::new("http://garage", "").is_err());
    }
}
