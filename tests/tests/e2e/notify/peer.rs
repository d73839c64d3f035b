//! Others' programs, certificates for them, and a receiver of ours.

use cems_tests::wait::until;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A program of others; it ends with its owner.
pub(crate) struct Peer(pub(crate) Child);

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs it")))
    }

    /// Ends it at once (SIGKILL).
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("our own child");
        self.0.wait().expect("our own child");
    }

    /// Asks it to end, and waits until it has printed everything.
    pub(crate) async fn ended(mut self) {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.is_ok_and(|status| status.success()));
        until("its end", async || {
            let ended = self.0.try_wait().expect("our own child");
            ended.map(|_| ()).ok_or("it runs")
        })
        .await;
    }

    /// The lines it prints, read by a thread.
    pub(crate) fn lines(&mut self) -> Lines {
        let stdout = self.0.stdout.take().expect("piped");
        let lines = Lines::default();
        let kept = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                kept.0.lock().expect("no panic there").push_back(line);
            }
        });
        lines
    }
}

/// Lines that a program has printed.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<VecDeque<String>>>);

impl Lines {
    /// Whether a line that begins like this has come; those before it are passed over.
    pub(crate) fn any(&self, beginning: &str) -> bool {
        let mut lines = self.0.lock().expect("no panic there");
        let place = lines.iter().position(|line| line.starts_with(beginning));
        if let Some(place) = place {
            lines.drain(..=place);
        }
        place.is_some()
    }

    /// The next one, if there is one.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().expect("no panic there").pop_front()
    }

    /// The next one.
    pub(crate) async fn next(&self, what: &str) -> String {
        until(what, async || {
            let mut lines = self.0.lock().expect("no panic there");
            lines.pop_front().ok_or("no line yet")
        })
        .await
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Waits until somebody listens.
pub(crate) async fn listening(port: u16) {
    until("a listener", async || {
        TcpStream::connect(("127.0.0.1", port)).await.map(|_| ())
    })
    .await;
}

fn openssl(directory: &Path, arguments: &[&str]) {
    let done = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .stderr(Stdio::null())
        .status()
        .expect("openssl is there: tests/run installs it");
    assert!(done.success(), "openssl {arguments:?}");
}

/// An authority of these tests with a certificate for 127.0.0.1: `ca.pem`, `server.pem`,
/// `server.key` in a directory.
pub(crate) fn certificates(directory: &Path) -> PathBuf {
    let openssl = |arguments: &[&str]| openssl(directory, arguments);
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let mut ca = vec!["req", "-x509", "-days", "2", "-subj", "/CN=test authority"];
    ca.extend(key);
    ca.extend(["-keyout", "ca.key", "-out", "ca.pem"]);
    openssl(&ca);
    let mut request = vec!["req", "-subj", "/CN=127.0.0.1"];
    request.extend(key);
    request.extend(["-keyout", "server.key", "-out", "server.csr"]);
    openssl(&request);
    let names = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n";
    std::fs::write(directory.join("names"), names).expect("written");
    sign(directory, "2");
    directory.to_owned()
}

/// The authority signs the certificate of `127.0.0.1` (again), for some days from now on; what is
/// signed for less than none has expired.
pub(crate) fn sign(directory: &Path, days: &str) {
    let mut arguments = vec!["x509", "-req", "-days", days, "-in", "server.csr"];
    arguments.extend(["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]);
    arguments.extend(["-extfile", "names", "-out", "server.pem"]);
    openssl(directory, &arguments);
}

/// A file that only its owner may read.
pub(crate) fn secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("written");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("our own file");
}

/// A request that a [`Sink`] has taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) key: String,
    pub(crate) body: Vec<u8>,
}

/// A receiver of webhooks that follows a plan.
pub(crate) struct Sink {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    refused: Arc<Mutex<usize>>,
}

/// What a sink does with a request, by its number from 0.
pub(crate) type Plan = fn(usize) -> Answer;

/// What it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// 200.
    Take,
    /// 500.
    Fail,
    /// Takes it, and answers only after this time.
    Hold(Duration),
}

impl Sink {
    pub(crate) async fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let sink = Self {
            url,
            taken: Arc::default(),
            refused: Arc::default(),
        };
        let (taken, refused) = (Arc::clone(&sink.taken), Arc::clone(&sink.refused));
        let count = Arc::new(Mutex::new(0));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (taken, refused) = (Arc::clone(&taken), Arc::clone(&refused));
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    // A daemon that is killed cuts its connection.
                    let _ = serve(stream, plan, &count, &taken, &refused).await;
                });
            }
        });
        sink
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().expect("no panic there").clone()
    }

    pub(crate) fn refused(&self) -> usize {
        *self.refused.lock().expect("no panic there")
    }
}

async fn serve(
    stream: TcpStream,
    plan: Plan,
    count: &Mutex<usize>,
    taken: &Mutex<Vec<Taken>>,
    refused: &Mutex<usize>,
) -> std::io::Result<()> {
    let mut stream = tokio::io::BufReader::new(stream);
    loop {
        let (mut length, mut key) = (0, String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.trim_end().split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap_or(0),
                    "cems-key" => value.clone_into(&mut key),
                    _ => {}
                }
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let number = {
            let mut count = count.lock().expect("no panic there");
            *count += 1;
            *count - 1
        };
        let answer = plan(number);
        let status = if matches!(answer, Answer::Fail) {
            *refused.lock().expect("no panic there") += 1;
            "500 Internal Server Error"
        } else {
            taken
                .lock()
                .expect("no panic there")
                .push(Taken { key, body });
            "200 OK"
        };
        if let Answer::Hold(pause) = answer {
            tokio::time::sleep(pause).await;
        }
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
        stream.write_all(head.as_bytes()).await?;
    }
}
