//! `[capture]` and `[substitution]`: the capture rate of a quarter, and what stands in for invalid
//! periods.

use super::{factor, must, percent, whole};
use crate::report::{At, Report, say};
use crate::section::Section;
use cems_core::model::profile::{
    CaptureFormula, CaptureRule, SubstitutionMethod, SubstitutionRule, SubstitutionTier, Take,
};
use rust_decimal::Decimal;

/// Hours of a year: nothing is looked back upon or waited for longer.
const YEAR_H: i64 = 8_784;

/// Names of the methods, as in files.
#[derive(Clone, Copy)]
enum By {
    Nothing,
    Tiers,
    DailyMaximum,
    PrecedingMean,
}

/// Reads `[capture]`.
pub(super) fn capture(s: Section<'_>, r: &mut Report) -> CaptureRule {
    let formulas = [
        ("without-stops", CaptureFormula::WithoutStops),
        ("all-hours", CaptureFormula::AllHours),
    ];
    must(&s, r, "formula");
    let formula = s.word(r, "formula", &formulas);
    let min_pct = percent(&s, r, "min_pct");
    s.finish(r);
    CaptureRule {
        formula: formula.map_or(CaptureFormula::WithoutStops, |got| got.value),
        min_pct,
    }
}

/// Reads `[substitution]`.
pub(super) fn substitution(s: Section<'_>, r: &mut Report) -> SubstitutionRule {
    must(&s, r, "manual_first");
    let manual_first = s.boolean(r, "manual_first").is_some_and(|got| got.value);
    if manual_first {
        must(&s, r, "manual_reach_h");
    }
    let reach = s.integer(r, "manual_reach_h", 1..=YEAR_H);
    let factors = s.texts(r, "factors").unwrap_or_default();
    let factors = factors.iter().map(|got| factor(got, r)).collect();
    must(&s, r, "method");
    let method = s
        .section(r, "method")
        .map(|method| self::method(method, r))
        .unwrap_or_default();
    s.finish(r);
    SubstitutionRule {
        manual_first,
        manual_reach_h: reach.map_or(0, |got| got.value),
        factors,
        method,
    }
}

fn method(s: Section<'_>, r: &mut Report) -> SubstitutionMethod {
    let names = [
        ("nothing", By::Nothing),
        ("tiers", By::Tiers),
        ("daily-maximum", By::DailyMaximum),
        ("preceding-mean", By::PrecedingMean),
    ];
    must(&s, r, "by");
    let by = s.word(r, "by", &names);
    let method = match by.map_or(By::Nothing, |got| got.value) {
        By::Nothing => SubstitutionMethod::Nothing,
        By::PrecedingMean => SubstitutionMethod::PrecedingMean,
        By::DailyMaximum => SubstitutionMethod::DailyMaximum {
            days: whole(&s, r, "days", 1..=366),
        },
        By::Tiers => SubstitutionMethod::Tiers {
            tiers: tiers(&s, r),
        },
    };
    s.finish(r);
    method
}

fn tiers(s: &Section<'_>, r: &mut Report) -> Vec<SubstitutionTier> {
    must(s, r, "tiers");
    let takes = [("maximum", Take::Maximum), ("mean", Take::Mean)];
    let mut out: Vec<(At, SubstitutionTier)> = Vec::new();
    for entry in s.sections(r, "tiers") {
        let at = entry.at;
        must(&entry, r, "take");
        let tier = SubstitutionTier {
            capture_min_pct: percent(&entry, r, "capture_min_pct"),
            gap_max_h: entry
                .integer(r, "gap_max_h", 1..=YEAR_H)
                .map(|got| got.value),
            look_back_h: whole(&entry, r, "look_back_h", 1..=YEAR_H),
            take: entry
                .word(r, "take", &takes)
                .map_or(Take::Maximum, |got| got.value),
        };
        entry.finish(r);
        if let Some((first, _)) = out.iter().find(|(_, earlier)| covers(earlier, &tier)) {
            let place = r.place(*first);
            r.error(
                at,
                say!("a tier that is never reached", "该档永远不会用到"),
                say!(
                    "the first that fits counts, and {place} fits whenever this one does; best \
                     capture rate and shortest gap first",
                    "按先后取第一个符合的档，{place} 已包含此档；请把捕集率高、缺失时间短的写在前面"
                ),
            );
        }
        out.push((at, tier));
    }
    out.into_iter().map(|(_, tier)| tier).collect()
}

/// True when `earlier` fits whatever `later` fits.
fn covers(earlier: &SubstitutionTier, later: &SubstitutionTier) -> bool {
    let gap = match (earlier.gap_max_h, later.gap_max_h) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(later)) => earlier >= later,
    };
    let rate: (Decimal, Decimal) = (earlier.capture_min_pct, later.capture_min_pct);
    gap && rate.0 <= rate.1
}
