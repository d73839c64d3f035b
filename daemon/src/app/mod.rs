//! The daemon in one process: start, reload, stop. Tests use it as `cemsd run` does.

mod archive;
mod console;
mod outbox;
mod places;
mod post;
mod station;
mod tasks;

pub use places::Places;

use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::intake::{Admission, Directory, Interpreter};
use crate::journal::{self, Draft, Journal, Opened};
use crate::keys::KeyRing;
use crate::links::bus::{BusRoom, Buses};
use crate::links::hj212::{Gate, listen};
use crate::links::mqtt::Sources;
use crate::pipeline::{Pipeline, Projected};
use crate::store::{SqliteStore, Store};
use crate::switchboard::{Steward, Switchboard};
use crate::telemetry;
use anyhow::{Context, bail};
use cems_config::{Checked, CrcVariant, JournalHash, Settings};
use cems_core::model::time::SECOND_MS;
use cems_core::model::{Policy, Registry, Seq};
use cems_dashboards::{ConsoleOptions, DemoBanner};
use cems_protocols::hj212::{CrcVerdict, Limits, SessionConfig};
use console::Boards;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Batches the journal may be ahead of the projections before it waits for them.
const HANDOVER_BATCHES_MAX: usize = 64;
/// How long a stop waits for connections to finish what they have read; longer than
/// [`tasks::CONSOLE_STOP_PATIENCE`], so that only a journal that stands still can exceed it.
const TASKS_STOP_PATIENCE: Duration = Duration::from_secs(6);
/// How long a stop waits for the projections to catch up; what is left is done at the next start.
const PROJECTION_STOP_PATIENCE: Duration = Duration::from_secs(10);

/// What a daemon needs to start.
pub struct Start {
    /// Settings, registry, digest of their files.
    pub checked: Checked,
    /// Where time comes from.
    pub clock: Clock,
    /// What the console says on a demo.
    pub demo: Option<DemoBanner>,
}

/// A running daemon.
pub struct App {
    journal: Journal,
    projected: Arc<Projected>,
    gate: Arc<Gate>,
    clock: Clock,
    stop: CancellationToken,
    stop_pipeline: Arc<AtomicBool>,
    tasks: TaskTracker,
    buses: Arc<Buses>,
    sources: Arc<Sources>,
    pipeline: std::thread::JoinHandle<()>,
    hj212_addresses: Vec<SocketAddr>,
    console_address: SocketAddr,
}

