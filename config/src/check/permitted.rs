//! Permitted amounts (许可排放量): `[[outlet.permitted]]` and `[[enterprise.permitted]]`.

use super::factor::{Factors, Setting};
use super::special::{self, Here};
use crate::factors::FactorTable;
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::suggest;
use cems_core::model::{AmountPeriod, FactorCode, Medium, Outlet, OutletFactor, PermittedAmount};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Reads `[[outlet.permitted]]`.
pub(super) fn of_outlet(
    s: &Section<'_>,
    setting: &Setting<'_>,
    factors: &Factors,
    r: &mut Report,
) -> Vec<PermittedAmount> {
    let mut codes = Vec::new();
    let out = amounts(s, setting.source.as_ref(), setting.here, &mut codes, r);
    for code in &codes {
        check_factor(code, factors, r);
    }
    flow(&out, setting, factors, s.at, r);
    out
}

/// Reads the permitted amounts of an outlet or an enterprise; `codes` collects the factors as
/// written.
pub(super) fn amounts(
    s: &Section<'_>,
    source: Option<&String>,
    here: Here<'_>,
    codes: &mut Vec<Got<String>>,
    r: &mut Report,
) -> Vec<PermittedAmount> {
    let mut out: Vec<PermittedAmount> = Vec::new();
    let mut first: BTreeMap<(FactorCode, AmountPeriod, Option<SmolStr>), At> = BTreeMap::new();
    for entry in s.sections(r, "permitted") {
        let at = entry.at;
        let Some((code, amount)) = one(entry, source, here, r) else {
            continue;
        };
        codes.push(code);
        let key = (amount.factor.clone(), amount.period, amount.special.clone());
        if let Some(other) = first.insert(key, at) {
            let (code, place) = (&amount.factor, r.place(other));
            r.error(
                at,
                say!(
                    "two permitted amounts of {code} for one period",
                    "{code} 同一周期的许可排放量重复"
                ),
                say!("the other one is at {place}", "另一处在 {place}"),
            );
        }
        out.push(amount);
    }
    compare_periods(&out, s.at, r);
    out
}

fn one(
    s: Section<'_>,
    source: Option<&String>,
    here: Here<'_>,
    r: &mut Report,
) -> Option<(Got<String>, PermittedAmount)> {
    let factor = s.need_text(r, "factor", say!("such as \"a21026\"", "如 \"a21026\""));
    let (period, special) = period(&s, here, r);
    let amount_kg = amount(&s, r);
    let warn_at_pct = shares(&s, r);
    let own = s.text(r, "source").map(|got| got.value);
    let source = own.or_else(|| source.cloned()).unwrap_or_else(|| {
        r.warn(
            s.at,
            say!(
                "the permitted amount does not say where it comes from",
                "许可排放量未注明来源"
            ),
            say!(
                "`permit` around it, or `source`",
                "在上一级写 `permit`，或写 `source`"
            ),
        );
        String::new()
    });
    s.finish(r);
    let factor = factor?;
    let amount = PermittedAmount {
        factor: FactorCode::new(&factor.value),
        period: period?,
        amount_kg,
        warn_at_pct,
        source,
        special,
    };
    Some((factor, amount))
}

/// `period`, and `special` where it is a special period.
fn period(
    s: &Section<'_>,
    here: Here<'_>,
    r: &mut Report,
) -> (Option<AmountPeriod>, Option<SmolStr>) {
    let periods = [
        ("month", AmountPeriod::Month),
        ("year", AmountPeriod::Year),
        ("special", AmountPeriod::Special),
    ];
    if s.item("period").is_none() {
        s.missing(
            r,
            "period",
            say!(
                "\"month\", \"year\" or \"special\"",
                "填 \"month\"（月）、\"year\"（年）或 \"special\"（特殊时段）"
            ),
        );
    }
    let period = s.word(r, "period", &periods).map(|got| got.value);
    let named = s.item("special").map(|item| item.at);
    let special = special::named(s, here, r);
    match (period, named) {
        (Some(AmountPeriod::Special), None) => {
            let what = ("an amount of a special period", "特殊时段许可排放量");
            special::missing(s, what, r);
        }
        (Some(AmountPeriod::Month | AmountPeriod::Year), Some(at)) => r.error(
            at,
            say!(
                "`special` is for the period \"special\" only",
                "`special` 只用于 period = \"special\""
            ),
            say!(
                "write period = \"special\", or take the line out",
                "请写 period = \"special\"，或删除该行"
            ),
        ),
        _ => {}
    }
    (period, special)
}

fn check_factor(code: &Got<String>, factors: &Factors, r: &mut Report) {
    let value = &code.value;
    match factors.get(value.as_str()) {
        None => {
            let hint = if FactorTable::builtin().get(value).is_some() {
                say!(
                    "add an [[outlet.factor]] for it",
                    "请为其添加 [[outlet.factor]]"
                )
            } else {
                suggest::hint(value, factors.keys().map(FactorCode::as_str))
            };
            let what = say!(
                "the outlet has no factor {value}",
                "该排放口没有因子 {value}"
            );
            r.error(code.at, what, hint);
        }
        Some(factor) if !has_amount(factor) => no_amount(code, factor, r),
        Some(_) => {}
    }
}

