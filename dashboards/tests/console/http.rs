//! The console over canned data on a port of its own, and a small HTTP client to ask it.

use cems_core::model::Role;
use cems_dashboards::canned::Canned;
use cems_dashboards::{ConsoleOptions, router};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running console.
pub(crate) struct Console {
    pub(crate) backend: Arc<Canned>,
    pub(crate) address: SocketAddr,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Value of a header, empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// A request to be sent.
pub(crate) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            line: format!("GET {path} HTTP/1.1"),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A form as a browser on one of our pages sends it.
    pub(crate) fn form(path: &str, body: &str) -> Self {
        Self {
            line: format!("POST {path} HTTP/1.1"),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
    }

    /// A form with files as a browser sends it: fields, then files by name and content.
    pub(crate) fn upload(path: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Self {
        const BOUNDARY: &str = "----console-test";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        for (name, content) in files {
            let head = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"files\"; \
                 filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        Self {
            line: format!("POST {path} HTTP/1.1"),
            headers: Vec::new(),
            body,
        }
        .header(
            "content-type",
            &format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .header("sec-fetch-site", "same-origin")
    }

    /// A program's JSON.
    pub(crate) fn json(path: &str, body: &serde_json::Value) -> Self {
        Self {
            line: format!("POST {path} HTTP/1.1"),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
        .header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// With the session of a role and a language.
    pub(crate) fn visit(self, role: Role, lang: &str) -> Self {
        let cookie = format!("cems_lang={lang}; cems_session={}", Canned::token(role));
        self.header("cookie", &cookie)
    }

    /// With the API token of a role.
    pub(crate) fn bearer(self, role: Role) -> Self {
        self.header("authorization", &format!("Bearer {}", Canned::token(role)))
    }

    fn bytes(&self, close: bool) -> Vec<u8> {
        let mut text = format!("{}\r\nhost: console.test\r\n", self.line);
        if close {
            text.push_str("connection: close\r\n");
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Console {
    pub(crate) async fn start() -> Self {
        Self::start_with(ConsoleOptions::default()).await
    }

    pub(crate) async fn start_with(options: ConsoleOptions) -> Self {
        let backend = Arc::new(Canned::new());
        let service = router(backend.clone(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { backend, address }
    }

    /// Sends a request and reads all of the answer.
    pub(crate) async fn ask(&self, request: Request) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&request.bytes(true)).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunk(body)
        } else {
            body.to_owned()
        };
        Answer {
            status,
            head: head.to_owned(),
            body,
        }
    }

    /// Opens a stream and hands over its connection after the request.
    pub(crate) async fn open(&self, request: Request) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&request.bytes(false)).await.unwrap();
        stream
    }
}

fn unchunk(body: &str) -> String {
    let (mut rest, mut out) = (body, String::new());
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        out.push_str(&tail[..size]);
        rest = tail[size..].trim_start_matches("\r\n");
    }
    out
}

/// Reads until `wanted` has been seen; the test's own time limit ends a stream that never says it.
pub(crate) async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    let reading = async {
        while !seen.contains(wanted) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the stream ended before {wanted}: {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    };
    let limit = std::time::Duration::from_secs(20);
    let result = tokio::time::timeout(limit, reading).await;
    assert!(result.is_ok(), "no {wanted} within {limit:?}");
    seen
}
