//! `cemsd demo`: a fictional city on one machine. The centre is the daemon as `cemsd run` starts
//! it; the loggers are simulated and speak to it over real TCP.
//!
//! `city` is the cast, `story` when things happen, `settings` the same as files, `history` the
//! weeks before the start, `upkeep` what people entered in them, `life` what goes on afterwards.
//! `feed` starts programs of others that take the data, when it is asked to.

mod city;
mod desk;
mod feed;
mod history;
mod life;
mod people;
mod permits;
mod screen;
mod settings;
mod site;
mod story;
mod upkeep;

use crate::app::{App, Places, Start, journal_options};
use crate::clock::Clock;
use crate::journal::Journal;
use crate::telemetry;
use anyhow::{Context, bail, ensure};
use cems_config::Checked;
use cems_core::model::Timestamp;
use cems_core::model::time::SECOND_MS;
use cems_dashboards::{DemoAccount, DemoBanner};
use city::Resident;
use feed::Feeds;
use history::Past;
use life::Life;
use people::Login;
use screen::Screen;
use settings::{Expected, Ports, Settings};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use story::Story;
use tokio::signal::unix::{SignalKind, signal};

/// What the demo is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many times faster than real time simulated time runs.
    pub speed: u32,
    /// Where the data stay; `None`: a temporary directory.
    pub data: Option<PathBuf>,
    /// Port of the console; 0: any.
    pub console_port: u16,
    /// Port of HJ 212; 0: any.
    pub hj212_port: u16,
    /// Days of hour records at the first start.
    pub history_days: u32,
    /// Stop after this long.
    pub exit_after: Option<Duration>,
    /// Start a database of series and a broker, those that are installed, and feed them.
    pub feed: bool,
    /// Print addresses and log-ins as one JSON object.
    pub json: bool,
}

/// Runs the demo until it is told to stop.
///
/// # Errors
/// When a port is taken, the directory cannot be used, or its data are not the demo's.
pub async fn run(options: Options) -> anyhow::Result<()> {
    port_is_free(options.console_port, "--port")?;
    port_is_free(options.hj212_port, "--hj212-port")?;
    let dir = Directory::of(options.data.as_deref())?;
    let mut stop = Stop::listen()?;
    // Dropped after everything else here: they take data to the end.
    let feeds = match options.feed {
        true => Some(Feeds::start(&dir.path).await?),
        false => None,
    };
    let mut prepare = {
        let (options, path) = (options.clone(), dir.path.clone());
        let stopped = Arc::clone(&stop.asked);
        let fed = feeds.as_ref().map_or_else(String::new, Feeds::settings);
        tokio::task::spawn_blocking(move || Prepared::prepare(&options, &path, fed, &stopped))
    };
    let prepared = tokio::select! {
        prepared = &mut prepare => prepared.context("preparing the demo")??,
        () = stop.asked_by_signal() => {
            // It sees that it is to stop; the directory goes away only after it has.
            let _ = prepare.await;
            return Ok(());
        }
    };
    let Prepared {
        checked,
        residents,
        logins,
        base,
        ..
    } = prepared;
    telemetry::start_logging(&checked.settings.log);
    telemetry::start_metrics();
    site::share_keys(&checked.settings, &residents, base)?;
    let clock = Clock::simulated(base, options.speed);
    let banner = banner(&logins, options.speed);
    let app = App::start(Start {
        checked,
        clock: clock.clone(),
        demo: Some(banner),
    })
    .await?;
    let centre = app
        .hj212_addresses()
        .first()
        .copied()
        .context("the daemon has no HJ 212 address")?;
    let running = (&clock, options.speed);
    let life = Life::start(residents, centre, running, base, &dir.path).await?;
    let screen = Screen {
        console: app.console_address(),
        hj212: centre,
        logins: &logins,
        dir: options.data.as_deref(),
        speed: options.speed,
        clock: &clock,
        feeds: feeds.as_ref(),
    };
    if options.json {
        screen.print_json()?;
    } else {
        screen.print()?;
    }
    tokio::select! {
        () = stop.asked_by_signal() => {}
        () = expiry(options.exit_after) => {}
    }
    screen::goodbye(life.tally())?;
    life.stop().await?;
    app.stop().await
}

