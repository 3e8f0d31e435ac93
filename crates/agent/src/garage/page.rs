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
const SILENCE: Duration = Duration::from_secs(CALL_TIMEOUT_SECONDS);

/// The elements of a page that Garage has begun to send.
pub(crate) struct Page<T> {
    call: AdminCall,
    body: Incoming,
    /// What has arrived and was not looked at.
    chunk: Bytes,
    splitter: Splitter,
    /// How long Garage may be silent.
    silence: Duration,
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
            let page = self.page(AdminCall::ListBucketsInfo, offset, limit, SILENCE);
            match page.await {
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
        self.page(AdminCall::ListKeysInfo, offset, limit, SILENCE)
            .await
    }

    async fn page<T>(
        &self,
        call: AdminCall,
        offset: Option<&str>,
        limit: usize,
        silence: Duration,
    ) -> Result<Page<T>, CallError> {
        let http = self.http(AdminRequest::list(call, offset, limit))?;
        fault::call(call, Moment::Before);
        let answer = timeout(silence, self.exchange(call.as_str(), http, Some(call)));
        let answer = answer.await.unwrap_or_else(|_| Err(late(call, silence)))?;
        Ok(Page {
            call,
            body: answer.into_body(),
            chunk: Bytes::new(),
            splitter: Splitter::default(),
            silence,
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
            let frame = timeout(self.silence, self.body.frame());
            match frame.await.map_err(|_| late(self.call, self.silence))? {
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

fn late(call: AdminCall, silence: Duration) -> CallError {
    let words = format!("no answer in {} seconds", silence.as_secs());
    unknown(call.as_str(), &words)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use secrecy::SecretString;
    use tempfile::TempDir;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{UnixListener, UnixStream},
    };

    use super::*;
    use crate::garage::Endpoint;

    /// Longer than anything takes that comes at all.
    const LONG: Duration = Duration::from_secs(60);
    /// As long as nothing that comes at all is waited for.
    const SHORT: Duration = Duration::from_millis(50);
    /// How long a slow reader takes for an element, by half.
    const READING: Duration = Duration::from_millis(700);
    const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    /// A node that says what the test wants it to say.
    struct Node {
        listener: UnixListener,
        socket: PathBuf,
        _folder: TempDir,
    }

    impl Node {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("admin.sock");
            Self {
                listener: UnixListener::bind(&socket).unwrap(),
                socket,
                _folder: folder,
            }
        }

        async fn page(&self, silence: Duration) -> Result<Page<KeyInfo>, CallError> {
            let endpoint = Endpoint::Unix(self.socket.clone());
            let client = GarageClient::new(endpoint, SecretString::from("token"));
            let call = AdminCall::ListKeysInfo;
            client.page(call, None, 10, silence).await
        }

        /// Takes the request, and says this much of an answer.
        async fn say(&self, text: &str) -> UnixStream {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        }
    }

    fn chunk(text: &str) -> String {
        format!("{:x}\r\n{text}\r\n", text.len())
    }

    fn key(id: &str) -> String {
        format!("{{\"accessKeyId\":\"{id}\",\"name\":\"\"}}")
    }

    fn is_late<T>(result: &Result<T, CallError>) -> bool {
        matches!(result, Err(CallError::Unknown { cause, .. }) if cause.starts_with("no answer in"))
    }

    #[tokio::test]
    async fn a_node_that_falls_silent_is_given_up_wherever_it_is() {
        let node = Node::new();
        let (page, _silent) = tokio::join!(node.page(SHORT), node.say(""));
        assert!(is_late(&page));

        let begun = format!("{HEAD}{}", chunk(&format!("[{},", key("one"))));
        let (page, _silent) = tokio::join!(node.page(LONG), node.say(&begun));
        let mut page = page.unwrap();
        assert_eq!(page.next().await.unwrap().unwrap().access_key_id, "one");
        page.silence = SHORT;
        assert!(is_late(&page.next().await));
    }

    #[tokio::test]
    async fn a_page_that_is_read_slowly_takes_as_long_as_it_takes() {
        let node = Node::new();
        let list = format!("[{},{},{}]", key("one"), key("two"), key("three"));
        let whole = format!("{HEAD}{}{}", chunk(&list), chunk(""));
        let (page, _stream) = tokio::join!(node.page(3 * READING), node.say(&whole));
        let mut page = page.unwrap();
        for id in ["one", "two", "three"] {
            assert_eq!(page.next().await.unwrap().unwrap().access_key_id, id);
            tokio::time::sleep(2 * READING).await;
        }
        assert!(page.next().await.unwrap().is_none());
    }
}
