//! The city of the random month: a stack and a discharge under rules that know substitution, marks
//! and tests of the equipment; and how its registry changes in the middle.

use super::MONTH_FROM;
use crate::fixture::*;
use crate::model::profile::*;
use crate::model::time::DAY_MS;
use crate::model::*;

/// Minutes of a record.
pub(super) const STEP_MIN: u32 = 15;

fn tier(
    capture_min: &str,
    gap_max_h: Option<u32>,
    look_back_h: u32,
    take: Take,
) -> SubstitutionTier {
    SubstitutionTier {
        capture_min_pct: dec(capture_min),
        gap_max_h,
        look_back_h,
        take,
    }
}

/// A table in the shape of HJ 75, short enough that a month reaches all of its lines.
fn tiers(mean: Take) -> SubstitutionMethod {
    let tiers = vec![
        tier("85", Some(6), 48, mean),
        tier("85", None, 120, Take::Maximum),
        tier("60", None, 240, Take::Maximum),
        tier("0", None, 30, Take::Mean),
    ];
    SubstitutionMethod::Tiers { tiers }
}

fn mark_rules() -> MarkRules {
    let rule = |effect| MarkRule {
        effect,
        enter_within_h: None,
        late_counts: false,
        year_max_h: None,
        once_max_h: None,
    };
    let kinds = [
        (MarkKind::Maintenance, rule(MarkEffect::Invalid)),
        (
            MarkKind::Fault,
            MarkRule {
                once_max_h: Some(9),
                ..rule(MarkEffect::Invalid)
            },
        ),
        (
            MarkKind::Calibration,
            MarkRule {
                enter_within_h: Some(24),
                ..rule(MarkEffect::Invalid)
            },
        ),
        (
            MarkKind::StartUp,
            MarkRule {
                once_max_h: Some(6),
                year_max_h: Some(15),
                ..rule(MarkEffect::NotJudged)
            },
        ),
        (
            MarkKind::Shutdown,
            MarkRule {
                enter_within_h: Some(12),
                late_counts: true,
                ..rule(MarkEffect::NotJudged)
            },
        ),
        (MarkKind::Stopped, rule(MarkEffect::Stopped)),
        (MarkKind::SourceFault, rule(MarkEffect::Shown)),
    ];
    MarkRules {
        chain_min: 30,
        kinds: kinds.into(),
    }
}

fn qa_rules() -> QaRules {
    let drift = DriftRule {
        zero_adjust_pct: dec("2"),
        zero_out_pct: dec("5"),
        span_adjust_pct: dec("2"),
        span_out_pct: dec("5"),
        every_h: None,
    };
    QaRules {
        items: [
            ("a21026".into(), "so2".into()),
            ("a21002".into(), "nox".into()),
            ("w01018".into(), "cod".into()),
        ]
        .into(),
        drift: [("so2".into(), drift.clone()), ("nox".into(), drift)].into(),
        standard_pct: [("*".into(), dec("10"))].into(),
        ..QaRules::default()
    }
}

fn stack_profile(id: &str) -> Profile {
    Profile {
        substitution: SubstitutionRule {
            manual_first: true,
            manual_reach_h: 3,
            factors: vec!["a21026".into(), "a21002".into()],
            method: tiers(Take::Maximum),
        },
        marks: mark_rules(),
        qa: qa_rules(),
        day_min_valid_hours: 18,
        month_min_valid_days: 10,
        ..Profile::annex_d(id)
    }
}

fn pond_profile() -> Profile {
    Profile {
        substitution: SubstitutionRule {
            manual_first: true,
            manual_reach_h: 12,
            factors: Vec::new(),
            method: SubstitutionMethod::DailyMaximum { days: 10 },
        },
        day_threshold: DayThreshold::ShareOfDue,
        ..stack_profile("pond@1")
    }
}

fn permitted(factor: &str, period: AmountPeriod, kg: &str) -> PermittedAmount {
    PermittedAmount {
        factor: factor.into(),
        period,
        amount_kg: dec(kg),
        warn_at_pct: vec![dec("50"), dec("80")],
        source: "invented permit".into(),
        special: None,
    }
}

fn stack(outlet: &mut Outlet) {
    outlet.profile = "stack".into();
    outlet.expectation.minute_min = Some(STEP_MIN);
    outlet.permitted = vec![
        permitted("a21026", AmountPeriod::Month, "3000"),
        permitted("a21026", AmountPeriod::Year, "5000"),
    ];
    for code in ["a01011", "a01012", "a01013", "a01014"] {
        let auxiliary = factor(code, false, "0", Vec::new());
        outlet.factors.insert(code.into(), auxiliary);
    }
    let so2 = outlet.factors.get_mut("a21026").unwrap();
    so2.range_max = Some(dec("400"));
    so2.limits.push(limit("d", LimitPeriod::Day, false, "40"));
    let nox = outlet.factors.get_mut("a21002").unwrap();
    nox.limits[0].upper = Some(dec("90"));
    nox.limits[0].not_during = vec![MarkKind::StartUp, MarkKind::Shutdown];
    nox.limits.push(limit("d", LimitPeriod::Day, false, "60"));
    // In force for the first twelve days only.
    let dust = outlet.factors.get_mut("a34013").unwrap();
    dust.limits[0].upper = Some(dec("8"));
    dust.limits[0].until = Some(MONTH_FROM.plus_ms(12 * DAY_MS));
}

fn pond(outlet: &mut Outlet) {
    outlet.profile = "pond@1".into();
    outlet.expectation.minute_min = Some(STEP_MIN);
    outlet.permitted = vec![permitted("w01018", AmountPeriod::Month, "300")];
    let cod = outlet.factors.get_mut("w01018").unwrap();
    cod.range_max = Some(dec("500"));
    cod.limits.push(limit("h", LimitPeriod::Hour, false, "80"));
    cod.limits[0].upper = Some(dec("48"));
}

/// The city as it begins.
pub(super) fn city() -> Registry {
    let mut city = registry();
    city.profiles = [stack_profile("stack@1"), pond_profile()]
        .into_iter()
        .map(|profile| (profile.id.clone(), profile))
        .collect();
    stack(city.outlets.get_mut(GAS).unwrap());
    pond(city.outlets.get_mut(WATER).unwrap());
    city
}

/// The city as it goes on: another area of the duct, a changed limit, a limit replaced by one of
/// another name, another permit, and a new version of the stack's rules from `rules_from` on.
pub(super) fn changed_city(rules_from: Timestamp) -> Registry {
    let mut city = city();
    let stack = city.outlets.get_mut(GAS).unwrap();
    stack.gas.as_mut().unwrap().area_m2 = dec("23.5");
    stack.permitted[0].amount_kg = dec("2500");
    let so2 = stack.factors.get_mut("a21026").unwrap();
    so2.limits[0].upper = Some(dec("70"));
    let nox = stack.factors.get_mut("a21002").unwrap();
    nox.limits[0].id = "new".into();
    let second = Profile {
        from: Some(rules_from),
        hour_min_valid_minutes: 30,
        substitution: SubstitutionRule {
            method: tiers(Take::Mean),
            ..stack_profile("stack@1").substitution
        },
        ..stack_profile("stack@2")
    };
    let first = city.profiles.get_mut("stack@1").unwrap();
    first.until = Some(rules_from);
    city.profiles.insert(second.id.clone(), second);
    let pond = city.outlets.get_mut(WATER).unwrap();
    pond.water.as_mut().unwrap().weighted_mean = false;
    city
}