impl App {
    /// Binds the ports, opens the books, and goes to work.
    ///
    /// # Errors
    /// When a port is taken, the data directory cannot be used, or another daemon uses it. Damage
    /// inside the data directory is no error: it is set aside, reported and journalled.
    pub async fn start(start: Start) -> anyhow::Result<Self> {
        let Start {
            checked,
            clock,
            demo,
        } = start;
        telemetry::start_metrics();
        let settings = checked.settings;
        let mut hj212 = Vec::with_capacity(settings.hj212.listen.len());
        for address in &settings.hj212.listen {
            hj212.push(bind(*address, "hj212.listen").await?);
        }
        let console = bind(settings.console.listen, "console.listen").await?;
        let places = Places::of(&settings.data_dir);
        prepare_directory(&settings.data_dir)?;

        let (committed, batches) = sync_channel(HANDOVER_BATCHES_MAX);
        let store = open_store(&places)?;
        let seq_floor = store.position()?.map_or(0, |position| position.seq.0);
        let mut options = journal_options(&settings, &clock, &checked.registry);
        options.seq_floor = seq_floor;
        options.follower = Some(committed);
        let (journal, opened) = Journal::open(&places.journal(), options)
            .with_context(|| format!("opening the journal in {}", places.journal().display()))?;
        for note in &opened.recovered {
            tracing::warn!(?note, "journal recovered");
        }
        let readers = store
            .readers()
            .context("opening the projections for reading")?;
        let stop_pipeline = Arc::new(AtomicBool::new(false));
        let pipeline = Pipeline::new(
            store,
            places.journal(),
            Interpreter,
            Arc::clone(&stop_pipeline),
        )?;
        let projected = pipeline.projected();
        let pipeline = std::thread::Builder::new()
            .name("projections".into())
            .spawn(move || pipeline.run(&batches))
            .context("starting the projections thread")?;

        let keys = Arc::new(open_keys(&settings, &places)?);
        let dialogue = settings.hj212.dialogue.clone();
        let (switchboard, wishes) = Switchboard::new(journal.clone(), clock.clone(), dialogue);
        let before = Seq(journal.head().seq);
        let shared = Shared {
            switchboard: Arc::clone(&switchboard),
            keys: Arc::clone(&keys),
            clock: clock.clone(),
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let buses = Buses::new(BusRoom {
            journal: journal.clone(),
            clock: clock.clone(),
            stop: stop.clone(),
            tasks: tasks.clone(),
        });
        let sources = Sources::new(station::source_room(
            (&journal, &projected, &clock),
            &places,
            (&stop, &tasks),
        ));
        let app = Self {
            buses: Arc::new(buses),
            sources: Arc::new(sources),
            gate: Arc::new(gate(&settings, &journal, &checked.registry, shared)),
            journal,
            projected,
            clock,
            stop,
            stop_pipeline,
            tasks,
            pipeline,
            hj212_addresses: hj212
                .iter()
                .map(TcpListener::local_addr)
                .collect::<Result<_, _>>()
                .context("address of the HJ 212 port")?,
            console_address: console.local_addr().context("address of the console")?,
        };
        app.gate.know(&checked.registry);
        let rules = (&checked.registry, &checked.policy);
        app.open_the_books(&opened, rules, &checked.digest).await?;
        let uplinks = app.start_uplinks(&settings, &checked.registry, &places, &readers, &keys)?;
        let steward = Steward {
            board: switchboard,
            journal: app.journal.clone(),
            projected: Arc::clone(&app.projected),
            readers: readers.clone(),
            keys,
            clock: app.clock.clone(),
        };
        app.tasks
            .spawn(steward.run(wishes, before, app.stop.clone()));
        let post = app.start_post(&settings, &places, &readers)?;
        let outbox = app.start_outbox(&settings, &places, &readers)?;
        let boards = Boards {
            uplinks,
            post,
            outbox,
            shelf: app.start_archive(&settings, &places, &readers),
        };
        let delivery = boards.delivery(&app.clock);
        let watch = crate::health::Watch {
            journal: app.journal.clone(),
            projected: Arc::clone(&app.projected),
            data_dir: settings.data_dir.clone(),
            delivery: delivery.clone(),
            sources: Arc::clone(&app.sources),
            papers: crate::health::papers(&settings),
            clock: app.clock.clone(),
        };
        app.tasks.spawn(watch.run(app.stop.clone()));
        let backend = app.backend(&settings, readers, &places, (boards, delivery))?;
        app.reload_station(&settings.station);
        let (close, closing) = tokio::sync::watch::channel(false);
        let stopping = app.stop.clone();
        app.tasks.spawn(async move {
            stopping.cancelled().await;
            close.send_replace(true);
        });
        for listener in hj212 {
            app.tasks
                .spawn(listen(listener, Arc::clone(&app.gate), app.stop.clone()));
        }
        app.tasks.spawn(tasks::ticker(
            app.journal.clone(),
            Arc::clone(&app.projected),
            app.clock.clone(),
            app.stop.clone(),
        ));
        app.tasks.spawn(tasks::watch_health(
            app.journal.clone(),
            Arc::clone(&app.projected),
            app.stop.clone(),
        ));
        let options = ConsoleOptions {
            secure_cookie: settings.console.secure_cookie,
            demo_banner: demo,
            public_url: settings.console.public_url.clone(),
            closing: Some(closing),
        };
        app.tasks.spawn(tasks::serve_console(
            console,
            backend,
            options,
            app.stop.clone(),
        ));
        tracing::info!(
            hj212 = ?app.hj212_addresses, console = %app.console_address, "cemsd is at work"
        );
        Ok(app)
    }

    /// Where loggers connect; nowhere at a station that takes no uploads.
    pub fn hj212_addresses(&self) -> &[SocketAddr] {
        &self.hj212_addresses
    }

    /// Where the console listens.
    pub fn console_address(&self) -> SocketAddr {
        self.console_address
    }

    /// The journal, to append to.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The view of the projections.
    pub fn projected(&self) -> &Arc<Projected> {
        &self.projected
    }

    /// The daemon's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes a new registry and a new policy into force. Settings of ports, directories
    /// and channels need a restart.
    ///
    /// # Errors
    /// When the journal is closed.
    pub async fn reload(&self, checked: &Checked) -> anyhow::Result<()> {
        let registry = &checked.registry;
        let event = registry_event(registry, &checked.digest);
        append(&self.journal, &event).await?;
        if *self.projected.policy() != checked.policy {
            append(&self.journal, &policy_event(&checked.policy)).await?;
        }
        self.gate.know(registry);
        Ok(())
    }

    /// Stops in order: ports, pages, books.
    ///
    /// # Errors
    /// When the projections thread died.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(TASKS_STOP_PATIENCE, self.tasks.wait())
            .await
            .is_err()
        {
            // Connections wait for a journal that cannot write. Closing it lets them go without
            // an answer: what is not on disk is not acknowledged, and the logger sends it again.
            tracing::warn!("the journal stands still; stopping without it");
            let journal = self.journal.clone();
            tokio::task::spawn_blocking(move || journal.close())
                .await
                .context("closing the journal")?;
            self.tasks.wait().await;
        }
        match append(
            &self.journal,
            &JournalEvent::daemon("daemon.stopped", "in order"),
        )
        .await
        {
            Ok(seq) => {
                self.projected.reached(seq, PROJECTION_STOP_PATIENCE).await;
            }
            Err(error) => tracing::warn!(%error, "the stop could not be journalled"),
        }
        self.stop_pipeline.store(true, Ordering::Relaxed);
        drop(self.gate);
        let journal = self.journal;
        let pipeline = self.pipeline;
        tokio::task::spawn_blocking(move || {
            journal.close();
            pipeline.join()
        })
        .await
        .context("waiting for the books to close")?
        .map_err(|_| anyhow::anyhow!("the projections thread died"))
    }

