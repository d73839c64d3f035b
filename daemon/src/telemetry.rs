//! What the daemon says about itself: every log line with its counter in one place, so that text
//! and metric cannot drift apart. Nothing here prints passwords or raw bytes unescaped.

mod process;

use crate::events::Verdict;
use cems_config::{LogFormat, LogSettings};
use cems_core::model::Timestamp;
use cems_core::model::time::SECOND_MS;
use cems_dashboards::backend::Health;
use cems_protocols::hj212::Message;
use metrics::{counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing_subscriber::EnvFilter;

static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// Loggers connected now.
pub fn connections() -> u64 {
    CONNECTIONS.load(Ordering::Relaxed)
}

fn show_connections() {
    // Exact up to 2^32 connections, far beyond what a machine can hold.
    gauge!("cems_connections").set(f64::from(u32::try_from(connections()).unwrap_or(u32::MAX)));
}

/// A logger's connection, counted while it lives.
pub struct Connected {
    peer: SocketAddr,
}

impl Connected {
    /// A connection came in.
    pub fn new(peer: SocketAddr) -> Self {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        show_connections();
        counter!("cems_connections_accepted_total").increment(1);
        tracing::info!(%peer, "logger connected");
        Self { peer }
    }

    /// It ended, and why.
    pub fn closed(self, why: &str) {
        tracing::info!(peer = %self.peer, %why, "logger disconnected");
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        CONNECTIONS.fetch_sub(1, Ordering::Relaxed);
        show_connections();
    }
}

/// One connection too many.
pub fn connection_refused(peer: SocketAddr) {
    counter!("cems_connections_refused_total").increment(1);
    tracing::warn!(%peer, "connection refused: the limit `hj212.max_connections` is reached");
}

/// The listener could not accept.
pub fn accept_failed(error: &std::io::Error) {
    counter!("cems_accept_failures_total").increment(1);
    tracing::error!(%error, "accepting a connection failed");
}

/// A frame was read.
pub fn frame(verdict: &Verdict, message: &Message) {
    let name = match verdict {
        Verdict::Accepted { .. } => "accepted",
        Verdict::Crc => "crc",
        Verdict::UnknownMn => "unknown-mn",
        Verdict::WrongPassword { .. } => "wrong-password",
        Verdict::SourceAddress { .. } => "source-address",
        Verdict::Encrypted { .. } => "encrypted",
        Verdict::Unreadable => "unreadable",
    };
    counter!("cems_frames_total", "verdict" => name, "edition" => message.edition.as_str())
        .increment(1);
}

/// Bytes that are no frame.
pub fn garbage(bytes: u64) {
    counter!("cems_garbage_bytes_total").increment(bytes);
}

/// Whether the journal takes nothing now.
pub fn journal_stalled(stalled: bool) {
    gauge!("cems_journal_stalled").set(f64::from(u8::from(stalled)));
}

/// Space left to the data.
pub fn disk_free(mb: u64) {
    let mb = f64::from(u32::try_from(mb).unwrap_or(u32::MAX));
    gauge!("cems_disk_free_bytes").set(mb * 1_000_000.0);
}

/// When a certificate of the settings ends.
pub fn certificate(part: &str, name: &str, until: Timestamp) {
    let seconds = u32::try_from(until.0.div_euclid(SECOND_MS).max(0)).unwrap_or(u32::MAX);
    gauge!(
        "cems_certificate_expiry_timestamp_seconds",
        "part" => part.to_owned(), "name" => name.to_owned()
    )
    .set(f64::from(seconds));
}

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder behind `/metrics`, once per process.
pub fn start_metrics() {
    PROMETHEUS.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics stays empty");
        }
        handle
    });
}

/// Everything counted so far, in Prometheus text format.
pub fn render(health: &Health) -> String {
    let number = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    gauge!("cems_ready").set(f64::from(u8::from(health.ready)));
    // Gauges are binary floats in the exposition format; the lag is what is watched.
    gauge!("cems_projection_lag_events").set(number(
        health.journal_seq.saturating_sub(health.projected_seq),
    ));
    counter!("cems_journal_events_total").absolute(health.journal_seq);
    let problems = u64::try_from(health.problems.len()).unwrap_or(u64::MAX);
    gauge!("cems_problems").set(number(problems));
    gauge!("cems_build_info", "version" => health.version.clone()).set(1.0);
    process::show();
    PROMETHEUS
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Starts logging to standard error as the settings say; `RUST_LOG` overrides the level.
pub fn start_logging(settings: &LogSettings) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(settings.level.as_str()));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first subscriber.
    let started = match settings.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
}
