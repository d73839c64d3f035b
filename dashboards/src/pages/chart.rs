//! The day chart of a factor: which factor and day, and the series as JSON for the script.

use super::{Page, Params};
use crate::app::Visit;
use crate::view::limits_at;
use axum::Json;
use axum::extract::{Path, Query};
use axum::response::IntoResponse;
use cems_core::model::time::{DAY_MS, SECOND_MS};
use cems_core::model::{
    AggregateRow, FactorCode, Level, LimitPeriod, Outlet, OutletFactor, OutletId, Period,
    RecordKind, RecordRow, Timestamp,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the visitor chose to see of an outlet.
pub(super) struct Choice {
    pub(super) code: FactorCode,
    /// The code, percent-encoded.
    pub(super) code_url: String,
    /// `2026-03-18`.
    pub(super) day: String,
    pub(super) previous_day: String,
    /// Empty on the current day.
    pub(super) next_day: String,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Code, name, chosen.
    pub(super) factors: Vec<(String, String, bool)>,
}

/// The chosen factor and day: the first pollutant and today unless asked otherwise.
pub(super) fn choose(visit: &Visit, outlet: &Outlet, query: &BTreeMap<String, String>) -> Choice {
    let times = visit.times;
    let first = outlet
        .factors
        .values()
        .find(|f| f.pollutant)
        .or_else(|| outlet.factors.values().next());
    let code = query
        .get("factor")
        .map(FactorCode::new)
        .filter(|code| outlet.factors.contains_key(code))
        .or_else(|| first.map(|f| f.code.clone()))
        .unwrap_or_else(|| FactorCode::new(""));
    let asked = query
        .get("day")
        .and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .map_or(times.now, |local| times.offset.instant(local));
    let from = Period::containing(Level::Day, asked, times.offset).start;
    let until = from.plus_ms(DAY_MS);
    let today = until > times.now;
    let mut factors: Vec<&OutletFactor> = outlet.factors.values().collect();
    factors.sort_by_key(|f| !f.pollutant);
    Choice {
        day: times.date(from),
        previous_day: times.date(from.plus_ms(-DAY_MS)),
        next_day: if today {
            String::new()
        } else {
            times.date(until)
        },
        factors: factors
            .into_iter()
            .map(|f| {
                let name = visit.words.pick(&f.name_zh, Some(&f.name_en));
                (f.code.to_string(), name.to_owned(), f.code == code)
            })
            .collect(),
        code_url: crate::url::encode(code.as_str()),
        code,
        from,
        until,
    }
}

/// The series of one day. Figures are binary floats here, and only here: they become pixels.
#[derive(Serialize)]
struct Chart {
    title: String,
    unit: String,
    decimals: u32,
    offset_minutes: i32,
    from: i64,
    until: i64,
    /// Seconds since 1970.
    x: Vec<i64>,
    series: Vec<Series>,
    limits: Vec<Line>,
    empty: String,
    /// Label of the time in the legend.
    time: String,
}

#[derive(Serialize)]
struct Series {
    /// `value`, `hour`, `converted` or `invalid`.
    kind: &'static str,
    label: String,
    y: Vec<Option<f64>>,
}

#[derive(Serialize)]
struct Line {
    label: String,
    y: f64,
}

/// `GET /outlets/{id}/chart?factor=&day=`.
pub(super) async fn data(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let outlet = OutletId::new(&id);
    let asked = outlet.clone();
    let detail = visit
        .read(move |backend, actor| backend.outlet(actor, &asked))
        .await
        .map_err(|e| visit.failed(&e))?;
    let outlet_row = detail.summary.outlet;
    let choice = choose(&visit, &outlet_row, &query);
    let (from, until) = (choice.from, choice.until);
    let kind = if outlet_row.expectation.minute_min.is_some() {
        RecordKind::Minute
    } else {
        RecordKind::Realtime
    };
    let (records, hours) = visit
        .read(move |b, actor| {
            let records = b.records(actor, &outlet, kind, from, until)?;
            let hours = b.aggregates(actor, &outlet, Level::Hour, from, until)?;
            Ok((records, hours))
        })
        .await
        .map_err(|e| visit.failed(&e))?;
    let chart = chart(&visit, &outlet_row, &choice, kind, &records, &hours);
    Ok(Json(chart).into_response())
}

type Points = BTreeMap<i64, f64>;

fn put(points: &mut Points, at: Timestamp, value: Option<Decimal>) {
    if let Some(y) = value.and_then(|v| v.to_f64()) {
        points.insert(at.0 / SECOND_MS, y);
    }
}

fn chart(
    visit: &Visit,
    outlet: &Outlet,
    choice: &Choice,
    kind: RecordKind,
    records: &[RecordRow],
    hours: &[AggregateRow],
) -> Chart {
    let words = visit.words;
    let factor = outlet.factors.get(&choice.code);
    let (mut values, mut invalid) = (Points::new(), Points::new());
    for row in records {
        if let Some(value) = row.values.get(&choice.code) {
            let points = if value.valid {
                &mut values
            } else {
                &mut invalid
            };
            put(points, row.start, value.value.figure().map(|n| n.value));
        }
    }
    let (mut means, mut converted) = (Points::new(), Points::new());
    for row in hours {
        if let Some(value) = row.factors.get(&choice.code).filter(|v| v.valid) {
            put(&mut means, row.start, value.mean);
            put(&mut converted, row.start, value.converted);
        }
    }
    let x: BTreeSet<i64> = [&values, &invalid, &means, &converted]
        .into_iter()
        .flat_map(|points| points.keys().copied())
        .collect();
    let named = [
        ("value", words.code("chart", kind.as_str()), values),
        ("invalid", words.t("chart-invalid"), invalid),
        ("hour", words.t("chart-hour"), means),
        ("converted", words.t("chart-converted"), converted),
    ];
    let series = named
        .into_iter()
        .filter(|(kind, _, points)| *kind == "hour" || !points.is_empty())
        .map(|(kind, label, points)| Series {
            kind,
            label,
            y: x.iter().map(|at| points.get(at).copied()).collect(),
        });
    let name = factor.map_or("", |f| words.pick(&f.name_zh, Some(&f.name_en)));
    Chart {
        title: format!("{name} · {}", choice.day),
        unit: factor.map_or_else(String::new, |f| f.unit.clone()),
        decimals: factor.map_or(crate::format::DECIMALS_UNKNOWN, |f| f.decimals),
        offset_minutes: visit.times.offset.minutes(),
        from: choice.from.0 / SECOND_MS,
        until: choice.until.0 / SECOND_MS,
        series: series.collect(),
        limits: factor.map_or_else(Vec::new, |f| lines(visit, f, choice)),
        x: x.into_iter().collect(),
        empty: words.t("chart-empty"),
        time: words.t("time"),
    }
}

/// Limit lines of the day: of hour means, else of day means.
fn lines(visit: &Visit, factor: &OutletFactor, choice: &Choice) -> Vec<Line> {
    let noon = choice.from.plus_ms(DAY_MS / 2);
    for (period, key) in [
        (LimitPeriod::Hour, "limit-hour"),
        (LimitPeriod::Day, "limit-day"),
    ] {
        let mut lines = Vec::new();
        for limit in limits_at(factor, period, noon) {
            for bound in [limit.lower, limit.upper].into_iter().flatten() {
                if let Some(y) = bound.to_f64() {
                    let label = format!("{} {bound}", visit.words.t(key));
                    lines.push(Line { label, y });
                }
            }
        }
        if !lines.is_empty() {
            return lines;
        }
    }
    Vec::new()
}
