//! `/calendar`: a month with its working days, holidays and what is due; the visitor's own feed of
//! it, `/calendar.ics`.

use super::duties::{RoundItem, in_few_words};
use super::{Page, Params, html};
use crate::app::{App, Visit, page_lang};
use crate::backend::{Actor, Backend, BackendError, DutyAsk, DutyRound, LIST_ROWS_MAX};
use crate::format::Times;
use crate::ics::{Due, calendar};
use crate::refusal::refused;
use crate::text::Words;
use crate::view::Eyes;
use crate::view::duty::{duty_link, rule_name};
use crate::view::section::{Tab, duty_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use cems_core::duties::DutyPeriod;
use cems_core::model::time::DAY_MS;
use cems_core::model::{Day, DayKind, DutyBook, DutyId, Known, Recurrence};
use std::collections::BTreeMap;

/// Rounds named in a cell of the month; the rest is counted.
const CELL_ROUNDS_MAX: usize = 6;
/// Days that a feed looks ahead: the year that is planned, and a bit.
const FEED_DAYS: i64 = 400;
/// Years a calendar is shown for.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/calendar", get(page))
        .route("/calendar/feed", post(renew))
        .route("/calendar/feed/end", post(end))
        .route("/calendar.ics", get(feed))
}

#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    shell: Shell,
    tabs: Vec<Tab>,
    month: String,
    previous: String,
    next: String,
    /// How well the year is known, when it is not as announced.
    doubt: String,
    source: String,
    weekdays: Vec<String>,
    cells: Vec<Cell>,
    /// When the feed was made and last fetched.
    feed: Option<(String, String)>,
    /// Its address, shown once.
    fresh: String,
}

/// A day of the grid.
struct Cell {
    number: u32,
    /// Of another month.
    other: bool,
    today: bool,
    /// `working`, `make-up`, `weekend` or `holiday`.
    kind: &'static str,
    word: String,
    rounds: Vec<RoundItem>,
    more: usize,
}

