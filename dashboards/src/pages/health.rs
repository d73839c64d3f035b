//! How the daemon is: a page for people, `/healthz`, `/readyz` and `/metrics` for programs.

use super::{Page, html};
use crate::app::{App, Visit};
use crate::backend::Health;
use crate::view::shell::Shell;
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    shell: Shell,
    health: Health,
    behind: u64,
}

/// `GET /health`.
pub(super) async fn page(visit: Visit) -> Page {
    let health = visit
        .read(|backend, _| Ok(backend.health()))
        .await
        .map_err(|e| visit.failed(&e))?;
    Ok(html(&HealthPage {
        shell: Shell::new(&visit, "health"),
        behind: health.journal_seq.saturating_sub(health.projected_seq),
        health,
    }))
}

/// `GET /healthz`: 200 while the process runs and answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 when everything works, else 503 with the problems.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let health = app
        .read(|backend| Ok(backend.health()))
        .await
        .unwrap_or_else(|e| Health {
            problems: vec![e.to_string()],
            ..Health::default()
        });
    let status = if health.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(health)).into_response()
}

/// `GET /metrics`: Prometheus text format.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let text = app
        .read(|backend| Ok(backend.metrics()))
        .await
        .unwrap_or_default();
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
