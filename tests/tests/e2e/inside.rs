//! The daemon inside the test's own process, with a clock of its own: what takes hours in the
//! field takes seconds here, on a date that is always the same.

use cems_daemon::app::{App, Start};
use cems_daemon::clock::Clock;
use cems_tests::api::Api;
use cems_tests::city::{City, DUTY_TOKEN, JIA_TOKEN};
use cems_tests::logger::{Frame, Logger};
use cems_tests::time::Moment;
use tempfile::TempDir;

/// A daemon in this process.
pub(crate) struct Inside {
    directory: TempDir,
    speed: u32,
    app: App,
    /// A program of the duty desk.
    pub(crate) duty: Api,
    /// A program of the enterprise.
    pub(crate) jia: Api,
    /// A logger's connection.
    pub(crate) logger: Logger,
}

impl Inside {
    /// Starts at a moment; simulated time runs `speed` times as fast as real time.
    pub(crate) async fn start(city: &City, at: Moment, speed: u32) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        city.write(directory.path());
        Self::open(directory, at, speed).await
    }

    /// Starts on a directory that holds its settings already.
    pub(crate) async fn open(directory: TempDir, at: Moment, speed: u32) -> Self {
        let checked = match cems_config::load(&directory.path().join("cemsd.toml")) {
            Ok(checked) => checked,
            Err(problems) => panic!("{problems}"),
        };
        let clock = Clock::simulated(cems_core::model::Timestamp(at.0), speed);
        let start = Start {
            checked,
            clock,
            demo: None,
        };
        let app = App::start(start).await.expect("the daemon starts");
        let logger = Logger::connect(app.hj212_addresses()[0])
            .await
            .expect("the port is open");
        Self {
            directory,
            speed,
            duty: Api::new(app.console_address(), DUTY_TOKEN),
            jia: Api::new(app.console_address(), JIA_TOKEN),
            app,
            logger,
        }
    }

    /// Stops in order and starts again on the same books, at the moment of the stop.
    pub(crate) async fn restart(self) -> Self {
        let at = self.now();
        self.restart_at(at).await
    }

    /// The same, but starts at a later moment: nobody ran meanwhile.
    pub(crate) async fn restart_at(self, at: Moment) -> Self {
        let Self {
            directory,
            speed,
            app,
            ..
        } = self;
        app.stop().await.expect("an orderly stop");
        Self::open(directory, at, speed).await
    }

    /// The daemon's time.
    pub(crate) fn now(&self) -> Moment {
        Moment(self.app.clock().now().0)
    }

    /// Where the console is.
    pub(crate) fn console(&self) -> std::net::SocketAddr {
        self.app.console_address()
    }

    /// Everything the daemon keeps.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Address of a page.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.console_address())
    }

    /// Sends a data frame and waits for its answer.
    pub(crate) async fn send(&mut self, mn: &str, cn: &str, at: Moment, fields: &str) {
        let cp = format!("DataTime={};{fields}", at.digits());
        self.logger
            .send(Frame::new(mn, cn, &cp).text())
            .await
            .expect("sent");
        assert!(self.logger.answer().await.contains("CN=9014;"));
    }

    /// Sends the minutes of an hour.
    pub(crate) async fn send_hour(&mut self, mn: &str, hour: Moment, fields: &str) {
        let minute = |n| (hour.plus_minutes(n), fields.to_owned());
        let minutes: Vec<_> = (0..60).map(minute).collect();
        self.send_many(mn, "2051", &minutes).await;
    }

    /// Sends data frames one behind the other, and waits for their answers.
    pub(crate) async fn send_many(&mut self, mn: &str, cn: &str, frames: &[(Moment, String)]) {
        for (at, fields) in frames {
            let cp = format!("DataTime={};{fields}", at.digits());
            self.logger
                .send(Frame::new(mn, cn, &cp).text())
                .await
                .expect("sent");
        }
        for _ in frames {
            assert!(self.logger.answer().await.contains("CN=9014;"));
        }
    }

    /// A program with another token.
    pub(crate) fn api(&self, token: &str) -> Api {
        Api::new(self.app.console_address(), token)
    }

    /// Stops in order.
    pub(crate) async fn stop(self) {
        self.close().await;
    }

    /// Stops in order and gives the directory, to be looked at from outside.
    pub(crate) async fn close(self) -> TempDir {
        self.app.stop().await.expect("an orderly stop");
        self.directory
    }
}
