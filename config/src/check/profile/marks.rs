//! `[marks]`, `[checks]`, `[incineration]` and `[confidence_pct]`.

use super::{above_zero, factor, must, whole, within_percent};
use crate::report::{Report, say};
use crate::section::{Got, Section, word};
use crate::suggest;
use cems_core::model::profile::{IncinerationRule, MarkRule, MarkRules};
use cems_core::model::{FactorCode, MarkEffect, MarkKind};
use cems_core::validate::{self, Check};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Hours of a leap year.
const YEAR_H: i64 = 8_784;

/// Reads `[marks]`.
pub(super) fn rules(s: Section<'_>, r: &mut Report) -> MarkRules {
    let mut rules = MarkRules {
        chain_min: whole(&s, r, "chain_min", 0..=1_440),
        ..MarkRules::default()
    };
    let names = MarkKind::ALL.map(|kind| (kind.as_str(), kind));
    if let Some(kinds) = s.section(r, "kinds") {
        for (name, item) in kinds.entries() {
            let kind = word(r, "marks.kinds", &name, &names);
            let entry = kinds.table(r, &name.value, &item).map(|s| rule(s, r));
            if let (Some(kind), Some(entry)) = (kind, entry) {
                rules.kinds.insert(kind, entry);
            }
        }
    }
    s.finish(r);
    rules
}

fn rule(s: Section<'_>, r: &mut Report) -> MarkRule {
    let effects = [
        ("shown", MarkEffect::Shown),
        ("not-judged", MarkEffect::NotJudged),
        ("invalid", MarkEffect::Invalid),
        ("stopped", MarkEffect::Stopped),
    ];
    must(&s, r, "effect");
    let effect = s.word(r, "effect", &effects);
    let mut hours = |key| s.integer(r, key, 1..=YEAR_H).map(|got| got.value);
    let (enter_within_h, year_max_h, once_max_h) = (
        hours("enter_within_h"),
        hours("year_max_h"),
        hours("once_max_h"),
    );
    let late_counts = s.boolean(r, "late_counts").is_some_and(|got| got.value);
    s.finish(r);
    MarkRule {
        effect: effect.map_or(MarkEffect::Shown, |got| got.value),
        enter_within_h,
        late_counts,
        year_max_h,
        once_max_h,
    }
}

/// Reads `[checks]`: thresholds by code and name.
pub(super) fn checks(
    s: &Section<'_>,
    r: &mut Report,
) -> BTreeMap<SmolStr, BTreeMap<SmolStr, Decimal>> {
    let mut out = BTreeMap::new();
    let Some(table) = s.section(r, "checks") else {
        return out;
    };
    for (code, item) in table.entries() {
        let check = known_check(&code, r);
        let Some(thresholds) = table.table(r, &code.value, &item) else {
            continue;
        };
        let mut numbers = BTreeMap::new();
        for (name, item) in thresholds.entries() {
            if let Some(check) = check {
                known_threshold(check, &name, r);
            }
            if let Some(number) = item.decimal(r, &name.value) {
                numbers.insert(SmolStr::new(&name.value), number.value);
            }
        }
        out.insert(SmolStr::new(&code.value), numbers);
    }
    out
}

/// Reads `checks_off`: checks that these rules do without.
pub(super) fn checks_off(s: &Section<'_>, r: &mut Report) -> Vec<SmolStr> {
    let off = s.texts(r, "checks_off").unwrap_or_default();
    for code in &off {
        known_check(code, r);
    }
    off.into_iter().map(|got| SmolStr::new(got.value)).collect()
}

fn known_check(code: &Got<String>, r: &mut Report) -> Option<&'static Check> {
    let found = validate::check(&code.value);
    if found.is_none() {
        let value = &code.value;
        let known = validate::CATALOGUE.iter().map(|check| check.code);
        r.error(
            code.at,
            say!("no check has the code {value}", "没有编码为 {value} 的检查"),
            suggest::hint(value, known),
        );
    }
    found
}

fn known_threshold(check: &Check, name: &Got<String>, r: &mut Report) {
    let known = || check.thresholds.iter().map(|threshold| threshold.name);
    if known().all(|threshold| threshold != name.value) {
        let (code, value) = (check.code, &name.value);
        r.error(
            name.at,
            say!(
                "check {code} has no threshold {value}",
                "检查 {code} 没有阈值 {value}"
            ),
            suggest::hint(value, known()),
        );
    }
}

/// Reads `[incineration]`.
pub(super) fn incineration(s: Section<'_>, r: &mut Report) -> IncinerationRule {
    let hint = say!("such as \"a01901\"", "如 \"a01901\"");
    let furnace = s.need_text(r, "furnace_factor", hint);
    let furnace_factor = furnace.map_or_else(|| FactorCode::new(""), |got| factor(&got, r));
    let rule = IncinerationRule {
        furnace_factor,
        furnace_min_c: above_zero(&s, r, "furnace_min_c"),
        furnace_low_max: whole(&s, r, "furnace_low_max", 0..=288),
        pollutants: s
            .texts(r, "pollutants")
            .unwrap_or_default()
            .iter()
            .map(|got| factor(got, r))
            .collect(),
        exceeded_days_max: whole(&s, r, "exceeded_days_max", 0..=31),
    };
    s.finish(r);
    rule
}

/// Reads `[confidence_pct]`: shares of the limit by factor.
pub(super) fn confidence(s: &Section<'_>, r: &mut Report) -> BTreeMap<FactorCode, Decimal> {
    let mut out = BTreeMap::new();
    for (code, item) in s.named(r, "confidence_pct") {
        if let Some(got) = item.decimal(r, &code.value) {
            let share = within_percent(&got, &code.value, r);
            out.insert(factor(&code, r), share);
        }
    }
    out
}
