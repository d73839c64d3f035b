//! `cemsd demo --feed`: a database of series and a broker of others beside the demo, so that data
//! are seen to go out.
//!
//! They are Debian's own programs, started on free ports of the loopback with their files in the
//! demo's directory, and fed through ordinary `[[destination]]` settings. What is not installed is
//! said, with the command that installs it; nothing is fetched.

use anyhow::{Context, bail};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longest wait for a program to listen: a database opens its books first.
const UP_WITHIN: Duration = Duration::from_secs(30);
/// How long a program may take to end in order before it is killed.
const DOWN_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait for an answer on the loopback.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Memory the database may use, bytes.
const DATABASE_BYTES: u32 = 256 * 1024 * 1024;
/// Where programs are looked for besides `PATH`: servers lie where a user's `PATH` does not lead.
const PLACES: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// A kind of program that takes data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taker {
    /// VictoriaMetrics.
    Series,
    /// Mosquitto.
    Broker,
}

impl Taker {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Series, Self::Broker];

    /// What the program may be called.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Series => &["victoria-metrics", "victoria-metrics-prod"],
            Self::Broker => &["mosquitto"],
        }
    }

    /// Its packages in Debian and Ubuntu; the broker's clients show what comes.
    pub(super) fn packages(self) -> &'static str {
        match self {
            Self::Series => "victoria-metrics",
            Self::Broker => "mosquitto mosquitto-clients",
        }
    }

    /// What it is, Chinese and English.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Series => ("时序数据库", "database of series"),
            Self::Broker => ("MQTT 消息代理", "MQTT broker"),
        }
    }

    /// Its name for scripts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Broker => "mqtt",
        }
    }

    /// The command that starts it on `port` with its files in `dir`.
    fn command(self, program: &Path, dir: &Path, port: u16) -> std::io::Result<Command> {
        let mut command = bound(program);
        match self {
            Self::Series => {
                // The last point of each second is shown, which is how corrections show.
                command
                    .arg(format!("-storageDataPath={}", dir.join("books").display()))
                    .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
                    .arg(format!("-memory.allowedBytes={DATABASE_BYTES}"))
                    .args(["-retentionPeriod=100y", "-dedup.minScrapeInterval=1s"]);
            }
            Self::Broker => {
                let settings = dir.join("mosquitto.conf");
                // Started by root it stays what it is, since the directory is the demo's alone.
                let text = format!(
                    "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n\
                     user root\n"
                );
                std::fs::write(&settings, text)?;
                command.arg("-c").arg(settings);
            }
        }
        Ok(command)
    }

    /// The destination that feeds it at `port`.
    pub(super) fn settings(self, port: u16) -> String {
        match self {
            Self::Series => format!(
                "[[destination]]\nid = \"demo-series\"\nkind = \"influx\"\n\
                 url = \"http://127.0.0.1:{port}\"\nbucket = \"cems\"\ncorrections = \"later\"\n\n"
            ),
            Self::Broker => format!(
                "[[destination]]\nid = \"demo-mqtt\"\nkind = \"mqtt\"\n\
                 server = \"127.0.0.1:{port}\"\ntls = false\n\n"
            ),
        }
    }
}

/// A running program; it ends when this is dropped, and with the demo, however that ends.
pub(super) struct Running {
    pub(super) taker: Taker,
    pub(super) port: u16,
    /// The database has a page for people; Debian's is built without.
    page: bool,
    child: Child,
}

/// What takes the demo's data.
#[derive(Default)]
pub(super) struct Feeds {
    pub(super) running: Vec<Running>,
    pub(super) missing: Vec<Taker>,
}

