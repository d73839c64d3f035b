//! The pages. Each module is one page with its view and its forms.

mod alarm_rules;
mod alarms;
mod audit;
mod calendar;
mod catalogues;
mod chart;
mod clues;
mod command_rules;
mod commands;
mod compliance;
mod desk;
mod destinations;
mod duties;
mod entries;
mod entry_rules;
mod equipment;
mod exchanges;
mod explain;
mod fallbacks;
mod figures;
mod health;
mod judgement;
mod login;
mod marks;
mod outlet;
mod overview;
mod post;
mod projections;
mod quarantine;
mod quarters;
mod rates;
mod receipts;
mod replays;
mod report_rules;
mod report_tables;
mod reviews;
mod roster;
mod station;
mod tax;

pub(crate) use alarm_rules::{alarm_filter, checked_act};
pub(crate) use calendar::{doubt, kind_of, month_of};
pub(crate) use command_rules::checked_order;
pub(crate) use duties::subject_of;
pub(crate) use entry_rules::{
    check_mark, check_review, check_scope, check_test, checked_reason, permission_of, quarter,
};
pub(crate) use explain::question;
pub(crate) use report_rules::check_report;

use crate::app::{App, Visit, page_lang};
use crate::backend::BackendError;
use crate::refusal::refused;
use crate::text::{Lang, Words};
use crate::upload::{FORM_BYTES_MAX, REQUEST_TOO_LARGE};
use crate::view::Eyes;
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::collections::BTreeMap;

/// Query parameters; repeated names keep the last.
pub(crate) type Params = Query<BTreeMap<String, String>>;

/// Characters of a note, conclusion or remark; more is refused with a message.
pub(crate) const NOTE_CHARS_MAX: usize = 2_000;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .merge(judgement::routes())
        .merge(duties::routes())
        .merge(calendar::routes())
        .route("/", get(overview::page))
        .route("/login", get(login::page).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/language/{code}", get(language))
        .route("/outlets/{id}", get(outlet::page))
        .route("/outlets/{id}/chart", get(chart::data))
        .route("/outlets/{id}/fallback", post(fallbacks::decide))
        .route(
            "/outlets/{id}/commands",
            get(commands::page).post(commands::order),
        )
        .route("/exchanges", get(exchanges::list))
        .route("/exchanges/{id}", get(exchanges::page))
        .route("/station", get(station::page))
        .route("/alarms", get(alarms::list))
        .route("/alarms/{id}", get(alarms::page))
        .route("/alarms/{id}/{verb}", post(alarms::act))
        .route("/alarms/acknowledge", post(alarms::acknowledge_all))
        .route("/alarms/figures", get(figures::page))
        .route("/alarms/figures.csv", get(figures::csv))
        .route("/outlets/{id}/alarm-service", post(alarms::set_service))
        .route("/desk", get(desk::page))
        .route("/desk/hand-over", post(desk::hand_over))
        .route("/roster", get(roster::page).post(roster::enter))
        .merge(reporting())
        .route("/channels", get(post::channels))
        .route("/channels/{id}/test", post(post::test))
        .route("/messages", get(post::messages))
        .route("/messages/{id}/again", post(post::again))
        .route("/destinations", get(destinations::page))
        .route("/destinations/{id}/replay", post(destinations::replay))
        .route(
            "/destinations/refused/{id}/again",
            post(destinations::again),
        )
        .route("/receipts", get(receipts::page))
        .route("/receipts/replays", post(replays::ask))
        .route("/receipts/replays/{id}/cancel", post(replays::cancel))
        .route("/quarantine", get(quarantine::page))
        .route("/audit", get(audit::page))
        .route("/health", get(health::page))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
}

