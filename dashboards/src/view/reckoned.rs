//! Quarters, clues, rates, projections and the tax basis in words.

use super::Eyes;
use super::explain::explain_link;
use super::sourced::{Sourced, journal};
use crate::backend::{RateRow, RatesOf};
use crate::format::{NONE, number, number_or_dash};
use crate::text::Words;
use cems_core::explain::{Asked, period};
use cems_core::lang::Text;
use cems_core::model::{
    Clue, ClueRow, EnterpriseId, FactorCode, Gap, OutletId, QuarterFactor, QuarterRow, RegionId,
    Substitute, Timestamp,
};
use cems_core::validate;
use rust_decimal::Decimal;

/// Decimals of a rate, percent.
const RATE_DECIMALS: u32 = 2;
/// Decimals of an amount of a gap, kg.
const KG_DECIMALS: u32 = 3;

/// Whose rates: `outlet:ID`, `enterprise:ID` or `region:ID`.
pub(crate) fn rates_of(text: &str) -> Option<RatesOf> {
    match text.split_once(':')? {
        ("outlet", id) => Some(RatesOf::Outlet(OutletId::new(id))),
        ("enterprise", id) => Some(RatesOf::Enterprise(EnterpriseId::new(id))),
        ("region", id) => Some(RatesOf::Region(RegionId::new(id))),
        _ => None,
    }
}

/// Kind and identity of whom rates are of.
pub(crate) fn rates_name(of: &RatesOf) -> (&'static str, String) {
    match of {
        RatesOf::Outlet(id) => ("outlet", id.to_string()),
        RatesOf::Enterprise(id) => ("enterprise", id.to_string()),
        RatesOf::Region(id) => ("region", id.to_string()),
    }
}

pub(super) fn percent(value: Option<Decimal>) -> String {
    value.map_or_else(
        || NONE.to_owned(),
        |v| format!("{} %", number(v, RATE_DECIMALS)),
    )
}

/// Words for "reached", "not reached" and "not applicable", with their style classes.
pub(crate) fn met_words(words: Words, met: Option<bool>) -> (&'static str, String) {
    match met {
        Some(true) => ("good", words.t("rate-met")),
        Some(false) => ("bad", words.t("rate-not-met")),
        None => ("none", words.t("not-applicable")),
    }
}

/// A rule of substitution in words: `max-180` is a code with a number in it.
pub(crate) fn substitute_rule(words: Words, rule: &str) -> String {
    for prefix in ["day-max", "max", "mean"] {
        let count = rule.strip_prefix(prefix).and_then(|r| r.strip_prefix('-'));
        if let Some(n) = count.filter(|n| n.parse::<u32>().is_ok()) {
            return words.with(&format!("substitute-{prefix}-n"), &[("n", n)]);
        }
    }
    words.code("substitute", rule)
}

/// A substitute as a gap shows it.
pub(crate) struct SubstituteItem {
    pub(crate) rule: String,
    pub(crate) unit_kg: String,
    pub(crate) total_kg: String,
    pub(crate) capture: String,
    pub(crate) details: String,
}

impl SubstituteItem {
    fn new(eyes: &Eyes<'_>, row: &Substitute) -> Self {
        let words = eyes.words;
        let mut details = Vec::new();
        if let Some((from, until)) = row.window {
            let count = row.looked_back.to_string();
            let (from, until) = (eyes.times.short(from), eyes.times.short(until));
            let args = [("n", &*count), ("from", &*from), ("until", &*until)];
            details.push(words.with("substitute-window", &args));
        }
        if let Some(at) = row.taken_from {
            let at = eyes.times.short(at);
            details.push(words.with("substitute-taken", &[("at", &at)]));
        }
        Self {
            rule: substitute_rule(words, &row.rule),
            unit_kg: number_or_dash(row.unit_kg, KG_DECIMALS),
            total_kg: number_or_dash(row.total_kg, KG_DECIMALS),
            capture: percent(row.capture_pct),
            details: details.join(" · "),
        }
    }
}

/// An invalid period.
pub(crate) struct GapItem {
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) hours: u32,
    pub(crate) why: String,
    pub(crate) provisional: SubstituteItem,
    pub(crate) settled: Option<SubstituteItem>,
    pub(crate) replaced: String,
}

impl GapItem {
    fn new(eyes: &Eyes<'_>, row: &Gap) -> Self {
        let replaced: Decimal = row.replaced_by_day.iter().map(|(_, kg)| *kg).sum();
        Self {
            from: eyes.times.full(row.from),
            until: eyes.times.full(row.until),
            hours: row.hours,
            why: eyes.words.code("gap-why", &row.why),
            provisional: SubstituteItem::new(eyes, &row.provisional),
            settled: row.settled.as_ref().map(|s| SubstituteItem::new(eyes, s)),
            replaced: if replaced.is_zero() {
                String::new()
            } else {
                number(replaced, KG_DECIMALS)
            },
        }
    }
}

