//! What stands between the daemon and the database, and has its whims.

use cems_tests::wait::SOON;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What it does with a write.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Whim {
    /// Hands it on.
    #[default]
    Pass,
    /// Hangs up.
    Cut,
    /// Answers with a status, some headers and words, and hands nothing on.
    Say(&'static str, &'static str),
    /// Answers 400 when a line holds both words.
    Dislike(String, String),
    /// Hands it on and keeps the answer until it has another whim; then hangs up.
    Hold,
}

/// A proxy with one whim at a time.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    whim: watch::Sender<Whim>,
    far: Arc<Mutex<String>>,
    seen: Arc<Mutex<Seen>>,
}

/// What came through.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Requests, whatever became of them.
    pub(super) asked: usize,
    /// Requests that the database took.
    pub(super) passed: usize,
    /// `Authorization` of the last one.
    pub(super) token: String,
}

/// A request as it came.
struct Request {
    path: String,
    token: String,
    body: Vec<u8>,
}

impl Proxy {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let proxy = Self {
            address: listener.local_addr().expect("bound"),
            whim: watch::Sender::new(Whim::Pass),
            far: Arc::default(),
            seen: Arc::default(),
        };
        let (whim, far) = (proxy.whim.subscribe(), Arc::clone(&proxy.far));
        let seen = Arc::clone(&proxy.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (whim, far, seen) = (whim.clone(), Arc::clone(&far), Arc::clone(&seen));
                tokio::spawn(serve(stream, whim, far, seen));
            }
        });
        proxy
    }

    /// Leads to the database at this port from now on.
    pub(super) fn lead(&self, port: u16) {
        *self.far.lock().expect("no panic there") = format!("http://127.0.0.1:{port}");
    }

    pub(super) fn set(&self, whim: Whim) {
        self.whim.send_replace(whim);
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().expect("no panic there").clone()
    }
}

async fn serve(
    stream: TcpStream,
    mut whim: watch::Receiver<Whim>,
    far: Arc<Mutex<String>>,
    seen: Arc<Mutex<Seen>>,
) {
    let mut stream = BufReader::new(stream);
    let http = reqwest::Client::new();
    while let Some(request) = request(&mut stream).await {
        let now = whim.borrow_and_update().clone();
        {
            let mut seen = seen.lock().expect("no panic there");
            seen.asked += 1;
            seen.token.clone_from(&request.token);
        }
        let answer = match &now {
            Whim::Cut => return,
            Whim::Say(status, rest) => format!("HTTP/1.1 {status}\r\n{rest}"),
            Whim::Dislike(one, other) if bad(&request.body, one, other) => {
                let said = "unable to parse: the proxy dislikes it";
                format!(
                    "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{said}",
                    said.len()
                )
            }
            Whim::Pass | Whim::Hold | Whim::Dislike(..) => {
                let far = far.lock().expect("no panic there").clone();
                let post = http.post(format!("{far}{}", request.path));
                // A database that dies takes the connection of the daemon with it.
                let Ok(answer) = post.body(request.body).timeout(SOON).send().await else {
                    return;
                };
                let status = answer.status().as_u16();
                assert_eq!(status, 204, "{:?}", answer.text().await);
                seen.lock().expect("no panic there").passed += 1;
                "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
            }
        };
        if now == Whim::Hold {
            let _ = whim.changed().await;
            return;
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn bad(body: &[u8], one: &str, other: &str) -> bool {
    let text = String::from_utf8_lossy(body);
    text.lines()
        .any(|line| line.contains(one) && line.contains(other))
}

async fn request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok().filter(|n| *n > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let (mut length, mut token) = (0, String::new());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => value.clone_into(&mut token),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { path, token, body })
}
