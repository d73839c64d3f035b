//! Shares, periods and sums of permitted amounts.

use super::*;
use crate::fixture::{dec, minute, registry};
use crate::model::OutletId;

const DAY_MIN: i64 = 1_440;

fn permitted(amount_kg: &str, period: AmountPeriod) -> PermittedAmount {
    PermittedAmount {
        factor: "a21026".into(),
        period,
        amount_kg: dec(amount_kg),
        warn_at_pct: vec![dec("90"), dec("80")],
        source: "invented permit".into(),
        special: None,
    }
}

fn special(from: i64, until: i64) -> SpecialPeriod {
    SpecialPeriod {
        id: "red-alert".into(),
        name: "重污染天气Ⅰ级响应".into(),
        from: minute(from),
        until: minute(until),
        regions: Vec::new(),
        source: "invented order".into(),
    }
}

fn reached(amount: &str, total: &str) -> Vec<String> {
    shares(&permitted(amount, AmountPeriod::Year), dec(total))
        .into_iter()
        .filter(|s| s.reached)
        .map(|s| format!("{}{}", s.share_pct, if s.exceedance { "!" } else { "" }))
        .collect()
}

#[test]
fn warnings_at_the_share_and_exceedance_strictly_above_the_whole() {
    assert_eq!(reached("1000", "799.999"), [""; 0]);
    assert_eq!(reached("1000", "800"), ["80"]);
    assert_eq!(reached("1000", "950"), ["80", "90"]);
    assert_eq!(reached("1000", "1000"), ["80", "90"]);
    assert_eq!(reached("1000", "1000.001"), ["80", "90", "100!"]);
}

#[test]
fn where_nothing_is_permitted_any_emission_exceeds_and_no_share_is_made_up() {
    for amount in ["0", "-5"] {
        assert_eq!(reached(amount, "0"), [""; 0]);
        assert_eq!(reached(amount, "0.001"), ["100!"]);
        assert_eq!(used_pct(dec(amount), dec("1")), None);
    }
    assert_eq!(used_pct(dec("1000"), dec("805")), Some(dec("80.5")));
    assert_eq!(used_pct(dec("1"), Decimal::MAX), None);
}

#[test]
fn a_permitted_amount_has_its_month_its_year_or_its_special_period() {
    let mut known = BTreeMap::new();
    let at = (minute(600), UtcOffset::default());
    let of = |p: &PermittedAmount, known: &_| span(p, known, Some(&"r".into()), at);
    let month = permitted("1", AmountPeriod::Month);
    let march = (minute(-30 * DAY_MIN), minute(DAY_MIN));
    assert_eq!(of(&month, &known), Ok(march));
    let year = of(&permitted("1", AmountPeriod::Year), &known).unwrap();
    assert_eq!(year.1.since_ms(year.0), 366 * crate::model::time::DAY_MS);
    let mut red = permitted("1", AmountPeriod::Special);
    assert_eq!(of(&red, &known), Err(why::SPECIAL_NOT_NAMED));
    red.special = Some("red-alert".into());
    assert_eq!(of(&red, &known), Err(why::SPECIAL_UNKNOWN));
    let mut declared = special(0, 3 * DAY_MIN);
    declared.regions = vec!["elsewhere".into()];
    known.insert("red-alert".into(), declared.clone());
    assert_eq!(of(&red, &known), Err(why::SPECIAL_ELSEWHERE));
    declared.regions.push("r".into());
    known.insert("red-alert".into(), declared);
    assert_eq!(of(&red, &known), Ok((minute(0), minute(3 * DAY_MIN))));
}

#[test]
fn an_enterprise_is_the_sum_of_its_outlets_and_says_which_are_missing() {
    let mut city = registry();
    let stack = city.outlets["dc-01"].clone();
    for id in ["dc-02", "dc-03", "other"] {
        let mut more = stack.clone();
        more.id = id.into();
        if id == "other" {
            more.enterprise = "bolt".into();
        }
        city.outlets.insert(id.into(), more);
    }
    let figure = |id: &OutletId| match id.as_str() {
        "dc-01" => Some(dec("10.5")),
        "dc-03" => Some(dec("0")),
        "other" => Some(dec("1000")),
        _ => None,
    };
    let total = enterprise_total(&city, &"acme".into(), &"a21026".into(), figure);
    assert_eq!(total.total_kg, Some(dec("10.5")));
    // The discharge has no SO2 and is not missing.
    assert_eq!(total.missing, ["dc-02".into()]);
    let none = enterprise_total(&city, &"acme".into(), &"a21026".into(), |_| None);
    assert_eq!((none.total_kg, none.missing.len()), (None, 3));
    let much = |_: &OutletId| Some(Decimal::MAX);
    let over = enterprise_total(&city, &"acme".into(), &"a21026".into(), much);
    assert_eq!((over.total_kg, over.missing.len()), (None, 0));
}

#[test]
fn a_special_period_is_the_sum_of_the_days_it_touches() {
    // From noon of the first day to the end of the fourth; it is noon of the third.
    let period = special(720, 4 * DAY_MIN);
    let day = |n: i64| minute(n * DAY_MIN);
    let as_of = (minute(2 * DAY_MIN + 720), UtcOffset::default());
    let of = |days: [Option<&str>; 5]| {
        special_total(&period, as_of, |start| {
            let n = (0..5).find(|n| day(*n) == start).unwrap();
            days[usize::try_from(n).unwrap()].map(dec)
        })
    };
    let total = of([Some("5"), None, Some("2"), Some("100"), Some("100")]);
    assert_eq!(total.total_kg, Some(dec("7")));
    assert_eq!((total.days, total.missing), (2, vec![day(1)]));
    assert_eq!(total.partial, [day(0)]);
    // The day that runs is not missing yet.
    let empty = of([None; 5]);
    assert_eq!(empty.total_kg, None);
    assert_eq!(empty.missing, [day(0), day(1)]);
    let before = special_total(&period, (minute(0), as_of.1), |_| Some(dec("1")));
    assert_eq!(before, SpecialTotal::default());
}