impl Feeds {
    /// Starts what is installed, with its files below `dir`. Call it on the thread that lives as
    /// long as the demo: the kernel ends the programs when the thread that started them is gone.
    ///
    /// # Errors
    /// When a program that is there does not start; its own words are in the file that is named.
    pub(super) async fn start(dir: &Path) -> anyhow::Result<Self> {
        let mut feeds = Self::default();
        for taker in Taker::ALL {
            match find(taker.programs()) {
                Some(program) => {
                    let place = dir.join("feed").join(taker.name());
                    feeds
                        .running
                        .push(Running::start(taker, &program, &place).await?);
                }
                None => feeds.missing.push(taker),
            }
        }
        Ok(feeds)
    }

    /// The settings that feed them: the text of a file of destinations, empty without any.
    pub(super) fn settings(&self) -> String {
        let each = self.running.iter();
        each.map(|running| running.taker.settings(running.port))
            .collect()
    }
}

impl Running {
    async fn start(taker: Taker, program: &Path, dir: &Path) -> anyhow::Result<Self> {
        let name = program.display();
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create the directory {}", dir.display()))?;
        let port = free_port()?;
        let log = dir.join("log");
        let output = std::fs::File::create(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = taker
            .command(program, dir, port)
            .and_then(|mut command| {
                command
                    .stdin(Stdio::null())
                    .stdout(output.try_clone()?)
                    .stderr(output)
                    .spawn()
            })
            .with_context(|| format!("{name} cannot be started"))?;
        let mut running = Self {
            taker,
            port,
            page: false,
            child,
        };
        let began = Instant::now();
        while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
        {
            if let Some(status) = running.child.try_wait()? {
                let said = said(&log);
                bail!("{name} ended at once ({status}): {said}");
            }
            if began.elapsed() > UP_WITHIN {
                let said = said(&log);
                bail!("{name} does not listen on 127.0.0.1:{port}: {said}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        running.page = taker == Taker::Series && is_served(port, "/vmui/").await;
        Ok(running)
    }

    /// Where to look, ready to be opened or run.
    pub(super) fn look(&self) -> String {
        let port = self.port;
        match (self.taker, self.page) {
            (Taker::Series, true) => {
                format!("http://127.0.0.1:{port}/vmui/#/?g0.expr=cems_value")
            }
            (Taker::Series, false) => {
                format!("http://127.0.0.1:{port}/api/v1/query?query=cems_value")
            }
            (Taker::Broker, _) => {
                format!("mosquitto_sub -h 127.0.0.1 -p {port} -v -t 'cems/#'")
            }
        }
    }
}

/// Whether a server of the loopback has something at a path.
async fn is_served(port: u16, path: &str) -> bool {
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head.ends_with(b" 200"))
    };
    let answer = tokio::time::timeout(ANSWER_WITHIN, ask).await;
    matches!(answer, Ok(Ok(true)))
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let began = Instant::now();
        while asked.is_ok() && began.elapsed() < DOWN_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        // One that is gone already cannot be killed, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last line that a program wrote, for a message.
fn said(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("it said nothing").to_owned()
}

/// The program so that it ends with us even when we are killed, where util-linux can arrange that.
fn bound(program: &Path) -> Command {
    match find(&["setpriv"]) {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// The first program of these names that there is.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(PLACES.iter().map(PathBuf::from))
        .collect();
    let mut all = names
        .iter()
        .flat_map(|name| places.iter().map(move |place| place.join(name)));
    all.find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let meta = std::fs::metadata(path);
    meta.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A port that nobody listens on now.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_none_is_made_up() {
        assert!(find(&["sh"]).is_some_and(|path| path.is_absolute()));
        assert!(find(&["no-such-program-here", "sh"]).is_some());
        assert_eq!(find(&["no-such-program-here"]), None);
    }

    #[tokio::test]
    async fn a_program_that_ends_says_why() {
        let dir = tempfile::tempdir().expect("a directory");
        let program = find(&["false"]).expect("coreutils");
        let error = match Running::start(Taker::Broker, &program, dir.path()).await {
            Ok(_) => panic!("it listens on nothing"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains("ended at once"), "{error}");
    }
}
