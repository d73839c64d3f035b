//! What runs beside the wires: time that passes in silence, health, the console.

use super::append;
use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::journal::Journal;
use crate::pipeline::Projected;
use cems_dashboards::ConsoleOptions;
use cems_dashboards::backend::{Backend, Change};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long a stop waits for pages and streams to end.
pub(super) const CONSOLE_STOP_PATIENCE: Duration = Duration::from_secs(3);
/// Longest sleep of the ticker, so that a step of the machine's clock is noticed.
const TICKER_SLEEP_MAX: Duration = Duration::from_secs(30);
/// How often the journal's health is looked at.
const HEALTH_PERIOD: Duration = Duration::from_millis(500);

/// Journals the passing of time when the engine has a deadline and nothing else arrives.
pub(super) async fn ticker(
    journal: Journal,
    projected: Arc<Projected>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut deadlines = projected.deadline();
    loop {
        let deadline = *deadlines.borrow_and_update();
        let wait = deadline.map_or(TICKER_SLEEP_MAX, |at| clock.until(at).min(TICKER_SLEEP_MAX));
        tokio::select! {
            () = stop.cancelled() => return,
            changed = deadlines.changed() => if changed.is_err() { return } else { continue },
            () = tokio::time::sleep(wait) => {}
        }
        if deadline.is_none_or(|at| clock.now() < at) {
            continue;
        }
        let Ok(seq) = append(&journal, &JournalEvent::Tick).await else {
            return;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            _ = projected.reached(seq, Duration::MAX) => {}
        }
    }
}

/// Tells pages when the journal stalls or recovers, and journals what it had to mend.
pub(super) async fn watch_health(
    journal: Journal,
    projected: Arc<Projected>,
    stop: CancellationToken,
) {
    let mut stalled = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HEALTH_PERIOD) => {}
        }
        for note in journal.take_recovery_notes() {
            tracing::warn!(?note, "journal mended while running");
            let note = serde_json::to_string(&note).unwrap_or_default();
            if append(&journal, &JournalEvent::daemon("journal.recovered", note))
                .await
                .is_err()
            {
                return;
            }
        }
        let now = journal.health().stalled;
        if now != stalled {
            match &now {
                Some(cause) => tracing::error!(%cause, "the journal stands still"),
                None => tracing::info!("the journal goes on"),
            }
            stalled = now;
            projected.announce(Change::Health);
        }
    }
}

pub(super) async fn serve_console(
    listener: TcpListener,
    backend: Arc<dyn Backend>,
    options: ConsoleOptions,
    stop: CancellationToken,
) {
    let router = cems_dashboards::router(backend, options);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let graceful = stop.clone();
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(async move { graceful.cancelled().await });
    let cut = async {
        stop.cancelled().await;
        tokio::time::sleep(CONSOLE_STOP_PATIENCE).await;
    };
    tokio::select! {
        served = async { server.await } => {
            if let Err(error) = served {
                tracing::error!(%error, "the console ended");
            }
        }
        () = cut => {}
    }
}
