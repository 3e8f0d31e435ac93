//! A proxy in front of Garage's admin socket that does to single calls what crashes and networks do.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
};

use crate::engine::lock;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The connection breaks before Garage gets the request.
    NeverArrives,
    /// Garage does it; the answer is lost.
    AnswerLost,
    /// Garage does not get it, and the caller waits for ever.
    HeldBefore,
    /// Garage does it, and the caller waits for ever.
    HeldAfter,
    /// Garage does not get it; the caller is told 503.
    Unavailable,
    /// Nothing, but only once [`Proxy::release`] is called.
    Late,
}

#[derive(Default)]
struct Plan {
    calls: Vec<String>,
    mishaps: Vec<(String, Mishap)>,
    happened: usize,
}

#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) socket: PathBuf,
    plan: Arc<Mutex<Plan>>,
    late: Arc<Semaphore>,
}

impl Proxy {
    pub(super) fn start(socket: PathBuf, garage: &Path) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let proxy = Self {
            socket,
            plan: Arc::default(),
            late: Arc::new(Semaphore::new(0)),
        };
        let (serving, garage) = (proxy.clone(), garage.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, garage.clone(), serving.clone()));
            }
        });
        proxy
    }

    /// Lets `mishap` happen to the next call of `call`.
    pub(super) fn plan(&self, call: &str, mishap: Mishap) {
        lock(&self.plan).mishaps.push((call.to_owned(), mishap));
    }

    /// How many planned mishaps have happened.
    pub(super) fn happened(&self) -> usize {
        lock(&self.plan).happened
    }

    /// Waits until so many planned mishaps have happened.
    pub(super) async fn has_happened(&self, mishaps: usize) {
        for _ in 0..3000 {
            if self.happened() >= mishaps {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the planned mishap did not happen within half a minute");
    }

    /// Lets one late call go on.
    pub(super) fn release(&self) {
        self.late.add_permits(1);
    }

    /// The calls so far, by name.
    pub(super) fn calls(&self) -> Vec<String> {
        lock(&self.plan).calls.clone()
    }

    pub(super) fn forget_calls(&self) {
        lock(&self.plan).calls.clear();
    }
}

async fn serve(mut client: UnixStream, garage: PathBuf, proxy: Proxy) {
    let plan = &proxy.plan;
    let Some(request) = read_request(&mut client).await else {
        return;
    };
    let path = String::from_utf8_lossy(&request);
    let call = path.split(' ').nth(1).unwrap_or_default();
    let call = call
        .trim_start_matches("/v2/")
        .split('?')
        .next()
        .unwrap_or_default()
        .to_owned();
    let mishap = {
        let mut plan = lock(plan);
        plan.calls.push(call.clone());
        let planned = plan.mishaps.iter().position(|(name, _)| *name == call);
        planned.map(|at| plan.mishaps.remove(at).1)
    };
    if mishap == Some(Mishap::Late) {
        lock(plan).happened += 1;
        proxy.late.acquire().await.unwrap().forget();
        let answer = forward(&garage, &request).await;
        let _ = client.write_all(&answer).await;
        return;
    }
    let answer = match mishap {
        Some(Mishap::NeverArrives | Mishap::HeldBefore | Mishap::Unavailable) => None,
        Some(Mishap::AnswerLost | Mishap::HeldAfter | Mishap::Late) | None => {
            Some(forward(&garage, &request).await)
        }
    };
    if mishap.is_some() {
        lock(plan).happened += 1;
    }
    match (mishap, answer) {
        (None, Some(answer)) => {
            let _ = client.write_all(&answer).await;
        }
        (Some(Mishap::HeldBefore | Mishap::HeldAfter), _) => {
            // Until the caller goes away.
            let mut byte = [0];
            let _ = client.read(&mut byte).await;
        }
        (Some(Mishap::Unavailable), _) => {
            let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
            let _ = client.write_all(answer).await;
        }
        (Some(Mishap::NeverArrives | Mishap::AnswerLost | Mishap::Late) | None, _) => {}
    }
}

async fn read_request(client: &mut UnixStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let end = request.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= end + 4 + length {
                return Some(request);
            }
        }
        let mut chunk = [0; 4096];
        match client.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.extend(&chunk[..read]),
        }
    }
}

async fn forward(garage: &Path, request: &[u8]) -> Vec<u8> {
    let mut upstream = UnixStream::connect(garage).await.unwrap();
    upstream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await.unwrap();
    answer
}