/// The code of a kind of day.
pub(crate) fn kind_of(kind: DayKind<'_>) -> &'static str {
    match kind {
        DayKind::Working => "working",
        DayKind::MakeUp => "make-up",
        DayKind::Weekend => "weekend",
        DayKind::Holiday(_) => "holiday",
    }
}

/// The month of a query, `2026-10`; the running one when there is none.
pub(crate) fn month_of(query: Option<&String>, today: Day) -> Result<DutyPeriod, BackendError> {
    let day = match query {
        None => Some(today),
        Some(text) => {
            let parsed: Option<Day> = format!("{text}-01").parse().ok();
            parsed.filter(|day| YEARS.contains(&day.year()))
        }
    };
    let day = day.ok_or_else(|| {
        let text = query.map_or("", String::as_str);
        refused("datetime-unreadable", text)
    })?;
    Ok(DutyPeriod::containing(Recurrence::Month, day))
}

/// `GET /calendar?month=`.
async fn page(visit: Visit, Query(query): Params) -> Page {
    let page = shown(&visit, query.get("month"), String::new()).await;
    Ok(html(&page.map_err(|e| visit.failed(&e))?))
}

async fn shown(
    visit: &Visit,
    month: Option<&String>,
    fresh: String,
) -> Result<CalendarPage, BackendError> {
    let offset = visit.times.offset;
    let today = Day::of(visit.times.now, offset);
    let month = month_of(month, today)?;
    let first = month.start.minus(month.start.weekday0());
    let last_row = month.end().minus(1);
    let until = last_row.plus(7 - last_row.weekday0());
    let span = (first.start(offset), until.start(offset));
    let (rounds, feed) = visit
        .read(move |b, actor| Ok((b.duty_rounds(actor, span.0, span.1)?, b.feed(actor)?)))
        .await?;
    let mut by_day: BTreeMap<Day, Vec<&DutyRound>> = BTreeMap::new();
    for round in &rounds {
        let day = Day::of(round.due_at.plus_ms(-1), offset);
        by_day.entry(day).or_default().push(round);
    }
    let book = visit.app.backend.duty_book();
    let mut cells = Vec::new();
    let mut day = first;
    while day < until {
        let due = by_day.remove(&day).unwrap_or_default();
        cells.push(cell(visit, &book, (day, month), today, &due));
        day = day.plus(1);
    }
    let year = month.start.year();
    let known = book.calendar.years.get(&year);
    let link = |period: DutyPeriod| format!("/calendar?month={}", period.label());
    Ok(CalendarPage {
        shell: Shell::new(visit, "duties"),
        tabs: duty_tabs(visit.words, "calendar"),
        month: month.label().to_string(),
        previous: link(month.previous()),
        next: link(month.next()),
        doubt: doubt(visit.words, &book, year),
        source: known.map(|year| year.source.clone()).unwrap_or_default(),
        weekdays: (0..7)
            .map(|n| visit.words.t(&format!("weekday-{n}")))
            .collect(),
        cells,
        feed: feed.map(|feed| {
            let fetched = feed.fetched_at.map(|at| visit.times.short(at));
            let never = || visit.words.t("feed-never");
            (
                visit.times.full(feed.created_at),
                fetched.unwrap_or_else(never),
            )
        }),
        fresh,
    })
}

/// What is not certain about the working days of a year; empty when nothing is.
pub(crate) fn doubt(words: Words, book: &DutyBook, year: i32) -> String {
    let text = year.to_string();
    match book.calendar.known(year) {
        Known::Announced => String::new(),
        Known::Provisional(why) => {
            let why = words.pick(&why.zh, Some(&why.en));
            words.with("calendar-provisional", &[("year", &text), ("why", why)])
        }
        Known::Unknown => words.with("calendar-unknown", &[("year", &text)]),
    }
}

fn cell(
    visit: &Visit,
    book: &DutyBook,
    (day, month): (Day, DutyPeriod),
    today: Day,
    due: &[&DutyRound],
) -> Cell {
    let kind = book.calendar.kind(day);
    let word = match kind {
        DayKind::Holiday(name) => visit.words.pick(&name.zh, Some(&name.en)).to_owned(),
        DayKind::MakeUp => visit.words.t("day-make-up"),
        DayKind::Working | DayKind::Weekend => String::new(),
    };
    let named = due.iter().take(CELL_ROUNDS_MAX);
    Cell {
        number: day.day(),
        other: day < month.start || day >= month.end(),
        today: day == today,
        kind: kind_of(kind),
        word,
        rounds: named.map(|round| RoundItem::new(visit, round)).collect(),
        more: due.len().saturating_sub(CELL_ROUNDS_MAX),
    }
}

/// `POST /calendar/feed`: a new address, shown once.
async fn renew(visit: Visit, Form(_): Form<BTreeMap<String, String>>) -> Page {
    let renewed = visit.app.backend.renew_feed(&visit.actor).await;
    let token = renewed.map_err(|e| visit.failed(&e))?;
    let base = visit.app.options.public_url.as_deref().unwrap_or_default();
    let address = format!("{base}/calendar.ics?token={token}");
    let page = shown(&visit, None, address).await;
    let mut response = html(&page.map_err(|e| visit.failed(&e))?);
    // The address is a secret: nothing may keep the page.
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    Ok(response)
}

/// `POST /calendar/feed/end`: the address leads nowhere any more.
async fn end(visit: Visit, Form(_): Form<BTreeMap<String, String>>) -> Page {
    let ended = visit.app.backend.end_feed(&visit.actor).await;
    ended.map_err(|e| visit.failed(&e))?;
    Ok(Redirect::to("/calendar").into_response())
}

/// Characters of a token that is looked up; longer ones are unknown.
const TOKEN_CHARS_MAX: usize = 128;

/// `GET /calendar.ics?token=`: without a log-in; the token is the right to see it.
async fn feed(State(app): State<App>, Query(query): Params, headers: HeaderMap) -> Response {
    let token = query.get("token").cloned().unwrap_or_default();
    // A calendar program sends no cookie: the language stands in the address, Chinese without.
    let lang = query
        .get("lang")
        .and_then(|code| crate::text::Lang::from_code(code));
    let words = Words(lang.unwrap_or_else(|| page_lang(&headers)));
    if token.is_empty() || token.len() > TOKEN_CHARS_MAX {
        return StatusCode::NOT_FOUND.into_response();
    }
    let base = app.options.public_url.clone();
    let text = app
        .read(move |backend| {
            let actor = backend.feed_of(&token).ok_or(BackendError::NotFound)?;
            file(backend, &actor, words, base.as_deref())
        })
        .await;
    match text {
        Ok(text) => {
            let kind = "text/calendar; charset=utf-8";
            let name = "inline; filename=\"cemsd.ics\"";
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CONTENT_DISPOSITION, name),
                (header::CACHE_CONTROL, "private, no-store"),
            ];
            (headers, text).into_response()
        }
        Err(BackendError::NotFound | BackendError::Forbidden) => {
            StatusCode::NOT_FOUND.into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What an actor's feed holds: open duties one by one, or their rounds where there are too many;
/// and
/// what open fallbacks are waiting for.
fn file(
    backend: &dyn Backend,
    actor: &Actor,
    words: Words,
    base: Option<&str>,
) -> Result<String, BackendError> {
    let registry = backend.registry();
    let now = backend.now();
    let times = Times {
        offset: registry.offset,
        now,
        words,
    };
    let eyes = Eyes {
        words,
        times,
        registry: &registry,
    };
    let book = backend.duty_book();
    let until = now.plus_ms(FEED_DAYS * DAY_MS);
    let ask = DutyAsk {
        due_before: Some(until),
        ..DutyAsk::default()
    };
    let rows = backend.duties(actor, &ask)?;
    let url = |path: String| base.map(|base| format!("{base}{path}"));
    let mut due: Vec<Due> = Vec::new();
    if rows.len() < LIST_ROWS_MAX {
        for row in &rows {
            let rule = book.rules.get(&row.rule);
            let name = rule_name(&eyes, row.rule.as_str(), rule);
            due.push(Due {
                uid: format!("{}@cemsd", row.key),
                due_at: row.due_at,
                summary: in_few_words(&eyes, row, &name),
                description: source(&book, &row.rule),
                url: url(duty_link(row.key.as_str())),
                remind_h: rule.map(|rule| rule.remind_h.clone()).unwrap_or_default(),
            });
        }
    } else {
        let from = now.plus_ms(-FEED_DAYS * DAY_MS);
        let rounds = backend.duty_rounds(actor, from, until)?;
        for round in rounds.iter().filter(|round| round.open > 0) {
            due.push(of_round(&eyes, &book, round, &url));
        }
    }
    for row in backend.fallbacks(actor, true)? {
        let written = row
            .written
            .as_ref()
            .filter(|written| written.delivered.is_empty());
        let written = written.map(|written| ("feed-written", written.due));
        let report = row.next_due.map(|due| ("feed-report", due));
        for (key, due_at) in written.into_iter().chain(report) {
            due.push(Due {
                uid: format!("{key}-{}@cemsd", row.id),
                due_at,
                summary: format!("{} · {}", words.t(key), eyes.outlet_words(&row.outlet)),
                description: String::new(),
                url: url(format!("/fallbacks/{}", row.id)),
                remind_h: vec![1],
            });
        }
    }
    let name = format!("{} · {}", registry.site_name, words.t("nav-duties"));
    Ok(calendar(&name, &due, now, registry.offset))
}

fn source(book: &DutyBook, rule: &DutyId) -> String {
    let rule = book.rules.get(rule);
    rule.map(|rule| rule.provenance.source.clone())
        .unwrap_or_default()
}

fn of_round(
    eyes: &Eyes<'_>,
    book: &DutyBook,
    round: &DutyRound,
    url: &impl Fn(String) -> Option<String>,
) -> Due {
    let rule = book.rules.get(&round.rule);
    let name = rule_name(eyes, round.rule.as_str(), rule);
    let rule_id = crate::url::encode(round.rule.as_str());
    Due {
        uid: format!("{}:{}:{}@cemsd", round.rule, round.round, round.due_at.0),
        due_at: round.due_at,
        summary: format!("{name} · {} · {}/{}", round.round, round.open, round.all),
        description: source(book, &round.rule),
        url: url(format!("/duties?rule={rule_id}")),
        remind_h: rule.map(|rule| rule.remind_h.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_nonsense_is_refused() {
        let today: Day = "2026-11-30".parse().unwrap();
        let month = |text: &str| month_of(Some(&text.to_owned()), today).map(|m| m.label());
        assert_eq!(month_of(None, today).unwrap().label(), "2026-11");
        assert_eq!(month("2027-02").unwrap(), "2027-02");
        for nonsense in ["", "2026", "2026-13", "1999-01", "9999-01", "x"] {
            assert!(month(nonsense).is_err(), "{nonsense}");
        }
    }
}
