//! An outlet on the overview, its factors against their limits, and its totals.

use super::bar::Bar;
use super::explain::explain_link;
use super::sourced::{Sourced, journal};
use super::{Eyes, shown_limit};
use crate::backend::{AmountProgress, OutletState, OutletSummary};
use crate::format::{self, NONE, number};
use cems_core::explain::Asked;
use cems_core::model::rows::LatestRow;
use cems_core::model::time::SECOND_MS;
use cems_core::model::{
    AmountPeriod, Flag, Level, Limit, Outlet, OutletFactor, Period, RecordKind, Timestamp,
};
use rust_decimal::Decimal;

impl OutletState {
    /// All of them, worst first.
    pub const ALL: [OutletState; 7] = [
        Self::Exceeding,
        Self::Silent,
        Self::Fallback,
        Self::Invalid,
        Self::Stopped,
        Self::Normal,
        Self::Waiting,
    ];

    /// The name in the API, in text keys and in style classes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exceeding => "exceeding",
            Self::Silent => "silent",
            Self::Fallback => "fallback",
            Self::Invalid => "invalid",
            Self::Stopped => "stopped",
            Self::Normal => "normal",
            Self::Waiting => "waiting",
        }
    }
}

/// A factor with its latest value.
pub(crate) struct FactorChip {
    pub(crate) name: String,
    pub(crate) value: Sourced,
    /// The limit in words, `≤ 35`; empty when there is none.
    pub(crate) limit: String,
    pub(crate) bar: Option<Bar>,
    /// Empty, or why the value does not count.
    pub(crate) flaw: String,
    /// Link to the day chart.
    pub(crate) link: String,
    pub(crate) over: bool,
}

/// An outlet with its state and factors.
pub(crate) struct OutletCard {
    pub(crate) id: String,
    /// The id, percent-encoded.
    pub(crate) id_url: String,
    pub(crate) link: String,
    pub(crate) name: String,
    pub(crate) enterprise: String,
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    pub(crate) seen: String,
    pub(crate) seen_full: String,
    pub(crate) open_alarms: u32,
    pub(crate) factors: Vec<FactorChip>,
}

impl OutletCard {
    /// With its pollutants, or with all its factors.
    pub(crate) fn new(eyes: &Eyes<'_>, summary: &OutletSummary, pollutants_only: bool) -> Self {
        let outlet = &summary.outlet;
        let factors = outlet
            .factors
            .values()
            .filter(|f| f.pollutant || !pollutants_only)
            .map(|factor| {
                let latest = summary.latest.iter().find(|l| l.factor == factor.code);
                chip(eyes, outlet, factor, latest)
            })
            .collect();
        let state = summary.state.as_str();
        Self {
            id: outlet.id.to_string(),
            id_url: crate::url::encode(outlet.id.as_str()),
            link: outlet_link(outlet.id.as_str()),
            name: eyes.outlet_name(outlet).to_owned(),
            enterprise: eyes
                .words
                .pick(
                    &summary.enterprise.name,
                    summary.enterprise.name_en.as_deref(),
                )
                .to_owned(),
            state,
            state_word: eyes.words.code("state", state),
            seen: summary.last_seen.map_or_else(
                || NONE.to_owned(),
                |at| eyes.words.with("ago", &[("span", &eyes.times.ago(at))]),
            ),
            seen_full: summary
                .last_seen
                .map_or_else(|| NONE.to_owned(), |at| eyes.times.full(at)),
            open_alarms: summary.open_alarms,
            factors,
        }
    }
}

/// Address of an outlet's page.
pub(crate) fn outlet_link(id: &str) -> String {
    format!("/outlets/{}", crate::url::encode(id))
}

/// `≤ 35`, `≥ 6`, or `6–9`.
pub(crate) fn limit_words(limit: &Limit, decimals: u32) -> String {
    let plain = |v: Decimal| {
        let normal = v.normalize();
        if normal.scale() > decimals {
            normal.to_string()
        } else {
            number(v, normal.scale())
        }
    };
    match (limit.lower, limit.upper) {
        (None, Some(upper)) => format!("≤ {}", plain(upper)),
        (Some(lower), None) => format!("≥ {}", plain(lower)),
        (Some(lower), Some(upper)) => format!("{}–{}", plain(lower), plain(upper)),
        (None, None) => String::new(),
    }
}

