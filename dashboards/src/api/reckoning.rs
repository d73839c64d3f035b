//! Addresses about what is reckoned over longer times, and the catalogues.

use super::calls::Id;
use super::convert::{Convert, exact};
use super::problem::{Answer, Problem};
use super::reckoned::*;
use super::schema::Exact;
use crate::app::Caller;
use crate::backend::{ProjectionRow, RateRow, TaxRow};
use crate::pages::Params;
use crate::view::reckoned::{rates_name, rates_of};
use axum::Json;
use cems_core::explain::{Asked, period};
use cems_core::formula::catalogue::{self, Both, Formula};
use cems_core::model::rows::SupersededRow;
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    Clue, ClueRow, Gap, Level, OutletId, Period, QuarterFactor, QuarterRow, Substitute, Timestamp,
};
use cems_core::permits::projection::Projection;
use cems_core::validate;
use rust_decimal::Decimal;

/// Clues when nobody says from when: the last week.
const CLUES_USUAL_MS: i64 = 7 * DAY_MS;
/// Longest span of clues in one answer.
const CLUES_SPAN_MS_MAX: i64 = 366 * DAY_MS;
/// Rates when nobody says from when: the last thirty whole days.
const RATES_USUAL_MS: i64 = 30 * DAY_MS;
/// Longest span of rates.
const RATES_SPAN_MS_MAX: i64 = 3_660 * DAY_MS;

pub(super) async fn quarters(caller: Caller, id: Id<String>) -> Answer<Vec<QuarterOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    let rows = caller.rows(move |b, a| b.quarters(a, &outlet)).await?;
    Ok(Json(caller.convert().all(&rows, Convert::quarter)))
}

async fn clues(caller: Caller, outlet: Option<OutletId>, query: Params) -> Answer<Vec<ClueRowOut>> {
    let (from, until) = caller.span_of(&query, CLUES_USUAL_MS, CLUES_SPAN_MS_MAX)?;
    let rows = caller
        .rows(move |b, a| b.clues(a, outlet.as_ref(), from, until))
        .await?;
    Ok(Json(caller.convert().all(&rows, Convert::clue_row)))
}

pub(super) async fn all_clues(caller: Caller, query: Params) -> Answer<Vec<ClueRowOut>> {
    clues(caller, None, query).await
}

pub(super) async fn outlet_clues(
    caller: Caller,
    id: Id<String>,
    query: Params,
) -> Answer<Vec<ClueRowOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    clues(caller, Some(outlet), query).await
}

pub(super) async fn rates(caller: Caller, query: Params) -> Answer<Vec<RateOut>> {
    let of = match query.get("of") {
        None => None,
        Some(text) => Some(rates_of(text).ok_or_else(|| caller.bad(format!("of {text}")))?),
    };
    let (from, until) = caller.span_of(&query, RATES_USUAL_MS, RATES_SPAN_MS_MAX)?;
    let day = |at: Timestamp| Period::containing(Level::Day, at, caller.registry.offset).start;
    let (from, until) = (day(from), day(until));
    let rows = caller
        .rows(move |b, a| b.rates(a, of.as_ref(), from, until))
        .await?;
    Ok(Json(caller.convert().all(&rows, Convert::rate)))
}

pub(super) async fn projections(caller: Caller, query: Params) -> Answer<Vec<ProjectionOut>> {
    let outlet = query.get("outlet").map(OutletId::new);
    let rows = caller
        .rows(move |b, a| b.projections(a, outlet.as_ref()))
        .await?;
    Ok(Json(caller.convert().all(&rows, Convert::projection)))
}

fn month(caller: &Caller, query: &Params) -> Result<Timestamp, Problem> {
    let Some(text) = query.get("month") else {
        return Ok(caller.app.backend.now());
    };
    match period::parse(text, caller.registry.offset) {
        Ok(Asked::Period(period)) if period.level == Level::Month => Ok(period.start),
        _ => Err(caller.bad(format!("month {text}"))),
    }
}

pub(super) async fn tax(caller: Caller, id: Id<String>, query: Params) -> Answer<Vec<TaxOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    let month = month(&caller, &query)?;
    let rows = caller.rows(move |b, a| b.tax(a, &outlet, month)).await?;
    Ok(Json(caller.convert().all(&rows, Convert::tax)))
}

