//! The built `cemsd` as a process of its own.

use crate::wait::{SOON, until_within};
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Longest wait for an orderly stop.
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// Lines of the log shown when a test fails.
const LOG_LINES_SHOWN: usize = 40;

/// The built program: `CEMSD_BIN` when set (as `tests/run` does), else cargo builds it once in the
/// profile of the tests. A package's tests have no word of another package's programs.
///
/// # Panics
/// When it does not build.
pub fn cemsd() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(path) = std::env::var_os("CEMSD_BIN") {
            return PathBuf::from(path);
        }
        let profile = crate::place::profile_directory();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--locked", "-p", "cems-daemon", "--bin", "cemsd"]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        build
            .arg("--target-dir")
            .arg(profile.parent().expect("target/PROFILE"));
        let built = build.current_dir(crate::place::root()).status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "cemsd does not build"
        );
        profile.join("cemsd")
    })
}

/// Runs `cemsd` to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(cemsd())
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cemsd starts");
    let mut stdin = child.stdin.take().expect("piped");
    std::thread::scope(|scope| {
        // A pipe holds 64 KiB: writing and reading must go side by side. A program that ends
        // before it has read everything closes the pipe; the test looks at what it said.
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("cemsd ends")
    })
}

/// Runs `cemsd` on a directory with `--json`, and gives exit success and the object printed.
///
/// # Panics
/// When it prints no JSON.
pub fn run_json(command: &str, directory: &Path) -> (bool, Value) {
    let directory = directory
        .to_str()
        .expect("temporary directories have plain names");
    let output = run(&[command, "--json", directory], b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match serde_json::from_str(text.trim()) {
        Ok(object) => (output.status.success(), object),
        Err(error) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            panic!("cemsd {command} --json printed no JSON ({error}): {text:?}; {stderr}")
        }
    }
}

/// Asserts that the books of a stopped daemon hold: the hash chain verifies, and projections made
/// anew are the same, byte for byte.
///
/// # Panics
/// When they do not hold.
pub fn assert_books_hold(data: &Path) {
    let (sound, report) = run_json("verify", data);
    assert!(sound && report["ok"] == true, "cemsd verify: {report:#}");
    let (same, report) = run_json("rebuild", data);
    assert!(
        same && report["identical"] == true,
        "cemsd rebuild: {report:#}"
    );
}

/// A running daemon. It is killed when dropped; its log is shown when the test fails.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
    /// Where loggers connect.
    pub hj212: SocketAddr,
    /// Where the console is.
    pub console: SocketAddr,
}

impl Daemon {
    /// Starts `cemsd run --config FILE` and waits until `/readyz` says yes.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start(config: &Path) -> Self {
        let mut command = Command::new(cemsd());
        command.args(["run", "--config"]).arg(config);
        Self::start_command(command, config.with_extension("log")).await
    }

    /// Starts a command that runs `cemsd run` with JSON logs on standard error.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start_command(mut command: Command, log: PathBuf) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let before = lines(&log).len();
        let child = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("cemsd starts");
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut daemon = Self {
            child,
            log,
            hj212: unknown,
            console: unknown,
        };
        let up = until_within(SOON, "cemsd at work", async || {
            let log = lines(&daemon.log);
            let ended = daemon.child.try_wait().expect("our own child");
            match log
                .iter()
                .skip(before)
                .find(|line| says(line, "cemsd is at work"))
            {
                Some(line) => Ok(line["fields"].clone()),
                None if ended.is_some() => panic!("cemsd ended: {ended:?}\n{}", daemon.log_end()),
                None => Err(log),
            }
        })
        .await;
        daemon.hj212 = address(&up["hj212"]);
        daemon.console = address(&up["console"]);
        daemon.ready().await;
        daemon
    }

    async fn ready(&self) {
        let url = format!("http://{}/readyz", self.console);
        until_within(SOON, "/readyz", async || {
            let answer = reqwest::get(&url)
                .await
                .map_err(|error| error.to_string())?;
            if answer.status().is_success() {
                Ok(())
            } else {
                Err(answer.status().to_string())
            }
        })
        .await;
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, in the middle of whatever it does (SIGKILL).
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    /// Asks it to stop (SIGTERM) and waits for its end.
    ///
    /// # Panics
    /// When it does not stop in time.
    pub async fn stop(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "SIGTERM could not be sent"
        );
        until_within(STOP_PATIENCE, "the daemon's end", async || {
            self.child
                .try_wait()
                .expect("our own child")
                .ok_or("it runs")
        })
        .await
    }

    /// Lines of its log that say `message`.
    pub fn logged(&self, message: &str) -> Vec<Value> {
        lines(&self.log)
            .into_iter()
            .filter(|line| says(line, message))
            .collect()
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            crate::wait::say(&format!(
                "end of {}:\n{}",
                self.log.display(),
                self.log_end()
            ));
        }
    }
}

fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn says(line: &Value, message: &str) -> bool {
    line["fields"]["message"]
        .as_str()
        .is_some_and(|text| text.contains(message))
}

/// The first address of a field such as `127.0.0.1:4711` or `[127.0.0.1:4711, …]`.
fn address(field: &Value) -> SocketAddr {
    let text = field
        .as_str()
        .map_or_else(|| field.to_string(), str::to_owned);
    let first = text.split(',').next().unwrap_or_default();
    let bare = first.trim_matches(|c: char| !c.is_ascii_digit());
    bare.parse()
        .unwrap_or_else(|_| panic!("not an address in the log: {text}"))
}
