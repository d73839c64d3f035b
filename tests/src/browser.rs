//! A real browser: Debian's chromium, driven through chromedriver, without a screen.

use crate::wait::until;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Window in which pages are looked at: a common desk screen.
const WINDOW: (u32, u32) = (1_600, 1_000);

/// A browser window. Driver and browser end when it is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    base: String,
    profile: TempDir,
    /// The window.
    pub client: Client,
}

fn program(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

impl Browser {
    /// Opens a window with nothing in it.
    ///
    /// # Panics
    /// When chromium or chromedriver is missing or does not start; `tests/run` installs both.
    pub async fn open() -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let log = profile.path().join("driver.log");
        let output = File::create(&log).expect("a log file");
        let path = program("CHROMEDRIVER", "chromedriver");
        let driver = Command::new(&path)
            .args(["--port=0", "--allowed-ips=127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn();
        let driver = driver.unwrap_or_else(|error| {
            panic!("{path}: {error}; apt-get install chromium chromium-driver, or run tests/run")
        });
        let port = until("chromedriver", async || port(&log)).await;
        let base = format!("http://127.0.0.1:{port}");
        let capabilities = capabilities(&profile);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&base)
            .await
            .expect("chromium starts");
        client
            .set_window_size(WINDOW.0, WINDOW.1)
            .await
            .expect("a window");
        Self {
            driver,
            base,
            profile,
            client,
        }
    }

    /// Goes to an address.
    ///
    /// # Panics
    /// When the page does not load.
    pub async fn visit(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    /// Types into a field, in place of what stands there.
    ///
    /// # Panics
    /// When there is no such field.
    pub async fn type_into(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field that can be written");
        field
            .send_keys(text)
            .await
            .expect("a field that can be written");
    }

    /// Chooses a file for a field, by its path.
    ///
    /// # Panics
    /// When there is no such field.
    pub async fn choose_file(&self, css: &str, path: &str) {
        // A field for files cannot be cleared, and is typed into.
        let field = self.find(css).await;
        field.send_keys(path).await.expect("a field for files");
    }

    /// Clicks.
    ///
    /// # Panics
    /// When there is nothing to click.
    pub async fn click(&self, css: &str) {
        self.find(css)
            .await
            .click()
            .await
            .expect("something to click");
    }

    async fn find(&self, css: &str) -> fantoccini::elements::Element {
        until(css, async || self.client.find(Locator::Css(css)).await).await
    }

    /// Text of the first element that fits.
    ///
    /// # Errors
    /// When there is none, with the reason.
    pub async fn text(&self, css: &str) -> Result<String, String> {
        let found = self
            .client
            .find(Locator::Css(css))
            .await
            .map_err(|e| e.to_string())?;
        found.text().await.map_err(|error| error.to_string())
    }

    /// Runs a script.
    ///
    /// # Panics
    /// When it fails.
    pub async fn script(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .expect("a script that runs")
    }

    /// Keeps a picture of the window in `target/screenshots`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let png = self.client.screenshot().await.expect("a picture");
        let path = crate::place::screenshots().join(format!("{name}.png"));
        std::fs::write(&path, png).expect("the target directory can be written");
        path
    }

    /// What the browser complained about since the last call: errors of scripts, refused
    /// resources, missing files.
    ///
    /// # Panics
    /// When the driver does not answer.
    pub async fn complaints(&self) -> Vec<String> {
        let session = self
            .client
            .session_id()
            .await
            .expect("a session")
            .expect("a session");
        let url = format!("{}/session/{session}/se/log", self.base);
        let request = reqwest::Client::new()
            .post(url)
            .json(&json!({"type": "browser"}));
        let answer = request.send().await.expect("the driver answers");
        let answer: Value = answer.json().await.expect("JSON");
        let entries = answer["value"].as_array().expect("a list of log entries");
        let bad = entries
            .iter()
            .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        bad.map(|entry| entry["message"].to_string()).collect()
    }

    /// Closes the window.
    ///
    /// # Panics
    /// When the driver does not answer.
    pub async fn close(self) {
        self.client
            .clone()
            .close()
            .await
            .expect("the window closes");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After a failure the window is still open, and the driver would leave it running.
        for id in processes_with(&self.profile.path().to_string_lossy()) {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Ids of the processes that have a text in their arguments.
fn processes_with(text: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let numbers = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let holds = |id: &String| {
        let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(text)
    };
    numbers.filter(holds).collect()
}

fn port(log: &std::path::Path) -> Result<u16, String> {
    let text = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
    let (_, after) = text
        .split_once("started successfully on port ")
        .ok_or_else(|| text.clone())?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| text)
}

fn capabilities(profile: &TempDir) -> Capabilities {
    let user_data = format!(
        "--user-data-dir={}",
        profile.path().join("profile").display()
    );
    let options = json!({
        "binary": program("CHROMIUM", "/usr/bin/chromium"),
        "args": [
            "--headless=new",
            // Containers and CI run as root, where the sandbox cannot start.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            // Nothing of the browser's own goes to the network.
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=zh-CN",
            user_data,
        ],
    });
    let mut capabilities = Capabilities::new();
    capabilities.insert("browserName".to_owned(), json!("chrome"));
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}));
    capabilities
}