pub(super) async fn superseded(
    caller: Caller,
    id: Id<String>,
    query: Params,
) -> Answer<Vec<SupersededOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    let kind = caller.kind(query.get("kind").map_or("minute", String::as_str))?;
    let at = query.get("at").ok_or_else(|| caller.bad("at = ?"))?;
    let at = caller.instant(at)?;
    let rows = caller
        .rows(move |b, a| b.superseded(a, &outlet, kind, at))
        .await?;
    Ok(Json(caller.convert().all(&rows, Convert::superseded)))
}

pub(super) async fn checks(_caller: Caller) -> Json<Vec<CheckOut>> {
    Json(validate::CATALOGUE.iter().map(check).collect())
}

pub(super) async fn formulas(_caller: Caller) -> Json<Vec<FormulaOut>> {
    Json(catalogue::all().map(formula).collect())
}

fn both((zh, en): Both) -> TextOut {
    TextOut {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn check(check: &validate::Check) -> CheckOut {
    let thresholds = check.thresholds.iter().map(|t| ThresholdOut {
        name: t.name.to_owned(),
        unit: t.unit.to_owned(),
        default: t.default.into(),
        ground: t.ground.as_str().to_owned(),
        source: t.source.to_owned(),
    });
    CheckOut {
        number: check.number.to_owned(),
        code: check.code.to_owned(),
        severity: check.severity.as_str().to_owned(),
        what: both((check.what_zh, check.what_en)),
        text: both((check.text_zh, check.text_en)),
        thresholds: thresholds.collect(),
    }
}

fn formula(formula: &Formula) -> FormulaOut {
    let example = (formula.example)();
    let symbols = formula.symbols.iter().map(|symbol| SymbolOut {
        name: symbol.name.to_owned(),
        meaning: both(symbol.meaning),
    });
    FormulaOut {
        id: formula.id.to_owned(),
        number: formula.number.to_owned(),
        standard: both(formula.standard),
        clause: both(formula.clause),
        sure: formula.sure.map(|sure| sure.as_str().to_owned()),
        title: both(formula.title),
        expression: formula.expression.to_owned(),
        symbols: symbols.collect(),
        edges: both(formula.edges),
        functions: formula.functions.iter().map(|f| (*f).to_owned()).collect(),
        example: ExampleOut {
            with: example.with,
            value: example.value.map(Exact::from),
            unit: example.unit.to_owned(),
        },
    }
}

fn outlook(projection: &Projection) -> OutlookOut {
    let (on, end) = (&projection.reached_on, &projection.year_end_pct);
    let date = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    OutlookOut {
        earliest: date(on.low),
        expected: date(on.expected),
        latest: date(on.high),
        year_end_low_pct: end.low.into(),
        year_end_pct: end.expected.into(),
        year_end_high_pct: end.high.into(),
        rate_kg_per_day: projection.rate_kg_per_day.into(),
        seasonal: projection.seasonal,
        days: u64::from(projection.days),
        missing_days: u64::from(projection.missing_days),
        blocks: u64::from(projection.blocks),
    }
}

impl Convert<'_> {
    fn substitute(&self, row: &Substitute) -> SubstituteOut {
        SubstituteOut {
            rule: row.rule.to_string(),
            unit_kg: exact(row.unit_kg),
            total_kg: exact(row.total_kg),
            capture_pct: exact(row.capture_pct),
            looked_back: u64::from(row.looked_back),
            window_from: self.iso_opt(row.window.map(|(from, _)| from)),
            window_until: self.iso_opt(row.window.map(|(_, until)| until)),
            taken_from: self.iso_opt(row.taken_from),
        }
    }

    fn gap(&self, row: &Gap) -> GapOut {
        let days = |days: &[(Timestamp, Decimal)]| {
            self.all(days, |c, (day, kg)| DayAmountOut {
                day: c.iso(*day),
                amount_kg: (*kg).into(),
            })
        };
        GapOut {
            from: self.iso(row.from),
            until: self.iso(row.until),
            hours: u64::from(row.hours),
            why: row.why.to_string(),
            provisional: self.substitute(&row.provisional),
            settled: row.settled.as_ref().map(|s| self.substitute(s)),
            by_day: days(&row.by_day),
            replaced_by_day: days(&row.replaced_by_day),
        }
    }

    fn quarter(&self, row: &QuarterRow) -> QuarterOut {
        let factor = |f: &QuarterFactor| QuarterFactorOut {
            hours: u64::from(f.hours),
            stopped: u64::from(f.stopped),
            valid: u64::from(f.valid),
            invalid: u64::from(f.invalid),
            capture_pct: exact(f.capture_pct),
            capture_met: f.capture_met,
            measured_kg: exact(f.measured_kg),
            substituted_kg: exact(f.substituted_kg),
            gaps: self.all(&f.gaps, Self::gap),
        };
        let factors = row.factors.iter();
        QuarterOut {
            outlet: row.outlet.to_string(),
            quarter: self.quarter_text(row.start),
            start: self.iso(row.start),
            complete: row.complete,
            factors: factors
                .map(|(code, f)| (code.to_string(), factor(f)))
                .collect(),
            profile: row.profile.to_string(),
            seq: row.seq.0,
        }
    }

    fn clue(&self, clue: &Clue) -> ClueOut {
        let check = validate::check(clue.check.0.as_str());
        let evidence = clue.evidence.iter();
        ClueOut {
            check: clue.check.0.to_string(),
            number: check.map(|c| c.number.to_owned()),
            severity: check.map(|c| c.severity.as_str().to_owned()),
            text: check.map(|c| both((c.text_zh, c.text_en))),
            factor: clue.factor.as_ref().map(ToString::to_string),
            from: self.iso(clue.from),
            until: self.iso(clue.until),
            evidence: evidence.map(|(k, v)| (k.to_string(), v.clone())).collect(),
        }
    }

    fn clue_row(&self, row: &ClueRow) -> ClueRowOut {
        ClueRowOut {
            outlet: row.outlet.to_string(),
            level: row.level.as_str().to_owned(),
            start: self.iso(row.start),
            clues: self.all(&row.clues, Self::clue),
            profile: row.profile.to_string(),
            seq: row.seq.0,
        }
    }

    fn rate(&self, row: &RateRow) -> RateOut {
        let (of, id) = rates_name(&row.of);
        RateOut {
            of: of.to_owned(),
            id,
            outlets: u64::from(row.outlets),
            received: row.received,
            due: row.due,
            transmission_pct: exact(row.rates.transmission_pct),
            validity_pct: exact(row.rates.validity_pct),
            effective_pct: exact(row.rates.effective_pct),
            capture_pct: exact(row.rates.capture_pct),
            asked_pct: row.asked_pct.into(),
            met: row.met,
        }
    }

    fn projection(&self, row: &ProjectionRow) -> ProjectionOut {
        ProjectionOut {
            outlet: row.outlet.as_ref().map(ToString::to_string),
            enterprise: row.enterprise.to_string(),
            factor: row.factor.to_string(),
            permitted_kg: row.permitted_kg.into(),
            amount_kg: row.amount_kg.into(),
            substituted_kg: row.substituted_kg.into(),
            missing: row.missing.iter().map(ToString::to_string).collect(),
            outlook: row.projection.as_ref().ok().map(outlook),
            not_projected: row
                .projection
                .as_ref()
                .err()
                .map(|why| why.code().to_owned()),
        }
    }

    fn tax(&self, row: &TaxRow) -> TaxOut {
        let basis = &row.basis;
        let lines = basis.lines.iter().map(|line| TaxLineOut {
            limit: line.limit.to_string(),
            kind: line.kind.as_str().to_owned(),
            converted: line.converted,
            bound: line.bound.into(),
            means: u64::from(line.means),
            month_mean: exact(line.month_mean),
            below_pct: exact(line.below_pct),
            exceeded: self.all(&line.exceeded, |c, at| c.iso(*at)),
            judged: u64::from(line.judged),
        });
        let deciding = basis.deciding.and_then(|n| basis.lines.get(n));
        TaxOut {
            factor: row.factor.to_string(),
            amount_kg: exact(row.amount_kg),
            level: basis.level.as_str().to_owned(),
            valid: u64::from(basis.valid),
            invalid: u64::from(basis.invalid),
            lines: lines.collect(),
            deciding: deciding.map(|line| line.limit.to_string()),
            due_pct: basis.due_pct.into(),
            why: basis.why.to_owned(),
        }
    }

    fn superseded(&self, row: &SupersededRow) -> SupersededOut {
        SupersededOut {
            outlet: row.outlet.to_string(),
            kind: row.kind.as_str().to_owned(),
            start: self.iso(row.start),
            factor: row.old.value.factor.to_string(),
            old: self.stored(&row.old),
            by_seq: row.by_seq.0,
        }
    }
}
