//! A server that reads what it is sent, answers 204, and keeps nothing.

use memchr::memmem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What came in.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) requests: AtomicUsize,
    pub(crate) bytes: AtomicUsize,
}

pub(crate) async fn serve() -> (SocketAddr, Arc<Counted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counted = Arc::new(Counted::default());
    let count = counted.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(stream, count.clone()));
        }
    });
    (address, counted)
}

async fn connection(mut stream: TcpStream, count: Arc<Counted>) {
    stream.set_nodelay(true).unwrap();
    let mut data = Vec::with_capacity(2 * 1024 * 1024);
    // A client that hangs up ends its connection.
    while let Some(length) = request(&mut stream, &mut data).await {
        count.requests.fetch_add(1, Relaxed);
        count.bytes.fetch_add(length, Relaxed);
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Reads one request; returns the bytes of its body.
async fn request(stream: &mut TcpStream, data: &mut Vec<u8>) -> Option<usize> {
    let head = loop {
        if let Some(end) = memmem::find(data, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(data).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&data[..head]).to_ascii_lowercase();
    let length: Option<usize> = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let end = match length {
        Some(length) => head + length,
        None => chunks(stream, data, head).await?,
    };
    while data.len() < end {
        if stream.read_buf(data).await.ok()? == 0 {
            return None;
        }
    }
    data.drain(..end);
    Some(end - head)
}

/// The end of a chunked body.
async fn chunks(stream: &mut TcpStream, data: &mut Vec<u8>, mut at: usize) -> Option<usize> {
    loop {
        if let Some(line) = memmem::find(&data[at.min(data.len())..], b"\r\n") {
            let size = std::str::from_utf8(&data[at..at + line]).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            at += line + 2 + size + 2;
            if size == 0 {
                return Some(at);
            }
        } else if stream.read_buf(data).await.ok()? == 0 {
            return None;
        }
    }
}