fn bar(limit: Option<&Limit>, value: Option<Decimal>) -> Option<Bar> {
    let (limit, value) = (limit?, value?);
    match (limit.lower, limit.upper) {
        (Some(lower), Some(upper)) => Bar::window(value, lower, upper),
        (None, Some(upper)) => Bar::upper(value, upper),
        _ => None,
    }
}

/// Why a value does not count now, in words; empty when it does.
fn flaw(eyes: &Eyes<'_>, outlet: &Outlet, latest: &LatestRow) -> String {
    let words = eyes.words;
    let patience_ms = i64::from(outlet.expectation.no_data_after_s) * SECOND_MS;
    if eyes.times.now.since_ms(latest.received_at) > patience_ms {
        // An old figure must never look like a present one.
        return words.with("stale-since", &[("time", &eyes.times.short(latest.start))]);
    }
    if latest.valid {
        return String::new();
    }
    latest
        .flag
        .as_ref()
        .filter(|flag| flag.as_str() != Flag::NORMAL)
        .map_or_else(
            || words.t("verdict-invalid"),
            |flag| words.code("flag", flag),
        )
}

fn chip(
    eyes: &Eyes<'_>,
    outlet: &Outlet,
    factor: &OutletFactor,
    latest: Option<&LatestRow>,
) -> FactorChip {
    let written = eyes.factor(Some(outlet), &factor.code);
    let limit = shown_limit(factor, eyes.times.now);
    // The figure that stands against the limit: converted to reference O2 where the limit asks.
    let converted = limit.is_some_and(|l| l.converted);
    let judged = latest.and_then(|l| {
        if converted {
            l.converted.or(l.value)
        } else {
            l.value
        }
    });
    let bar = bar(limit, judged);
    let flaw = latest.map_or_else(String::new, |l| flaw(eyes, outlet, l));
    let invalid = !flaw.is_empty();
    let link = format!(
        "{}?factor={}",
        outlet_link(outlet.id.as_str()),
        crate::url::encode(factor.code.as_str())
    );
    FactorChip {
        name: written.name,
        value: Sourced {
            key: format!("{}/{}", outlet.id, factor.code),
            text: judged.map_or_else(|| NONE.to_owned(), |v| number(v, factor.decimals)),
            unit: written.unit,
            facts: latest.map_or_else(Vec::new, |l| facts(eyes, outlet, factor, l, limit)),
            links: chip_links(eyes, outlet, factor, latest, &link),
        },
        limit: limit.map_or_else(String::new, |l| limit_words(l, factor.decimals)),
        over: !invalid && bar.as_ref().is_some_and(|b| b.class == "over"),
        bar: if invalid { None } else { bar },
        flaw,
        link,
    }
}

/// Links of a latest value: its day, and the derivation of its record.
fn chip_links(
    eyes: &Eyes<'_>,
    outlet: &Outlet,
    factor: &OutletFactor,
    latest: Option<&LatestRow>,
    chart: &str,
) -> Vec<(String, String)> {
    let mut links = vec![(chart.to_owned(), eyes.words.t("to-day-chart"))];
    links.extend(latest.map(|latest| {
        let asked = match latest.kind {
            RecordKind::Hour => period_of(Level::Hour, latest.start, eyes),
            RecordKind::Day => period_of(Level::Day, latest.start, eyes),
            kind => Asked::Record(kind, latest.start),
        };
        let href = explain_link(&outlet.id, &factor.code, asked, eyes.times.offset);
        (href, eyes.words.t("to-explanation"))
    }));
    links
}

fn period_of(level: Level, at: Timestamp, eyes: &Eyes<'_>) -> Asked {
    Asked::Period(Period::containing(level, at, eyes.times.offset))
}

