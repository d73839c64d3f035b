//! The console of `cemsd`: server-rendered pages, live by server-sent events, in Chinese and
//! English, and the JSON API, behind the [`backend::Backend`] trait.
//!
//! [`router`] is all the daemon needs; [`canned`] is a backend with fictional data, so that pages
//! run without a daemon.

mod api;
mod app;
mod assets;
pub mod backend;
mod batch;
pub mod canned;
pub mod format;
mod ics;
mod live;
pub mod message;
mod options;
mod pages;
pub mod refusal;
mod security;
mod sheet;
pub mod text;
mod upload;
mod url;
mod view;

pub use options::{ConsoleOptions, DemoAccount, DemoBanner};

use app::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use backend::Backend;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bytes of the largest request body: a manual report with long remarks is a few kilobytes.
/// Larger ones are answered with 413.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The console as one axum router: pages, `/live`, `/api/v1`, `/api/openapi.json`, `/assets`,
/// `/healthz`, `/readyz`, `/metrics`.
///
/// `/healthz`, `/readyz` and `/metrics` need no log-in: they hold no secret and no reading, and
/// the console listens on loopback unless configured otherwise. Serve it with
/// `into_make_service_with_connect_info::<SocketAddr>()`, so that [`Backend::login`] learns the
/// peer's address.
pub fn router(backend: Arc<dyn Backend>, options: ConsoleOptions) -> Router {
    let app = App {
        backend,
        options: Arc::new(options),
        streams: Arc::new(Semaphore::new(app::LIVE_STREAMS_MAX)),
    };
    Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .route("/live", get(live::live))
        .route("/assets/{*name}", get(assets::serve))
        .fallback(pages::missing)
        .layer(middleware::from_fn_with_state(
            app.clone(),
            security::own_pages_only,
        ))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(security::headers))
        .with_state(app)
}
