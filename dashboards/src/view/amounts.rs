//! Permitted amounts with their projection, and the tax basis, in words.

use super::Eyes;
use super::explain::explain_link;
use super::outlet::outlet_link;
use super::reckoned::percent;
use crate::backend::{ProjectionRow, TaxRow};
use crate::format::{NONE, amount, number, number_or_dash, plain_amount};
use cems_core::explain::Asked;
use cems_core::model::{Level, OutletId, Period};
use cems_core::permits::projection::Projection;
use cems_core::permits::tax::TaxLine;
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// Decimals of a day's amount, kg.
const KG_DECIMALS: u32 = 3;

/// A permitted amount with its projection.
#[derive(Default)]
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
        let share = row
            .amount_kg
            .checked_mul(Decimal::ONE_HUNDRED)
            .and_then(|kg| kg.checked_div(row.permitted_kg));
        let missing = row.missing.iter().map(|id| eyes.outlet_words(id));
        let year = Period::containing(Level::Year, eyes.times.now, eyes.times.offset);
        let asked = Asked::Period(year);
        let explain = |id: &OutletId| explain_link(id, &row.factor, asked, eyes.times.offset);
        let mut item = Self {
            subject: subject(eyes, row),
            link: row.outlet.as_ref().map(|id| outlet_link(id.as_str())),
            factor: factor_name(eyes, row),
            permitted: both(plain_amount(row.permitted_kg)),
            emitted: both(amount(row.amount_kg)),
            put_in: both(amount(row.substituted_kg)),
            share: share.map_or_else(|| NONE.to_owned(), |s| format!("{} %", number(s, 1))),
            missing: missing.collect::<Vec<_>>().join(", "),
            explain: row.outlet.as_ref().map(explain),
            ..Self::default()
        };
        match &row.projection {
            Err(why) => item.why = words.code("not-projected", why.code()),
            Ok(found) => item.project(eyes, found),
        }
        item
    }

    fn project(&mut self, eyes: &Eyes<'_>, found: &Projection) {
        let words = eyes.words;
        let date = |day: Option<NaiveDate>| {
            day.map_or_else(|| words.t("not-this-year"), |day| day.to_string())
        };
        let (on, end) = (&found.reached_on, &found.year_end_pct);
        self.expected = date(on.expected);
        if on.low.is_some() {
            self.between = format!("{} – {}", date(on.low), date(on.high));
        }
        self.year_end = format!(
            "{} % ({} – {} %)",
            number(end.expected, 1),
            number(end.low, 1),
            number(end.high, 1)
        );
        let season = if found.seasonal {
            "seasonal"
        } else {
            "not-seasonal"
        };
        self.basis = words.with(
            "projection-basis",
            &[
                ("days", &found.days.to_string()),
                ("missing", &found.missing_days.to_string()),
                ("rate", &number(found.rate_kg_per_day, KG_DECIMALS)),
                ("season", &words.t(season)),
            ],
        );
    }
}

fn subject(eyes: &Eyes<'_>, row: &ProjectionRow) -> String {
    if let Some(id) = &row.outlet {
        return eyes.outlet_words(id);
    }
    let enterprise = eyes.registry.enterprises.get(&row.enterprise);
    let name = enterprise.map_or(row.enterprise.as_str(), |e| eyes.enterprise_name(e));
    eyes.words.with("projection-enterprise", &[("name", name)])
}

/// The name of the factor at the outlet, or at any outlet of the enterprise.
fn factor_name(eyes: &Eyes<'_>, row: &ProjectionRow) -> String {
    let named = row
        .outlet
        .as_ref()
        .and_then(|id| eyes.registry.outlets.get(id));
    let any = || {
        let mut all = eyes.registry.outlets.values();
        all.find(|o| o.enterprise == row.enterprise && o.factors.contains_key(&row.factor))
    };
    eyes.factor(named.or_else(any), &row.factor).name
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
