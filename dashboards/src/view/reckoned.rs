//! Quarters, clues, rates, projections and the tax basis in words.

use super::Eyes;
use super::explain::explain_link;
use super::sourced::{Sourced, journal};
use crate::backend::{ProjectionRow, RateRow, RatesOf, TaxRow};
use crate::format::{NONE, amount, number, number_or_dash, plain_amount};
use crate::text::Words;
use cems_core::explain::{Asked, period};
use cems_core::model::{
    Clue, ClueRow, EnterpriseId, FactorCode, Gap, OutletId, QuarterFactor, QuarterRow, RegionId,
    Substitute, Timestamp,
};
use cems_core::permits::tax::TaxLine;
use cems_core::validate;
use chrono::NaiveDate;
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

fn percent(value: Option<Decimal>) -> String {
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
            evidence: evidence.map(|(k, v)| (k.to_string(), v.clone())).collect(),
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

/// A permitted amount with its projection.
pub(crate) struct ProjectionItem {
    pub(crate) subject: String,
    pub(crate) link: Option<String>,
    pub(crate) factor: String,
    pub(crate) permitted: String,
    pub(crate) emitted: String,
    pub(crate) put_in: String,
    pub(crate) share: String,
    pub(crate) missing: String,
    /// Expected day; empty when there is no projection.
    pub(crate) expected: String,
    pub(crate) between: String,
    pub(crate) year_end: String,
    pub(crate) basis: String,
    /// Why there is none, in words.
    pub(crate) why: String,
    pub(crate) explain: Option<String>,
}

fn both((text, unit): (String, &str)) -> String {
    format!("{text} {unit}")
}

impl ProjectionItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &ProjectionRow) -> Self {
        let words = eyes.words;
        let outlet = row
            .outlet
            .as_ref()
            .and_then(|id| eyes.registry.outlets.get(id));
        let enterprise = eyes.registry.enterprises.get(&row.enterprise);
        let any = || {
            let mut all = eyes.registry.outlets.values();
            all.find(|o| o.enterprise == row.enterprise && o.factors.contains_key(&row.factor))
        };
        let share = row
            .amount_kg
            .checked_mul(Decimal::ONE_HUNDRED)
            .and_then(|kg| kg.checked_div(row.permitted_kg));
        let missing = row.missing.iter().map(|id| eyes.outlet_words(id));
        let year = cems_core::model::Period::containing(
            cems_core::model::Level::Year,
            eyes.times.now,
            eyes.times.offset,
        );
        let mut item = Self {
            subject: row.outlet.as_ref().map_or_else(
                || {
                    let name =
                        enterprise.map_or(row.enterprise.as_str(), |e| eyes.enterprise_name(e));
                    words.with("projection-enterprise", &[("name", name)])
                },
                |id| eyes.outlet_words(id),
            ),
            link: row
                .outlet
                .as_ref()
                .map(|id| super::outlet::outlet_link(id.as_str())),
            factor: eyes.factor(outlet.or_else(any), &row.factor).name,
            permitted: both(plain_amount(row.permitted_kg)),
            emitted: both(amount(row.amount_kg)),
            put_in: both(amount(row.substituted_kg)),
            share: share.map_or_else(|| NONE.to_owned(), |s| format!("{} %", number(s, 1))),
            missing: missing.collect::<Vec<_>>().join(", "),
            expected: String::new(),
            between: String::new(),
            year_end: String::new(),
            basis: String::new(),
            why: String::new(),
            explain: row
                .outlet
                .as_ref()
                .map(|id| explain_link(id, &row.factor, Asked::Period(year), eyes.times.offset)),
        };
        match &row.projection {
            Err(why) => item.why = words.code("not-projected", why.code()),
            Ok(found) => {
                let date = |day: Option<NaiveDate>| {
                    day.map_or_else(|| words.t("not-this-year"), |day| day.to_string())
                };
                let (on, end) = (&found.reached_on, &found.year_end_pct);
                item.expected = date(on.expected);
                item.between = format!("{} – {}", date(on.low), date(on.high));
                item.year_end = format!(
                    "{} % ({} – {} %)",
                    number(end.expected, 1),
                    number(end.low, 1),
                    number(end.high, 1)
                );
                let seasonal = if found.seasonal {
                    "seasonal"
                } else {
                    "not-seasonal"
                };
                item.basis = words.with(
                    "projection-basis",
                    &[
                        ("days", &found.days.to_string()),
                        ("missing", &found.missing_days.to_string()),
                        ("rate", &number(found.rate_kg_per_day, KG_DECIMALS)),
                        ("season", &words.t(seasonal)),
                    ],
                );
            }
        }
        item
    }
}

/// A month against one limit.
pub(crate) struct TaxLineItem {
    pub(crate) limit: String,
    pub(crate) kind: String,
    pub(crate) bound: String,
    pub(crate) mean: String,
    pub(crate) below: String,
    pub(crate) means: String,
    pub(crate) exceeded: String,
    pub(crate) deciding: bool,
}

/// Tax basis of a pollutant.
pub(crate) struct TaxItem {
    pub(crate) factor: String,
    pub(crate) amount: String,
    pub(crate) means: String,
    pub(crate) due: String,
    pub(crate) why: String,
    pub(crate) reduced: bool,
    pub(crate) lines: Vec<TaxLineItem>,
    pub(crate) explain: String,
}

/// Periods over a limit that are named; the others are counted.
const EXCEEDED_SHOWN_MAX: usize = 5;

impl TaxItem {
    pub(crate) fn new(eyes: &Eyes<'_>, id: &OutletId, month: Asked, row: &TaxRow) -> Self {
        let (words, basis) = (eyes.words, &row.basis);
        let outlet = eyes.registry.outlets.get(id);
        let factor = eyes.factor(outlet, &row.factor);
        let line = |(n, line): (usize, &TaxLine)| {
            let mut exceeded: Vec<String> = line
                .exceeded
                .iter()
                .take(EXCEEDED_SHOWN_MAX)
                .map(|at| eyes.times.short(*at))
                .collect();
            let more = line.exceeded.len().saturating_sub(EXCEEDED_SHOWN_MAX);
            if more > 0 {
                exceeded.push(words.count("and-more", more));
            }
            let converted = if line.converted {
                format!(" · {}", words.t("limit-converted"))
            } else {
                String::new()
            };
            TaxLineItem {
                limit: line.limit.to_string(),
                kind: format!(
                    "{}{converted}",
                    words.code("limit-kind", line.kind.as_str())
                ),
                bound: format!("{} {}", line.bound.normalize(), factor.unit),
                mean: number_or_dash(line.month_mean, factor.decimals.saturating_add(1)),
                below: percent(line.below_pct),
                means: format!("{} / {}", line.judged, line.means),
                exceeded: exceeded.join(", "),
                deciding: basis.deciding == Some(n),
            }
        };
        Self {
            amount: row
                .amount_kg
                .map_or_else(|| NONE.to_owned(), |kg| both(amount(kg))),
            means: format!(
                "{} / {} ({})",
                basis.valid,
                basis.valid.saturating_add(basis.invalid),
                words.code("level", basis.level.as_str())
            ),
            due: format!("{} %", basis.due_pct.normalize()),
            why: words.code("tax-why", basis.why),
            reduced: basis.due_pct < Decimal::ONE_HUNDRED,
            lines: basis.lines.iter().enumerate().map(line).collect(),
            explain: explain_link(id, &row.factor, month, eyes.times.offset),
            factor: factor.name,
        }
    }
}