/// Fallbacks; forms with files take larger requests.
fn reporting() -> Router<App> {
    let large = || DefaultBodyLimit::max(FORM_BYTES_MAX);
    Router::new()
        .route("/fallbacks", get(fallbacks::list))
        .route("/fallbacks/{id}", get(fallbacks::page))
        .route("/fallbacks/{id}/sheet", get(compliance::page))
        .route(
            "/fallbacks/{id}/reports",
            post(fallbacks::submit).layer(large()),
        )
        .route(
            "/fallbacks/{id}/reports/{report}/withdraw",
            post(fallbacks::withdraw),
        )
        .route(
            "/fallbacks/{id}/written",
            post(fallbacks::deliver).layer(large()),
        )
        .route(
            "/fallbacks/{id}/table",
            post(report_tables::look).layer(large()),
        )
        .route(
            "/fallbacks/{id}/table/confirm",
            post(report_tables::confirm).layer(large()),
        )
}

/// A page that could not be shown.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    title: String,
    text: String,
}

/// Result of a page: its HTML, or a page that says why not.
type Page = Result<Response, Response>;

fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub(crate) fn status_of(error: &BackendError) -> StatusCode {
    match error {
        BackendError::NotFound => StatusCode::NOT_FOUND,
        BackendError::Forbidden => StatusCode::FORBIDDEN,
        BackendError::Refused { code, .. } if code == REQUEST_TOO_LARGE => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        BackendError::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        BackendError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What went wrong, in the language of the page.
pub(crate) fn error_text(words: Words, error: &BackendError) -> String {
    match error {
        BackendError::NotFound => words.t("error-not-found"),
        BackendError::Forbidden => words.t("error-forbidden"),
        BackendError::Unavailable(why) => words.with("error-unavailable", &[("why", why)]),
        BackendError::Refused { code, detail } => {
            if words.find(&format!("action-{code}")).is_some() {
                words.with(&format!("action-{code}"), &[("detail", detail)])
            } else {
                words.with("error-refused", &[("code", code), ("detail", detail)])
            }
        }
    }
}

impl Visit {
    fn eyes(&self) -> Eyes<'_> {
        Eyes {
            words: self.words,
            times: self.times,
            registry: &self.registry,
        }
    }

    /// The page that says why something could not be shown or done.
    fn failed(&self, error: &BackendError) -> Response {
        let page = ErrorPage {
            shell: Shell::new(self, ""),
            title: self.words.t("error-title"),
            text: error_text(self.words, error),
        };
        (status_of(error), html(&page)).into_response()
    }

    fn refusal(&self, error: &BackendError) -> Notice {
        Notice::bad(error_text(self.words, error))
    }
}

/// A note as it may be kept: trimmed, not empty, not endless.
pub(crate) fn checked_note(text: Option<&String>) -> Result<String, BackendError> {
    let text = text.map_or("", |t| t.trim());
    if text.is_empty() {
        return Err(refused("note-empty", ""));
    }
    let chars = text.chars().count();
    if chars > NOTE_CHARS_MAX {
        return Err(refused(
            "note-too-long",
            format!("{chars} > {NOTE_CHARS_MAX}"),
        ));
    }
    Ok(text.to_owned())
}

/// After a form was kept: back to the page, with the journal position.
fn saved(page: &str, seq: cems_core::model::Seq) -> Response {
    Redirect::to(&format!("{page}?saved={seq}")).into_response()
}

/// `GET /language/{code}?back=`: keeps the language in a cookie and goes back.
async fn language(Path(code): Path<String>, Query(query): Params) -> Response {
    let lang = Lang::from_code(&code).unwrap_or_default();
    let back = query.get("back").map_or("/", String::as_str);
    let mut response = Redirect::to(crate::url::local_or_root(back)).into_response();
    let cookie = format!(
        "{}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
        crate::app::LANG_COOKIE,
        lang.code()
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// Anything that is not there.
pub(crate) async fn missing(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    if uri.path().starts_with("/api/") {
        let words = crate::app::api_words(&headers);
        return crate::api::problem::Problem::from_error(words, &BackendError::NotFound)
            .into_response();
    }
    let words = Words(page_lang(&headers));
    let page = ErrorPage {
        shell: Shell::outside(&app, words, "/"),
        title: words.t("error-title"),
        text: words.t("error-not-found"),
    };
    (StatusCode::NOT_FOUND, html(&page)).into_response()
}
