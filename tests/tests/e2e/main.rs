//! The program from outside: bytes on sockets, answers of the API, a browser, a killed process, a
//! full disk. Few and heavy; what can be said about a part is tested beside the part.
//!
//! Every story starts its own `cemsd` on free ports in its own directory, so all run side by side.

mod alarms;
mod archive;
mod commands;
mod config;
mod day;
mod demo;
mod desk;
mod duties;
mod fallback;
mod frames;
mod fulldisk;
mod grafana;
mod hostile;
mod inside;
mod instruments;
mod judgement;
mod mqtt;
mod notify;
mod numbers;
mod orders;
mod outgoing;
mod published;
mod series;
mod sigkill;
mod spine;
mod uplink;
mod why;

mod browser;

use cems_tests::api::Api;
use cems_tests::city::{City, DUTY_TOKEN};
use cems_tests::process::Daemon;
use std::path::PathBuf;
use tempfile::TempDir;

/// A running daemon with its directory and a program of the duty desk.
struct Town {
    directory: TempDir,
    config: PathBuf,
    daemon: Daemon,
    api: Api,
}

impl Town {
    async fn start(city: &City) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = city.write(directory.path());
        Self::open(directory, config).await
    }

    /// A daemon on a settings file that is there already.
    async fn open(directory: TempDir, config: PathBuf) -> Self {
        let daemon = Daemon::start(&config).await;
        let api = Api::new(daemon.console, DUTY_TOKEN);
        Self {
            directory,
            config,
            daemon,
            api,
        }
    }

    /// A program with another token.
    fn api_of(&self, token: &str) -> Api {
        Api::new(self.daemon.console, token)
    }

    /// The data directory.
    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts it again after it was stopped or killed, on new ports.
    async fn restart(&mut self) {
        self.daemon = Daemon::start(&self.config).await;
        self.api = Api::new(self.daemon.console, DUTY_TOKEN);
    }
}
