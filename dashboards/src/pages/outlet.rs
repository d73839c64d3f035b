//! `/outlets/{id}`: everything about one outlet, with the day of one factor.

use super::chart::{Choice, choose};
use super::{Page, Params, html};
use crate::app::Visit;
use crate::backend::OutletDetail;
use crate::format::{NONE, number, number_or_dash};
use crate::view::Eyes;
use crate::view::alarm::AlarmItem;
use crate::view::explain::explain_link;
use crate::view::fallback::FallbackItem;
use crate::view::habits::{Habit, habits};
use crate::view::outlet::{AmountItem, OutletCard, limit_words, outlet_link};
use crate::view::section::{Tab, outlet_tabs};
use crate::view::shell::{Notice, Shell};
use crate::view::sourced::{Sourced, journal};
use askama::Template;
use axum::extract::{Path, Query};
use cems_core::explain::Asked;
use cems_core::model::rows::{AggregateOrigin, DeviceRow, LimitVerdict};
use cems_core::model::{
    AggregateRow, FactorAggregate, Level, LimitPeriod, Outlet, OutletFactor, OutletId, Period,
    Permission,
};

/// Alarms shown here; all of them are behind the link.
const ALARMS_SHOWN_MAX: usize = 20;

#[derive(Template)]
#[template(path = "outlet.html")]
struct OutletPage {
    shell: Shell,
    card: OutletCard,
    tabs: Vec<Tab>,
    choice: Choice,
    factor_name: String,
    unit: String,
    chart: String,
    converted: bool,
    hours: Vec<HourLine>,
    limits: Vec<(String, String)>,
    device: Option<Device>,
    facts: Vec<(String, String)>,
    alarms: Vec<AlarmItem>,
    fallbacks: Vec<FallbackItem>,
    fallback_open: bool,
    may_decide: bool,
    may_report: bool,
    /// It goes to a centre.
    uploaded: bool,
    amounts: Vec<AmountItem>,
}

/// One hour of the chosen factor.
struct HourLine {
    hour: String,
    /// Its derivation.
    explain: String,
    mean: Sourced,
    converted: String,
    range: String,
    amount: String,
    units: String,
    /// `over`, `ok`, `invalid`, `running`, `stopped` or `none`.
    verdict: &'static str,
    verdict_word: String,
    multiple: String,
}

/// The logger as seen on the wire.
struct Device {
    facts: Vec<(String, String)>,
    habits: Vec<Habit>,
    findings: Vec<(String, u64)>,
}

/// `GET /outlets/{id}?factor=&day=`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let outlet = OutletId::new(&id);
    let asked = outlet.clone();
    let detail = visit
        .read(move |backend, actor| backend.outlet(actor, &asked))
        .await
        .map_err(|e| visit.failed(&e))?;
    let choice = choose(&visit, &detail.summary.outlet, &query);
    let (from, until) = (choice.from, choice.until);
    let hours = visit
        .read(move |b, actor| b.aggregates(actor, &outlet, Level::Hour, from, until))
        .await
        .map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, &detail, choice, &hours);
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

fn view(
    visit: &Visit,
    detail: &OutletDetail,
    choice: Choice,
    hours: &[AggregateRow],
) -> OutletPage {
    let (eyes, words) = (visit.eyes(), visit.words);
    let outlet = &detail.summary.outlet;
    let factor = outlet.factors.get(&choice.code);
    let mut alarms: Vec<_> = detail.alarms.iter().collect();
    alarms.sort_by_key(|a| a.closed.is_some());
    OutletPage {
        shell: Shell::new(visit, "outlets"),
        card: OutletCard::new(&eyes, &detail.summary, false),
        tabs: outlet_tabs(words, outlet, "outlet"),
        factor_name: factor.map_or_else(String::new, |f| {
            words.pick(&f.name_zh, Some(&f.name_en)).to_owned()
        }),
        unit: factor.map_or_else(String::new, |f| f.unit.clone()),
        chart: format!(
            "{}/chart?factor={}&day={}",
            outlet_link(outlet.id.as_str()),
            crate::url::encode(choice.code.as_str()),
            choice.day
        ),
        converted: has_conversion(outlet, factor),
        hours: factor.map_or_else(Vec::new, |f| {
            hours.iter().filter_map(|row| hour(&eyes, f, row)).collect()
        }),
        limits: factor.map_or_else(Vec::new, |f| limits(&eyes, f)),
        choice,
        device: detail.device.as_ref().map(|d| device(&eyes, d)),
        facts: outlet_facts(&eyes, outlet),
        alarms: alarms
            .into_iter()
            .take(ALARMS_SHOWN_MAX)
            .map(|a| AlarmItem::new(&eyes, a))
            .collect(),
        fallback_open: detail.fallbacks.iter().any(|f| f.closed_at.is_none()),
        fallbacks: detail
            .fallbacks
            .iter()
            .map(|f| FallbackItem::new(&eyes, f))
            .collect(),
        may_decide: visit.may(Permission::DecideFallback),
        may_report: visit.may(Permission::SubmitManualReport),
        uploaded: visit.app.backend.is_uploaded(&outlet.id),
        amounts: detail
            .amounts
            .iter()
            .map(|a| AmountItem::new(&eyes, a))
            .collect(),
    }
}

