//! The console over canned data: `cargo run -p cems-dashboards --example canned [ADDRESS]`.
//! Every two seconds it announces new values and an alarm, and the device of an ordered command
//! answers, so that live pages have something to do.

use cems_core::model::{AlarmId, ExchangeState, OutletId, Role};
use cems_dashboards::backend::{Backend, Change};
use cems_dashboards::canned::Canned;
use cems_dashboards::{ConsoleOptions, router};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), std::io::Error> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let backend = Arc::new(Canned::new());
    let options = ConsoleOptions {
        demo_banner: Some(Canned::banner()),
        ..ConsoleOptions::default()
    };
    let app = router(backend.clone(), options);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let ticker = async {
        let mut interval = tokio::time::interval(Duration::from_secs(2));
        loop {
            interval.tick().await;
            let values = Change::Values(OutletId::new("qs-01"));
            backend.announce(&[values, Change::Alarm(AlarmId(30))]);
            answer_orders(&backend);
        }
    };
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, service) => served,
        () = ticker => Ok(()),
    }
}

/// Moves what was ordered since the start one step on.
fn answer_orders(backend: &Canned) {
    let Some(actor) = backend.api_token(&Canned::token(Role::Supervisor)) else {
        return;
    };
    for row in backend.exchanges(&actor, None).unwrap_or_default() {
        // The fiction's own exchanges stay in their states.
        if row.at != backend.now() {
            continue;
        }
        let (what, detail, state) = match row.state {
            ExchangeState::Queued => ("sent", "", ExchangeState::Sent),
            ExchangeState::Sent => ("accepted", "QnRtn=1", ExchangeState::Accepted),
            ExchangeState::Accepted => ("done", "ExeRtn=1", ExchangeState::Done),
            _ => continue,
        };
        backend.advance(row.id, what, detail, state);
    }
}
