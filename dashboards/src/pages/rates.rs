//! `/rates`: transmission, validity, effective transmission and capture rate of regions,
//! enterprises and outlets over a day, month, quarter or year.

use super::clues::day;
use super::{Page, Params, html};
use crate::app::Visit;
use crate::backend::{BackendError, RatesOf};
use crate::view::reckoned::{RateItem, rates_of};
use crate::view::section::{Choice, Section, Tab, data_tabs, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::Query;
use cems_core::explain::{Asked, period};
use cems_core::model::time::{DAY_MS, quarter_of};
use cems_core::model::{Level, Period, Timestamp};
use std::collections::BTreeMap;

/// Lengths to choose from.
const UNITS: [&str; 4] = ["day", "month", "quarter", "year"];

#[derive(Template)]
#[template(path = "rates.html")]
struct RatesPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    units: Vec<Choice>,
    unit: &'static str,
    /// A day of the period.
    at: String,
    of: String,
    period: String,
    previous: String,
    next: Option<String>,
    running: bool,
    rows: Vec<RateItem>,
}

/// A period to count over.
struct Chosen {
    unit: &'static str,
    at: Timestamp,
    start: Timestamp,
    end: Timestamp,
    name: String,
}

fn choose(visit: &Visit, query: &BTreeMap<String, String>) -> Chosen {
    let (offset, now) = (visit.times.offset, visit.times.now);
    let unit = query.get("unit").map_or("month", String::as_str);
    let unit = UNITS.into_iter().find(|u| *u == unit).unwrap_or("month");
    // The running day says nothing yet; yesterday does.
    let usual = if unit == "day" {
        now.plus_ms(-DAY_MS)
    } else {
        now
    };
    let at = day(visit, query.get("at")).unwrap_or(usual);
    let level = match unit {
        "day" => Some(Level::Day),
        "month" => Some(Level::Month),
        "year" => Some(Level::Year),
        _ => None,
    };
    let (start, end, asked) = match level {
        Some(level) => {
            let period = Period::containing(level, at, offset);
            (period.start, period.end(offset), Asked::Period(period))
        }
        None => {
            let (start, end) = quarter_of(at, offset);
            (start, end, Asked::Quarter(start))
        }
    };
    Chosen {
        unit,
        at,
        start,
        end,
        name: period::text(asked, offset),
    }
}

/// `GET /rates?unit=&at=&of=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let chosen = choose(&visit, &query);
    let asked = query.get("of").filter(|of| !of.is_empty());
    let of = match asked {
        None => None,
        Some(text) => {
            let of = rates_of(text).ok_or(BackendError::NotFound);
            Some(of.map_err(|e| visit.failed(&e))?)
        }
    };
    let (from, until, whose) = (chosen.start, chosen.end, of.clone());
    let rows = visit
        .read(move |b, actor| b.rates(actor, whose.as_ref(), from, until))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let outlet = match &of {
        Some(RatesOf::Outlet(id)) => visit.registry.outlets.get(id),
        _ => None,
    };
    let of_url = asked.map_or_else(String::new, |of| crate::url::encode(of));
    let link = |at: Timestamp| {
        let date = visit.times.date(at);
        format!("/rates?unit={}&at={date}&of={of_url}", chosen.unit)
    };
    Ok(html(&RatesPage {
        shell: Shell::new(&visit, if outlet.is_some() { "outlets" } else { "data" }),
        section: outlet.map(|o| Section::new(&eyes, o)),
        tabs: outlet.map_or_else(
            || data_tabs(visit.words, "rates"),
            |o| outlet_tabs(visit.words, o, "rates"),
        ),
        units: UNITS
            .into_iter()
            .map(|unit| Choice {
                value: unit.to_owned(),
                label: visit.words.code("unit", unit),
                chosen: unit == chosen.unit,
            })
            .collect(),
        unit: chosen.unit,
        at: visit.times.date(chosen.at),
        of: asked.cloned().unwrap_or_default(),
        previous: link(chosen.start.plus_ms(-1)),
        next: (chosen.end <= visit.times.now).then(|| link(chosen.end)),
        running: chosen.end > visit.times.now,
        period: chosen.name,
        rows: rows.iter().map(|row| RateItem::new(&eyes, row)).collect(),
    }))
}
