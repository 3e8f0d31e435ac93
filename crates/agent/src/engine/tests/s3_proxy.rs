//! A proxy in front of Garage's S3 that holds requests back, counts them, or refuses some.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::engine::lock;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// ListObjectsV2.
    List,
    /// DeleteObjects and DeleteObject.
    Delete,
}

#[derive(Clone)]
pub(super) struct S3Proxy {
    pub(super) endpoint: String,
    seen: Arc<Mutex<Vec<Kind>>>,
    /// How many of each may pass in all.
    lists: watch::Sender<usize>,
    deletes: watch::Sender<usize>,
    refusals: Arc<AtomicUsize>,
}

impl S3Proxy {
    pub(super) async fn start(garage_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
            lists: watch::channel(usize::MAX).0,
            deletes: watch::channel(usize::MAX).0,
            refusals: Arc::default(),
        };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let proxy = serving.clone();
                tokio::spawn(async move { proxy.serve(client, garage_port).await });
            }
        });
        proxy
    }

    /// Lets so many requests pass from now on, and holds the others back.
    pub(super) fn allow(&self, kind: Kind, more: usize) {
        let allowed = self.count(kind).saturating_add(more);
        self.allowed(kind).send_replace(allowed);
    }

    /// Answers the next requests with 503.
    pub(super) fn refuse(&self, requests: usize) {
        self.refusals.store(requests, Ordering::SeqCst);
    }

    /// How many there were, those that are held among them.
    pub(super) fn count(&self, kind: Kind) -> usize {
        lock(&self.seen)
            .iter()
            .filter(|seen| **seen == kind)
            .count()
    }

    fn allowed(&self, kind: Kind) -> &watch::Sender<usize> {
        match kind {
            Kind::List => &self.lists,
            Kind::Delete => &self.deletes,
        }
    }

    async fn serve(&self, mut client: TcpStream, garage_port: u16) {
        let mut head = Vec::new();
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            let mut chunk = [0; 4096];
            match client.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(read) => head.extend(&chunk[..read]),
            }
        }
        let kind = if head.starts_with(b"GET ") {
            Kind::List
        } else {
            Kind::Delete
        };
        let number = {
            let mut seen = lock(&self.seen);
            seen.push(kind);
            seen.iter().filter(|seen| **seen == kind).count()
        };
        let mut allowed = self.allowed(kind).subscribe();
        allowed
            .wait_for(|allowed| *allowed >= number)
            .await
            .unwrap();
        let refused = self
            .refusals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if refused.is_ok() {
            let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
            let _ = client.write_all(answer).await;
            return;
        }
        let mut garage = TcpStream::connect(("127.0.0.1", garage_port))
            .await
            .unwrap();
        garage.write_all(&head).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut garage).await;
    }
}