async fn expiry(after: Option<Duration>) {
    match after {
        Some(after) => tokio::time::sleep(after).await,
        None => std::future::pending().await,
    }
}

fn banner(logins: &[Login], speed: u32) -> DemoBanner {
    let account = |login: &Login| DemoAccount {
        user: login.user.clone(),
        password: login.password.clone(),
        role: login.role,
    };
    DemoBanner {
        accounts: logins.iter().map(account).collect(),
        speed,
    }
}

/// Looks before the work of the past is done, so that a taken port is not noticed only after it.
fn port_is_free(port: u16, option: &str) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => bail!(
            "port {port} on 127.0.0.1 cannot be used ({error}): stop what listens there, or choose \
             another with {option} (0 takes any free one)"
        ),
    }
}

/// The data directory; a temporary one goes away with this.
struct Directory {
    path: PathBuf,
    temporary: bool,
}

impl Directory {
    fn of(data: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match data {
            Some(path) => (path.to_owned(), false),
            None => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes)
                    .map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
                let name = format!("cemsd-demo-{:016x}", u64::from_be_bytes(bytes));
                (std::env::temp_dir().join(name), true)
            }
        };
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot create the directory {}", path.display()))?;
        let dir = Self { path, temporary };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Raw frames hold device passwords: nobody else's business.
            std::fs::set_permissions(&dir.path, std::fs::Permissions::from_mode(0o700))
                .with_context(|| format!("cannot restrict access to {}", dir.path.display()))?;
        }
        Ok(dir)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed now is the system's temporary directory's to tidy.
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove the directory");
        }
    }
}

/// Ctrl-C and SIGTERM.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// Also seen by the thread that writes the past.
    asked: Arc<AtomicBool>,
}

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            asked: Arc::new(AtomicBool::new(false)),
        })
    }

    async fn asked_by_signal(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        self.asked.store(true, Ordering::Relaxed);
    }
}

/// Everything the start needs.
struct Prepared {
    checked: Checked,
    residents: Vec<Resident>,
    logins: Vec<Login>,
    /// Where simulated time begins.
    base: Timestamp,
}

impl Prepared {
    /// Reads what is there, or writes the past. Blocks.
    /// `fed`: a file of destinations, empty without any.
    fn prepare(
        options: &Options,
        dir: &Path,
        fed: String,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<Self> {
        let known = Story::load(dir)?;
        let places = Places::of(dir);
        ensure!(
            known.is_some() || !places.journal().exists(),
            "{} holds a journal that is not a finished demo's; name another directory with --data",
            dir.display()
        );
        let story = known.unwrap_or_else(|| Story::ending(Clock::Real.now(), options.history_days));
        let residents = city::residents(&story);
        let logins = people::logins(dir, options.data.is_some())?;
        let ports = Ports {
            console: options.console_port,
            hj212: options.hj212_port,
        };
        let users = people::users_toml(&logins)?;
        let settings = Settings::new(&residents, &story, &ports, users).feeding(fed);
        let base = if known.is_some() {
            continue_at(&settings, dir)?
        } else {
            let started = Instant::now();
            screen::announce(story.days)?;
            let past = Past {
                residents: &residents,
                story: &story,
                settings: &settings,
                dir,
            };
            let count = past.write(stop)?;
            story.save(dir)?;
            screen::done(count, started.elapsed())?;
            story.base
        };
        let checked = settings.checked(Expected::All, dir)?;
        Ok(Self {
            checked,
            residents,
            logins,
            base,
        })
    }
}

/// Simulated time goes on where the journal ends: the city slept meanwhile and missed nothing.
fn continue_at(settings: &Settings<'_>, dir: &Path) -> anyhow::Result<Timestamp> {
    let checked = settings.checked(Expected::All, dir)?;
    let options = journal_options(&checked.settings, &Clock::Real, &checked.registry);
    let (journal, opened) = Journal::open(&Places::of(dir).journal(), options)
        .with_context(|| format!("opening the journal in {}", dir.display()))?;
    journal.close();
    Ok(Timestamp(opened.last_at_ms).plus_ms(SECOND_MS))
}