    /// Journals what happened at the opening, and the registry when it is not the one in force.
    async fn open_the_books(
        &self,
        opened: &Opened,
        (registry, policy): (&Registry, &Policy),
        digest: &str,
    ) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        append(
            &self.journal,
            &JournalEvent::daemon("daemon.started", format!("cemsd {version}")),
        )
        .await?;
        for note in &opened.recovered {
            let event = JournalEvent::daemon("journal.recovered", serde_json::to_string(note)?);
            append(&self.journal, &event).await?;
        }
        if *self.projected.registry() != *registry {
            append(&self.journal, &registry_event(registry, digest)).await?;
        }
        if *self.projected.policy() != *policy {
            append(&self.journal, &policy_event(policy)).await?;
        }
        Ok(())
    }
}

async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: change `{setting}` or stop what listens there")
    })
}

pub(crate) fn prepare_directory(root: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(root)
        .with_context(|| format!("cannot create the data directory {}", root.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Raw frames hold device passwords: nobody else's business.
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("cannot restrict access to {}", root.display()))?;
    }
    Ok(())
}

/// How a daemon with these settings opens its journal; nobody follows it yet.
pub fn journal_options(
    settings: &Settings,
    clock: &Clock,
    registry: &Registry,
) -> journal::Options {
    let clock = clock.clone();
    let mut options = journal::Options::new(Arc::new(move || clock.now().0));
    options.hash = match settings.journal.hash {
        JournalHash::Sm3 => journal::HashKind::Sm3,
        JournalHash::Sha256 => journal::HashKind::Sha256,
    };
    options.offset_minutes = registry.offset.minutes();
    options
}

/// Opens the projections; damaged ones were set aside and are built anew from the journal.
fn open_store(places: &Places) -> anyhow::Result<SqliteStore> {
    Ok(SqliteStore::open(&places.projections())
        .context("opening the projections")?
        .store)
}

/// Opens the keys of enciphered lines; makes the master key at the first start.
///
/// # Errors
/// As [`KeyRing::open`].
pub fn open_keys(settings: &Settings, places: &Places) -> anyhow::Result<KeyRing> {
    let master = settings.hj212.master_key_file.clone();
    let master = master.unwrap_or_else(|| places.master_key());
    KeyRing::open(&places.keys(), &master).context("opening the keys")
}

/// What connections share with the rest of the daemon.
struct Shared {
    switchboard: Arc<Switchboard>,
    keys: Arc<KeyRing>,
    clock: Clock,
}

fn gate(settings: &Settings, journal: &Journal, registry: &Registry, shared: Shared) -> Gate {
    let hj212 = &settings.hj212;
    Gate {
        journal: journal.clone(),
        directory: arc_swap::ArcSwap::from_pointee(Directory::of(registry)),
        admission: admission(settings),
        session: SessionConfig {
            limits: Limits {
                segment_bytes_max: hj212.segment_bytes_max,
                ..Limits::default()
            },
            incomplete_ms: i64::from(hj212.frame_timeout_s) * SECOND_MS,
            idle_ms: i64::from(hj212.idle_timeout_s) * SECOND_MS,
            ..SessionConfig::default()
        },
        switchboard: shared.switchboard,
        keys: shared.keys,
        clock: shared.clock,
        connections_max: hj212.connections_max,
    }
}

/// What these settings accept.
pub fn admission(settings: &Settings) -> Admission {
    let verdict = |variant: &CrcVariant| match variant {
        CrcVariant::Hj212 => CrcVerdict::Hj212,
        CrcVariant::Lowercase => CrcVerdict::Hj212Lower,
        CrcVariant::Swapped => CrcVerdict::Hj212Swapped,
        CrcVariant::Modbus => CrcVerdict::Modbus,
        CrcVariant::ModbusSwapped => CrcVerdict::ModbusSwapped,
    };
    Admission {
        accepted_crc: settings.hj212.accept_crc.iter().map(verdict).collect(),
    }
}

fn policy_event(policy: &Policy) -> JournalEvent {
    JournalEvent::Policy {
        policy: Arc::new(policy.clone()),
    }
}

fn registry_event(registry: &Registry, files_sha256: &str) -> JournalEvent {
    JournalEvent::Registry {
        files_sha256: files_sha256.into(),
        registry: Arc::new(registry.clone()),
    }
}

pub(crate) async fn append(journal: &Journal, event: &JournalEvent) -> anyhow::Result<Seq> {
    match journal
        .append(Draft {
            at_ms: None,
            body: event.to_line(),
        })
        .await
    {
        Ok(committed) => Ok(Seq(committed.seq)),
        Err(error) => bail!("journal: {error}"),
    }
}