fn facts(
    eyes: &Eyes<'_>,
    outlet: &Outlet,
    factor: &OutletFactor,
    latest: &LatestRow,
    limit: Option<&Limit>,
) -> Vec<(String, String)> {
    let words = eyes.words;
    let exact = |v: Option<Decimal>| {
        v.map_or_else(
            || NONE.to_owned(),
            |v| format!("{v} {}", format::unit(&factor.unit)),
        )
    };
    let mut facts = vec![(words.t("measured"), exact(latest.value))];
    if latest.converted.is_some() {
        facts.push((words.t("converted-by-station"), exact(latest.converted)));
    }
    facts.push((words.t("record"), words.code("kind", latest.kind.as_str())));
    facts.push((words.t("measured-at"), eyes.times.full(latest.start)));
    let flag = latest.flag.as_deref().map_or_else(
        || words.t("flag-none"),
        |flag| format!("{flag} {}", words.code("flag", flag)),
    );
    facts.push((words.t("flag"), flag));
    let verdict = if latest.valid {
        "verdict-valid"
    } else {
        "verdict-invalid"
    };
    facts.push((words.t("verdict"), words.t(verdict)));
    if let Some(limit) = limit {
        let bounds = limit_words(limit, factor.decimals);
        let text = format!("{bounds} {} ({})", format::unit(&factor.unit), limit.source);
        facts.push((words.t("limit"), text));
    }
    facts.push((words.t("profile"), outlet.profile.to_string()));
    facts.push((words.t("received-at"), eyes.times.full(latest.received_at)));
    facts.push((words.t("journal"), journal(latest.seq)));
    facts
}

/// A total against its permitted amount.
pub(crate) struct AmountItem {
    pub(crate) outlet: String,
    pub(crate) link: String,
    pub(crate) factor: String,
    pub(crate) period: String,
    pub(crate) emitted: Sourced,
    pub(crate) permitted: String,
    pub(crate) share: String,
    pub(crate) bar: Bar,
}

/// The period of a total as people write it, and its name in the API.
fn amount_period(eyes: &Eyes<'_>, amount: &AmountProgress) -> (String, &'static str) {
    let start = eyes.times.offset.local(amount.start);
    match amount.period {
        AmountPeriod::Month => (start.format("%Y-%m").to_string(), "month"),
        AmountPeriod::Year => (start.format("%Y").to_string(), "year"),
        AmountPeriod::Special => (eyes.times.date(amount.start), "special"),
    }
}

/// The derivation of a total; a special period is no period of the calendar and has none.
fn amount_explained(eyes: &Eyes<'_>, amount: &AmountProgress) -> Option<String> {
    let level = match amount.period {
        AmountPeriod::Month => Level::Month,
        AmountPeriod::Year => Level::Year,
        AmountPeriod::Special => return None,
    };
    let asked = period_of(level, amount.start, eyes);
    let link = explain_link(&amount.outlet, &amount.factor, asked, eyes.times.offset);
    Some(link)
}

impl AmountItem {
    pub(crate) fn new(eyes: &Eyes<'_>, amount: &AmountProgress) -> Self {
        let outlet = eyes.registry.outlets.get(&amount.outlet);
        let factor = eyes.factor(outlet, &amount.factor);
        let (emitted, unit) = format::amount(amount.amount_kg);
        let (permitted, permitted_unit) = format::plain_amount(amount.permitted_kg);
        let (period, level) = amount_period(eyes, amount);
        let words = eyes.words;
        let source = outlet.and_then(|o| {
            o.permitted
                .iter()
                .find(|p| p.factor == amount.factor && p.period == amount.period)
        });
        let mut facts = vec![
            (words.t("emitted"), format!("{} kg", amount.amount_kg)),
            (words.t("permitted"), format!("{} kg", amount.permitted_kg)),
            (words.t("period-from"), eyes.times.full(amount.start)),
        ];
        if let Some(source) = source {
            facts.push((words.t("source"), source.source.clone()));
        }
        if let Some(outlet) = outlet {
            facts.push((words.t("profile"), outlet.profile.to_string()));
        }
        let api = format!(
            "/api/v1/outlets/{}/aggregates?level={level}",
            crate::url::encode(amount.outlet.as_str())
        );
        let mut links = vec![(api, words.t("to-exact-rows"))];
        links.extend(amount_explained(eyes, amount).map(|href| (href, words.t("to-explanation"))));
        Self {
            outlet: outlet.map_or_else(
                || amount.outlet.to_string(),
                |o| format!("{} · {}", eyes.enterprise_of(o), eyes.outlet_name(o)),
            ),
            link: outlet_link(amount.outlet.as_str()),
            factor: factor.name,
            period,
            emitted: Sourced {
                key: format!("amount/{}/{}/{level}", amount.outlet, amount.factor),
                text: emitted,
                unit: unit.to_owned(),
                facts,
                links,
            },
            permitted: format!("{permitted} {permitted_unit}"),
            share: format!("{} %", number(amount.share_pct, 1)),
            bar: Bar::share(amount.share_pct),
        }
    }
}