/// `amount_t` or `amount_kg`.
fn amount(s: &Section<'_>, r: &mut Report) -> Decimal {
    let tonnes = s.decimal(r, "amount_t");
    let kilograms = s.decimal(r, "amount_kg");
    let given = match (tonnes, kilograms) {
        (Some(t), None) => t.map(|v| v.checked_mul(Decimal::ONE_THOUSAND).unwrap_or(v)),
        (None, Some(kg)) => kg,
        (None, None) => {
            let hint = say!(
                "amount_t in tonnes or amount_kg in kilograms",
                "填 amount_t（吨）或 amount_kg（千克）"
            );
            s.missing(r, "amount_t", hint);
            return Decimal::ONE;
        }
        (Some(_), Some(kg)) => {
            r.error(
                kg.at,
                say!("the amount is given twice", "许可排放量重复填写"),
                say!(
                    "amount_t or amount_kg, not both",
                    "amount_t 与 amount_kg 只填一个"
                ),
            );
            kg
        }
    };
    if given.value <= Decimal::ZERO {
        let value = given.value;
        r.error(
            given.at,
            say!(
                "the permitted amount cannot be {value}",
                "许可排放量不能是 {value}"
            ),
            say!("more than 0", "应大于 0"),
        );
    }
    given.value
}

/// Shares at which a warning is raised, ascending.
fn shares(s: &Section<'_>, r: &mut Report) -> Vec<Decimal> {
    let Some(item) = s.item("warn_at_pct") else {
        return [80, 90, 100].map(Decimal::from).to_vec();
    };
    let list: Vec<Got<Decimal>> = item
        .entries()
        .iter()
        .filter_map(|e| e.decimal(r, "warn_at_pct"))
        .collect();
    let ascending = list.is_sorted_by(|a, b| a.value < b.value);
    let inside =
        |got: &Got<Decimal>| got.value > Decimal::ZERO && got.value <= Decimal::ONE_HUNDRED;
    if !ascending || !list.iter().all(inside) {
        r.error(
            item.at,
            say!(
                "warning shares must rise and stay within 100 %",
                "预警比例须递增且不超过 100 %"
            ),
            say!("such as [80, 90, 100]", "如 [80, 90, 100]"),
        );
    }
    list.into_iter().map(|got| got.value).collect()
}

/// The factors of an enterprise's amounts must be measured at one of its outlets at least.
pub(super) fn check_enterprise(codes: &[Got<String>], outlets: &[&Outlet], r: &mut Report) {
    for code in codes {
        let value = &code.value;
        let at_outlets = || outlets.iter().filter_map(|o| o.factors.get(value.as_str()));
        if at_outlets().next().is_none() {
            let known = outlets.iter().flat_map(|o| o.factors.keys());
            let hint = if FactorTable::builtin().get(value).is_some() {
                say!(
                    "add an [[outlet.factor]] for it to the outlets that emit it",
                    "请在排放该污染物的排放口添加 [[outlet.factor]]"
                )
            } else {
                suggest::hint(value, known.map(FactorCode::as_str))
            };
            r.error(
                code.at,
                say!(
                    "no outlet of the enterprise has the factor {value}",
                    "该排污单位的排放口均没有因子 {value}"
                ),
                hint,
            );
        } else if let Some(factor) = at_outlets().find(|f| !has_amount(f)) {
            no_amount(code, factor, r);
        }
    }
}

fn has_amount(factor: &OutletFactor) -> bool {
    factor.pollutant && !factor.kg_per_unit_m3.is_zero()
}

fn no_amount(code: &Got<String>, factor: &OutletFactor, r: &mut Report) {
    let (value, unit) = (&code.value, &factor.unit);
    r.error(
        code.at,
        say!(
            "no amount can be computed of {value} in {unit}",
            "{value}（{unit}）不能计算排放量"
        ),
        say!(
            "amounts are computed of pollutants in mg/m3, mg/L and the like",
            "排放量只对以 mg/m3、mg/L 等计量的污染物计算"
        ),
    );
}

fn compare_periods(amounts: &[PermittedAmount], at: At, r: &mut Report) {
    for month in amounts.iter().filter(|a| a.period == AmountPeriod::Month) {
        let more = amounts.iter().any(|year| {
            year.period == AmountPeriod::Year
                && year.factor == month.factor
                && year.amount_kg < month.amount_kg
        });
        if more {
            let code = &month.factor;
            r.warn(
                at,
                say!(
                    "{code}: a month may emit more than the year",
                    "{code}：月许可量大于年许可量"
                ),
                say!(
                    "check amount_t against amount_kg",
                    "请核对 amount_t 与 amount_kg"
                ),
            );
        }
    }
}

/// Amounts need a flow.
fn flow(
    amounts: &[PermittedAmount],
    setting: &Setting<'_>,
    factors: &Factors,
    at: At,
    r: &mut Report,
) {
    let codes: &[&str] = match setting.medium {
        Medium::Gas => &["a01011", "a00000"],
        Medium::Water => &["w00000"],
    };
    if amounts.is_empty() || codes.iter().any(|c| factors.contains_key(*c)) {
        return;
    }
    let list = codes.join(" / ");
    r.error(
        at,
        say!(
            "permitted amounts without a flow: {list}",
            "有许可排放量但没有流量因子：{list}"
        ),
        say!("add it to `auxiliary`", "请加入 `auxiliary`"),
    );
}
