//! `/clues` and `/outlets/{id}/clues`: what the checks of series noticed, by day.

use super::judgement::known;
use super::{Page, Params, html};
use crate::app::Visit;
use crate::backend::LIST_ROWS_MAX;
use crate::view::reckoned::ClueItem;
use crate::view::section::{Section, Tab, data_tabs, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::{Path, Query};
use cems_core::model::time::DAY_MS;
use cems_core::model::{Level, OutletId, Period, Timestamp};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Days that are shown when nobody says from when.
const USUAL_DAYS: i64 = 7;
/// Longest span that is read for one page, days.
const DAYS_MAX: i64 = 366;

#[derive(Template)]
#[template(path = "clues.html")]
struct CluesPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    from: String,
    /// The last day shown.
    until: String,
    cut: bool,
    days: Vec<(String, Vec<ClueItem>)>,
}

/// First instant of a day written as `2026-03-18`.
pub(super) fn day(visit: &Visit, text: Option<&String>) -> Option<Timestamp> {
    let date = NaiveDate::parse_from_str(text?, "%Y-%m-%d").ok()?;
    Some(visit.times.offset.instant(date.and_hms_opt(0, 0, 0)?))
}

/// First day and the day after the last, from whole days of the query; both ends are shown.
fn span(visit: &Visit, query: &BTreeMap<String, String>) -> (Timestamp, Timestamp) {
    let today = Period::containing(Level::Day, visit.times.now, visit.times.offset).start;
    let last = day(visit, query.get("until")).unwrap_or(today);
    let usual = last.plus_ms(-(USUAL_DAYS - 1) * DAY_MS);
    let from = day(visit, query.get("from")).unwrap_or(usual).min(last);
    let until = last.plus_ms(DAY_MS);
    (from.max(until.plus_ms(-DAYS_MAX * DAY_MS)), until)
}

async fn shown(visit: Visit, outlet: Option<OutletId>, query: &BTreeMap<String, String>) -> Page {
    let (from, until) = span(&visit, query);
    let asked = outlet.clone();
    let rows = visit
        .read(move |b, actor| b.clues(actor, asked.as_ref(), from, until))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let (section, tabs) = match &outlet {
        None => (None, data_tabs(visit.words, "clues")),
        Some(id) => {
            let outlet = known(&visit, id).map_err(|e| visit.failed(&e))?;
            let tabs = outlet_tabs(visit.words, outlet, "clues");
            (Some(Section::new(&eyes, outlet)), tabs)
        }
    };
    let mut days: Vec<(String, Vec<ClueItem>)> = Vec::new();
    for row in &rows {
        let date = visit.times.date(row.start);
        let items = row.clues.iter().map(|clue| ClueItem::new(&eyes, row, clue));
        match days.last_mut().filter(|(day, _)| *day == date) {
            Some((_, list)) => list.extend(items),
            None => days.push((date, items.collect())),
        }
    }
    let shell = Shell::new(&visit, if outlet.is_some() { "outlets" } else { "data" });
    Ok(html(&CluesPage {
        shell,
        section,
        tabs,
        from: visit.times.date(from),
        until: visit.times.date(until.plus_ms(-DAY_MS)),
        cut: rows.len() >= LIST_ROWS_MAX,
        days,
    }))
}

/// `GET /clues?from=&until=`.
pub(super) async fn list(visit: Visit, Query(query): Params) -> Page {
    shown(visit, None, &query).await
}

/// `GET /outlets/{id}/clues?from=&until=`.
pub(super) async fn of_outlet(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    shown(visit, Some(OutletId::new(&id)), &query).await
}