/// A pollutant in a quarter.
pub(crate) struct QuarterFactorItem {
    pub(crate) name: String,
    pub(crate) capture: Sourced,
    pub(crate) met: (&'static str, String),
    pub(crate) hours: u32,
    pub(crate) stopped: u32,
    pub(crate) valid: u32,
    pub(crate) invalid: u32,
    pub(crate) measured: String,
    pub(crate) put_in: String,
    pub(crate) gaps: Vec<GapItem>,
}

/// A quarter.
pub(crate) struct QuarterItem {
    pub(crate) name: String,
    pub(crate) complete: bool,
    pub(crate) origin: String,
    pub(crate) factors: Vec<QuarterFactorItem>,
}

/// A quarter as people write it: `2025-Q4`.
pub(crate) fn quarter_name(eyes: &Eyes<'_>, start: Timestamp) -> String {
    period::text(Asked::Quarter(start), eyes.times.offset)
}

impl QuarterItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &QuarterRow) -> Self {
        let factors = row.factors.iter();
        Self {
            name: quarter_name(eyes, row.start),
            complete: row.complete,
            origin: format!("{} · {}", row.profile, journal(row.seq)),
            factors: factors
                .map(|(code, factor)| quarter_factor(eyes, row, code, factor))
                .collect(),
        }
    }
}

fn quarter_factor(
    eyes: &Eyes<'_>,
    row: &QuarterRow,
    code: &FactorCode,
    factor: &QuarterFactor,
) -> QuarterFactorItem {
    let words = eyes.words;
    let asked = Asked::Quarter(row.start);
    let link = explain_link(&row.outlet, code, asked, eyes.times.offset);
    let exact = factor
        .capture_pct
        .map_or_else(|| NONE.to_owned(), |v| format!("{v} %"));
    let facts = vec![
        (words.t("exact-value"), exact),
        (words.t("profile"), row.profile.to_string()),
        (words.t("journal-highest"), journal(row.seq)),
    ];
    QuarterFactorItem {
        name: eyes
            .factor(eyes.registry.outlets.get(&row.outlet), code)
            .name,
        capture: Sourced {
            key: format!("quarter/{}/{}/{code}", row.outlet, row.start.0),
            text: percent(factor.capture_pct),
            unit: String::new(),
            facts,
            links: vec![(link, words.t("to-explanation"))],
        },
        met: met_words(words, factor.capture_met),
        hours: factor.hours,
        stopped: factor.stopped,
        valid: factor.valid,
        invalid: factor.invalid,
        measured: number_or_dash(factor.measured_kg, KG_DECIMALS),
        put_in: number_or_dash(factor.substituted_kg, KG_DECIMALS),
        gaps: factor
            .gaps
            .iter()
            .map(|gap| GapItem::new(eyes, gap))
            .collect(),
    }
}

/// A clue.
pub(crate) struct ClueItem {
    pub(crate) number: String,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) level: String,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) factor: String,
    pub(crate) text: String,
    pub(crate) evidence: Vec<(String, String)>,
    pub(crate) origin: String,
}

impl ClueItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &ClueRow, clue: &Clue) -> Self {
        let words = eyes.words;
        let outlet = eyes.registry.outlets.get(&row.outlet);
        let check = validate::check(clue.check.0.as_str());
        let evidence = clue.evidence.iter();
        Self {
            number: check.map_or_else(|| clue.check.0.to_string(), |c| c.number.to_owned()),
            outlet: eyes.outlet_words(&row.outlet),
            outlet_link: super::outlet::outlet_link(row.outlet.as_str()),
            level: words.code("level", row.level.as_str()),
            from: eyes.times.full(clue.from),
            until: eyes.times.full(clue.until),
            factor: clue
                .factor
                .as_ref()
                .map_or_else(String::new, |code| eyes.factor(outlet, code).name),
            text: check.map_or_else(
                || clue.check.0.to_string(),
                |c| words.pick(c.text_zh, Some(c.text_en)).to_owned(),
            ),
            evidence: evidence
                .map(|(name, value)| {
                    let (name, value) = validate::evidence_text(name, value);
                    let pick = |text: &Text| words.pick(&text.zh, Some(&text.en)).to_owned();
                    (pick(&name), pick(&value))
                })
                .collect(),
            origin: format!("{} · {}", row.profile, journal(row.seq)),
        }
    }
}

/// Rates of somebody.
pub(crate) struct RateItem {
    pub(crate) kind: &'static str,
    pub(crate) kind_word: String,
    pub(crate) name: String,
    pub(crate) link: String,
    pub(crate) outlets: u32,
    pub(crate) records: String,
    pub(crate) transmission: String,
    pub(crate) validity: String,
    pub(crate) effective: String,
    pub(crate) capture: String,
    pub(crate) asked: String,
    pub(crate) met: (&'static str, String),
}

impl RateItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &RateRow) -> Self {
        let (kind, id) = rates_name(&row.of);
        let registry = eyes.registry;
        let name = match &row.of {
            RatesOf::Outlet(id) => eyes.outlet_words(id),
            RatesOf::Enterprise(id) => registry
                .enterprises
                .get(id)
                .map_or_else(|| id.to_string(), |e| eyes.enterprise_name(e).to_owned()),
            RatesOf::Region(id) => registry
                .regions
                .get(id)
                .cloned()
                .unwrap_or_else(|| id.to_string()),
        };
        Self {
            kind,
            kind_word: eyes.words.code("rates-of", kind),
            name,
            link: format!("{kind}:{}", crate::url::encode(&id)),
            outlets: row.outlets,
            records: format!("{} / {}", row.received, row.due),
            transmission: percent(row.rates.transmission_pct),
            validity: percent(row.rates.validity_pct),
            effective: percent(row.rates.effective_pct),
            capture: percent(row.rates.capture_pct),
            asked: format!("{} %", row.asked_pct.normalize()),
            met: met_words(eyes.words, row.met),
        }
    }
}
