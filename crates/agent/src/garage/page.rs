//! A page of a list, read one element at a time while it arrives: a page of thousands never is in
//! memory, as text or otherwise.

use std::{marker::PhantomData, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use storm_protocol::command::AdminCall;
use tokio::time::timeout;

use super::{
    AdminRequest, BucketInfo, CALL_TIMEOUT_SECONDS, CallError, GarageClient, KeyInfo, PAGE_TRIES,
    error::unknown, stream::Splitter,
};
use crate::fault::{self, Moment};

/// How long Garage may be silent. The whole page has no limit: what is read goes out over a connection
/// that may be slow, and Garage waits for that.
const LIMIT: Duration = Duration::from_secs(CALL_TIMEOUT_SECONDS);

/// The elements of a page that Garage has begun to send.
pub(crate) struct Page<T> {
    call: AdminCall,
    body: Incoming,
    /// What has arrived and was not looked at.
    chunk: Bytes,
    splitter: Splitter,
    element: PhantomData<fn() -> T>,
}

impl GarageClient {
    /// A page of buckets from `offset` (inclusive), at most `limit`; asked for again when a bucket
    /// vanishes while Garage reads the page, which it says before it sends any.
    pub(crate) async fn buckets(
        &self,
        offset: Option<&str>,
        limit: usize,
    ) -> Result<Page<BucketInfo>, CallError> {
        let mut tries = 1;
        loop {
            match self.page(AdminCall::ListBucketsInfo, offset, limit).await {
                Err(CallError::Rejected(no)) if no.status == 404 && tries < PAGE_TRIES => {
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// A page of keys from `offset` (inclusive), at most `limit`; without secrets.
    pub(crate) async fn keys(
        &self,
        offset: Option<&str>,
        limit: usize,
    ) -> Result<Page<KeyInfo>, CallError> {
        self.page(AdminCall::ListKeysInfo, offset, limit).await
    }

    async fn page<T>(
        &self,
        call: AdminCall,
        offset: Option<&str>,
        limit: usize,
    ) -> Result<Page<T>, CallError> {
        let http = self.http(AdminRequest::list(call, offset, limit))?;
        fault::call(call, Moment::Before);
        let answer = timeout(LIMIT, self.exchange(call.as_str(), http, Some(call)));
        let answer = answer.await.unwrap_or_else(|_| Err(late(call)))?;
        Ok(Page {
            call,
            body: answer.into_body(),
            chunk: Bytes::new(),
            splitter: Splitter::default(),
            element: PhantomData,
        })
    }
}

impl<T: DeserializeOwned> Page<T> {
    /// The next element; `None` after the last one of a page that came whole.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, CallError> {
        loop {
            let element = self.splitter.next(&mut self.chunk);
            let element = element.map_err(|cause| unknown(self.call.as_str(), &cause))?;
            if let Some(element) = element {
                return super::parse(self.call.as_str(), element).map(Some);
            }
            let frame = timeout(LIMIT, self.body.frame());
            match frame.await.map_err(|_| late(self.call))? {
                Some(Ok(frame)) => self.chunk = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Err(unknown(self.call.as_str(), &error.to_string())),
                None if self.splitter.is_complete() => {
                    fault::call(self.call, Moment::After);
                    return Ok(None);
                }
                None => return Err(unknown(self.call.as_str(), "the list is cut short")),
            }
        }
    }

    /// All that are left; for small pages.
    pub(super) async fn rest(mut self) -> Result<Vec<T>, CallError> {
        let mut all = vec![];
        while let Some(element) = self.next().await? {
            all.push(element);
        }
        Ok(all)
    }
}

fn late(call: AdminCall) -> CallError {
    let words = format!("no answer in {CALL_TIMEOUT_SECONDS} seconds");
    unknown(call.as_str(), &words)
}
