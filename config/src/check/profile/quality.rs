//! `[qa]`: accuracy bands, drift limits and rounding of the tests of the equipment, by item. An
//! item is a row of the tables of a standard; `[qa.items]` says which factor belongs to which.

use super::{ROUNDINGS, above_zero, check_positive, factor, must, whole};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::suggest;
use cems_core::model::FactorCode;
use cems_core::model::profile::{Band, BandBy, DriftRule, QaRounding, QaRules};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// More pairs than this nobody takes.
const PAIRS_MAX: i64 = 1_000;
/// Decimals more than this are noise.
const DECIMALS_MAX: i64 = 6;

/// Names of the expressions of an error, as in files.
const BANDS_BY: [(&str, BandBy); 6] = [
    ("relative-accuracy", BandBy::RelativeAccuracy),
    ("relative", BandBy::Relative),
    ("absolute", BandBy::Absolute),
    ("relative-pair", BandBy::RelativePair),
    ("absolute-pair", BandBy::AbsolutePair),
    ("greatest", BandBy::Greatest),
];

/// Reads `[qa]`.
pub(super) fn rules(s: Section<'_>, r: &mut Report) -> QaRules {
    let mut rules = QaRules {
        items: items(&s, r),
        pairs_min: whole(&s, r, "pairs_min", 1..=PAIRS_MAX),
        accuracy_pairs_min: whole(&s, r, "accuracy_pairs_min", 2..=PAIRS_MAX),
        pairs_pass: pairs_pass(&s, r),
        ..QaRules::default()
    };
    for (name, item) in s.named(r, "pairs_min_by_item") {
        known_item(&name, &rules.items, r);
        if let Some(got) = item.integer(r, &name.value, 1..=PAIRS_MAX) {
            let item = SmolStr::new(&name.value);
            rules.pairs_min_by_item.insert(item, got.value);
        }
    }
    if let Some(table) = s.section(r, "bands") {
        for (name, item) in table.entries() {
            known_item(&name, &rules.items, r);
            let bands = table.tables(r, &name.value, &item);
            let bands = bands.into_iter().map(|s| band(s, r)).collect();
            rules.bands.insert(SmolStr::new(&name.value), bands);
        }
    }
    if let Some(table) = s.section(r, "drift") {
        for (name, item) in table.entries() {
            known_item(&name, &rules.items, r);
            if let Some(s) = table.table(r, &name.value, &item) {
                rules.drift.insert(SmolStr::new(&name.value), drift(s, r));
            }
        }
    }
    for (name, item) in s.named(r, "standard_pct") {
        if name.value != "*" {
            known_item(&name, &rules.items, r);
        }
        if let Some(got) = item.decimal(r, &name.value) {
            let limit = check_positive(&got, &name.value, r);
            rules.standard_pct.insert(SmolStr::new(&name.value), limit);
        }
    }
    rules.rounding = s.section(r, "rounding").map(|s| rounding(s, r));
    s.finish(r);
    rules
}

fn items(s: &Section<'_>, r: &mut Report) -> BTreeMap<FactorCode, SmolStr> {
    let mut out = BTreeMap::new();
    for (code, item) in s.named(r, "items") {
        if let Some(name) = item.text(r, &code.value) {
            out.insert(factor(&code, r), SmolStr::new(name.value));
        }
    }
    out
}

/// Rules for an item that no factor belongs to would never apply.
fn known_item(name: &Got<String>, items: &BTreeMap<FactorCode, SmolStr>, r: &mut Report) {
    if items.values().any(|item| *item == name.value) {
        return;
    }
    let value = &name.value;
    r.error(
        name.at,
        say!(
            "no factor belongs to the item {value}",
            "没有因子属于项目 {value}"
        ),
        suggest::hint(value, items.values().map(SmolStr::as_str)),
    );
}