fn has_conversion(outlet: &Outlet, factor: Option<&OutletFactor>) -> bool {
    let reference = outlet.gas.as_ref().and_then(|gas| gas.reference_o2_pct);
    reference.is_some() && factor.is_some_and(|f| f.pollutant)
}

/// The verdict that matters: a broken limit, else the first.
fn verdict_of(row: &FactorAggregate) -> Option<&LimitVerdict> {
    row.limits
        .iter()
        .find(|l| l.exceeded)
        .or(row.limits.first())
}

fn hour(eyes: &Eyes<'_>, factor: &OutletFactor, row: &AggregateRow) -> Option<HourLine> {
    let words = eyes.words;
    let value = row.factors.get(&factor.code)?;
    let verdict = verdict_of(value);
    let code = match (value.valid, verdict) {
        (false, _) if value.stopped_units > 0 && value.valid_units == 0 => "stopped",
        (false, _) if !row.complete => "running",
        (false, _) => "invalid",
        (true, Some(verdict)) if verdict.exceeded => "over",
        (true, Some(_)) => "ok",
        (true, None) => "none",
    };
    let shown = |v| number_or_dash(v, factor.decimals);
    let multiple = verdict
        .and_then(|v| v.multiple)
        .filter(|m| !m.is_sign_negative());
    let start = eyes.times.offset.local(row.start);
    let period = Period {
        level: row.level,
        start: row.start,
    };
    let asked = Asked::Period(period);
    let explain = explain_link(&row.outlet, &factor.code, asked, eyes.times.offset);
    Some(HourLine {
        hour: start.format("%H:00").to_string(),
        mean: Sourced {
            key: format!("hour/{}/{}", row.start.0, factor.code),
            text: shown(value.mean),
            unit: String::new(),
            facts: hour_facts(eyes, factor, row, value),
            links: vec![
                (explain.clone(), words.t("to-explanation")),
                (records_link(eyes, row), words.t("to-exact-rows")),
            ],
        },
        explain,
        converted: shown(value.converted),
        range: match (value.min, value.max) {
            (Some(min), Some(max)) => format!(
                "{} – {}",
                number(min, factor.decimals),
                number(max, factor.decimals)
            ),
            _ => NONE.to_owned(),
        },
        amount: number_or_dash(value.amount_kg, 3),
        units: format!("{} / {}", value.valid_units, value.due_units),
        verdict: code,
        verdict_word: words.code("hour-verdict", code),
        multiple: multiple
            .filter(|_| code == "over")
            .map_or_else(String::new, |m| format!("×{}", number(m, 2))),
    })
}

/// The minute records an hour was made from.
fn records_link(eyes: &Eyes<'_>, row: &AggregateRow) -> String {
    let until = row.start.plus_ms(cems_core::model::time::HOUR_MS);
    format!(
        "/api/v1/outlets/{}/records?kind=minute&from={}&until={}",
        crate::url::encode(row.outlet.as_str()),
        crate::url::encode(&eyes.times.iso(row.start)),
        crate::url::encode(&eyes.times.iso(until))
    )
}

