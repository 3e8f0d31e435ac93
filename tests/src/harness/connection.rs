//! One HTTP connection that asks one thing after the other, cheap enough to measure a server with.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Room for an answer's head and, mostly, its body.
const BUFFER_BYTES: usize = 64 * 1024;

/// A request, as its bytes.
#[derive(Debug, Clone)]
pub struct Request(String);

impl Request {
    /// `GET`, with an API token.
    pub fn get(path: &str, token: Option<&str>) -> Self {
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        Self(format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\n{token}\r\n"
        ))
    }

    /// `POST` with a JSON body, passed on by a proxy for an address.
    pub fn post(path: &str, body: &str, from: &str) -> Self {
        let length = body.len();
        Self(format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {from}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }
}

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Sends a request and reads its answer to the end; gives its status.
    pub async fn send(&mut self, request: &Request) -> Result<u16> {
        self.stream.write_all(request.0.as_bytes()).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled).await?;
            let bytes = &self.buffer[..filled];
            if let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        let status = text.get(9..12).context("no status")?.parse()?;
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.context("no length")?.trim().parse()?;
        let mut left = (head + length).saturating_sub(filled);
        while left > 0 {
            left = left.saturating_sub(self.read(0).await?);
        }
        Ok(status)
    }

    async fn read(&mut self, from: usize) -> Result<usize> {
        let room = self.buffer.get_mut(from..).unwrap_or_default();
        let read = self.stream.read(room).await?;
        anyhow::ensure!(read > 0, "the answer ends early");
        Ok(read)
    }
}