/// `[[3, 2], [4, 3]]`: of three pairs two must pass, of four three.
fn pairs_pass(s: &Section<'_>, r: &mut Report) -> Vec<(u32, u32)> {
    let key = "pairs_pass";
    let Some(list) = s.item(key) else {
        return Vec::new();
    };
    let mut out: Vec<(u32, u32)> = Vec::new();
    for entry in list.entries() {
        let numbers: Vec<Option<Got<u32>>> = entry
            .entries()
            .iter()
            .map(|n| n.integer(r, key, 1..=PAIRS_MAX))
            .collect();
        let [Some(pairs), Some(pass)] = numbers.as_slice() else {
            if numbers.iter().all(Option::is_some) {
                wrong_pairs(entry.at, r);
            }
            continue;
        };
        let rising = out.last().is_none_or(|(last, _)| *last < pairs.value);
        if pass.value > pairs.value || !rising {
            wrong_pairs(entry.at, r);
        }
        out.push((pairs.value, pass.value));
    }
    out
}

fn wrong_pairs(at: crate::report::At, r: &mut Report) {
    r.error(
        at,
        say!(
            "`pairs_pass` is a list of [pairs, how many must pass]",
            "`pairs_pass` 须为 [数据对数, 须合格对数] 的列表"
        ),
        say!(
            "rising, and not more than there are: [[3, 2], [4, 3]]",
            "按对数递增，且不多于对数：[[3, 2], [4, 3]]"
        ),
    );
}

fn band(s: Section<'_>, r: &mut Report) -> Band {
    let from = s.decimal(r, "from").map(|got| got.value);
    let below = s.decimal(r, "below").map(|got| got.value);
    if let (Some(low), Some(high)) = (from, below)
        && low >= high
    {
        r.error(
            s.at,
            say!("a band that holds nothing", "该区间为空"),
            say!("from {low} to below {high}", "从 {low} 到小于 {high}"),
        );
    }
    must(&s, r, "by");
    let by = s.word(r, "by", &BANDS_BY);
    let limit = above_zero(&s, r, "limit");
    s.finish(r);
    Band {
        from,
        below,
        by: by.map_or(BandBy::Absolute, |got| got.value),
        limit,
    }
}

fn drift(s: Section<'_>, r: &mut Report) -> DriftRule {
    let rule = DriftRule {
        zero_adjust_pct: above_zero(&s, r, "zero_adjust_pct"),
        zero_out_pct: above_zero(&s, r, "zero_out_pct"),
        span_adjust_pct: above_zero(&s, r, "span_adjust_pct"),
        span_out_pct: above_zero(&s, r, "span_out_pct"),
        every_h: s.integer(r, "every_h", 1..=8_784).map(|got| got.value),
    };
    let pairs: [(&str, &str, Decimal, Decimal); 2] = [
        ("zero", "零点", rule.zero_adjust_pct, rule.zero_out_pct),
        ("span", "量程", rule.span_adjust_pct, rule.span_out_pct),
    ];
    for (end, end_zh, adjust, out) in pairs {
        if out < adjust {
            r.error(
                s.at,
                say!(
                    "{end} drift is out of control before it needs adjustment",
                    "{end_zh}漂移的失控限小于调节限"
                ),
                say!(
                    "`{end}_out_pct` is at least `{end}_adjust_pct`",
                    "`{end}_out_pct` 不应小于 `{end}_adjust_pct`"
                ),
            );
        }
    }
    s.finish(r);
    rule
}

fn rounding(s: Section<'_>, r: &mut Report) -> QaRounding {
    must(&s, r, "mode");
    let mode = s.word(r, "mode", &ROUNDINGS);
    let rounding = QaRounding {
        mode: mode.map_or(ROUNDINGS[0].1, |got| got.value),
        pct_decimals: whole(&s, r, "pct_decimals", 0..=DECIMALS_MAX),
        mean_decimals: s
            .integer(r, "mean_decimals", 0..=DECIMALS_MAX)
            .map(|got| got.value),
    };
    s.finish(r);
    rounding
}