fn hour_facts(
    eyes: &Eyes<'_>,
    factor: &OutletFactor,
    row: &AggregateRow,
    value: &FactorAggregate,
) -> Vec<(String, String)> {
    let words = eyes.words;
    let mut facts = Vec::new();
    let mut exact = |key: &str, v: Option<rust_decimal::Decimal>| {
        if let Some(v) = v {
            facts.push((words.t(key), format!("{v} {}", factor.unit)));
        }
    };
    exact("mean", value.mean);
    exact("converted", value.converted);
    exact("reported-by-station", value.reported);
    for verdict in &value.limits {
        let outcome = if verdict.exceeded {
            "hour-verdict-over"
        } else {
            "hour-verdict-ok"
        };
        facts.push((
            format!("{} {}", words.t("limit"), verdict.limit),
            format!(
                "{} / {} · {}",
                verdict.judged,
                verdict.bound,
                words.t(outcome)
            ),
        ));
    }
    if let Some(volume) = row.volume_m3 {
        facts.push((words.t("volume"), format!("{} m³", number(volume, 0))));
    }
    let origin = match row.origin {
        AggregateOrigin::Computed => "origin-computed",
        AggregateOrigin::Reported => "origin-reported",
    };
    facts.push((words.t("origin"), words.t(origin)));
    let complete = if row.complete {
        "period-complete"
    } else {
        "period-running"
    };
    facts.push((words.t("period"), words.t(complete)));
    facts.push((words.t("profile"), row.profile.to_string()));
    facts.push((words.t("journal-highest"), journal(row.seq)));
    facts
}

fn limits(eyes: &Eyes<'_>, factor: &OutletFactor) -> Vec<(String, String)> {
    let lines = factor.limits.iter().map(|limit| {
        let period = match limit.period {
            LimitPeriod::Hour => "limit-hour",
            LimitPeriod::Day => "limit-day",
            LimitPeriod::Month => "limit-month",
        };
        let mut text = format!("{} {}", limit_words(limit, factor.decimals), factor.unit);
        if limit.converted {
            text.push_str(&format!(" · {}", eyes.words.t("limit-converted")));
        }
        text.push_str(&format!(" · {}", limit.source));
        if limit.from.is_some() || limit.until.is_some() {
            let date = |at: Option<_>| at.map_or_else(|| "…".to_owned(), |at| eyes.times.date(at));
            text.push_str(&format!(" · {} – {}", date(limit.from), date(limit.until)));
        }
        (eyes.words.t(period), text)
    });
    lines.collect()
}

fn device(eyes: &Eyes<'_>, row: &DeviceRow) -> Device {
    let words = eyes.words;
    Device {
        facts: vec![
            (words.t("mn"), row.mn.to_string()),
            (words.t("peer"), row.peer.to_string()),
            (words.t("edition"), format!("HJ 212-{}", row.edition)),
            (words.t("first-seen"), eyes.times.full(row.first_seen)),
            (words.t("last-seen"), eyes.times.full(row.last_seen)),
            (words.t("frames"), row.frames.to_string()),
            (words.t("duplicates"), row.duplicates.to_string()),
        ],
        habits: habits(eyes, &row.habits),
        findings: row
            .findings
            .iter()
            .map(|(code, count)| (words.code("finding", code), *count))
            .collect(),
    }
}

fn outlet_facts(eyes: &Eyes<'_>, outlet: &Outlet) -> Vec<(String, String)> {
    let words = eyes.words;
    let mut facts = vec![(words.t("outlet-id"), outlet.id.to_string())];
    if let Some(profile) = eyes.registry.profile_at(outlet, eyes.times.now) {
        let title = words.pick(&profile.title_zh, Some(&profile.title_en));
        facts.push((words.t("profile"), format!("{} · {title}", profile.id)));
    }
    if let Some(gas) = &outlet.gas {
        facts.push((words.t("duct-area"), format!("{} m²", gas.area_m2)));
        if let Some(o2) = gas.reference_o2_pct {
            facts.push((words.t("reference-o2"), format!("{o2} %")));
        }
    }
    let rule = &outlet.fallback;
    facts.push((
        words.t("fallback-rule"),
        words.with(
            "fallback-rule-text",
            &[
                ("opens", &rule.opens_after_min.to_string()),
                ("closes", &rule.closes_after_min.to_string()),
                ("gap", &rule.max_gap_min.to_string()),
                ("reports", &rule.reports_per_day.to_string()),
            ],
        ),
    ));
    facts
}
