//! A small invented world for the cases: one stack, one set of rules, one real day of its minutes.

use cems_core::limits;
use cems_core::model::profile::{IncinerationRule, MarkRules};
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{
    AggregateRow, Basis, Expectation, FactorAggregate, FactorCode, FallbackRule, Flag, GasSettings,
    Level, Limit, LimitKind, LimitPeriod, Medium, Number, Outlet, OutletFactor, Profile,
    RecordKind, RecordRow, Seq, StoredValue, Timestamp, Value,
};
use cems_core::validate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Pollutants by the names of the cases.
pub(crate) const POLLUTANTS: [(&str, &str); 5] = [
    ("pm", "a34013"),
    ("so2", "a21026"),
    ("nox", "a21002"),
    ("hcl", "a21024"),
    ("co", "a21005"),
];

/// 2020-03-31 at the site, minutes after midnight.
pub(crate) fn minute(n: i64) -> Timestamp {
    Timestamp(1_585_584_000_000).plus_ms(n * MINUTE_MS)
}

/// HJ 212-2017 annex D with the thresholds of HJ 76-2017; chains of a quarter of an hour; order 10.
pub(crate) fn rules() -> Profile {
    Profile {
        marks: MarkRules {
            chain_min: 15,
            kinds: BTreeMap::new(),
        },
        incineration: Some(IncinerationRule {
            furnace_factor: "a01901".into(),
            furnace_min_c: Decimal::from(850u32),
            furnace_low_max: 5,
            pollutants: POLLUTANTS.map(|(_, code)| code.into()).into(),
            exceeded_days_max: 5,
        }),
        ..Profile::annex_d("world@1")
    }
}

/// A stack with the five pollutants, all reported dry at the standard state, without limits.
pub(crate) fn stack() -> Outlet {
    let factors = POLLUTANTS.map(|(_, code)| (code.into(), pollutant(code)));
    Outlet {
        id: "stack".into(),
        enterprise: "enterprise".into(),
        name: "stack".into(),
        name_en: None,
        medium: Medium::Gas,
        mn: "MN".into(),
        password_sha256: None,
        allowed_sources: Vec::new(),
        profile: "world@1".into(),
        gas: Some(GasSettings {
            area_m2: Decimal::from(20u32),
            velocity_coefficient: Decimal::ONE,
            atmospheric_pressure_pa: Decimal::from(101_325u32),
            reference_o2_pct: Some(Decimal::from(6u32)),
            o2_is_wet: false,
        }),
        water: None,
        factors: factors.into(),
        expectation: Expectation {
            realtime_s: None,
            minute_min: Some(1),
            hour: false,
            no_data_after_s: 1_800,
        },
        fallback: FallbackRule {
            opens_after_min: 60,
            closes_after_min: 0,
            max_gap_min: 360,
            reports_per_day: 4,
            ..FallbackRule::default()
        },
        permitted: Vec::new(),
        forward: false,
        feeds: false,
    }
}

fn pollutant(code: &str) -> OutletFactor {
    OutletFactor {
        code: code.into(),
        name_zh: code.into(),
        name_en: code.into(),
        unit: "mg/m3".into(),
        decimals: 1,
        pollutant: true,
        basis: Basis::StandardDry,
        range_min: None,
        range_max: None,
        detection_limit: None,
        old_unit_multiplier: None,
        kg_per_unit_m3: Decimal::new(1, 6),
        limits: Vec::new(),
    }
}

/// An upper limit on the day mean as measured.
pub(crate) fn day_limit(upper: Decimal) -> Limit {
    Limit {
        id: "day".into(),
        period: LimitPeriod::Day,
        converted: false,
        upper: Some(upper),
        lower: None,
        from: None,
        until: None,
        source: "case".into(),
        kind: LimitKind::National,
        not_during: Vec::new(),
        special: None,
    }
}

/// A mean that counts.
pub(crate) fn valid(mean: Decimal) -> FactorAggregate {
    FactorAggregate {
        mean: Some(mean),
        valid: true,
        ..FactorAggregate::default()
    }
}

/// The row of a period with these factors.
pub(crate) fn row(
    level: Level,
    start: Timestamp,
    factors: BTreeMap<FactorCode, FactorAggregate>,
) -> AggregateRow {
    AggregateRow {
        outlet: "stack".into(),
        level,
        start,
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: None,
        factors,
        profile: "world@1".into(),
        received: 0,
        due: 0,
        seq: Seq(1),
        superseded: 0,
    }
}

/// The row of a day with these means, judged by the limits of the outlet.
pub(crate) fn judged_day(
    outlet: &Outlet,
    start: Timestamp,
    means: &[(FactorCode, Decimal)],
) -> AggregateRow {
    let judged = means.iter().map(|(code, mean)| {
        let mut factor = valid(*mean);
        let settings = &outlet.factors[code];
        let of = limits::Circumstances {
            outlet,
            profile: &rules(),
            level: Level::Day,
            start,
            o2_valid: true,
            marks: &[],
            special_periods: &BTreeMap::new(),
            region: None,
        };
        factor.limits = limits::judge(&factor, settings, &of).verdicts;
        (code.clone(), factor)
    });
    row(Level::Day, start, judged.collect())
}

/// The minute records of a real day of a stack, 2020-03-31, each value with its verdict.
pub(crate) fn stack_day(outlet: &Outlet, rules: &Profile) -> Vec<RecordRow> {
    let table = include_str!("../../testdata/day-gas.csv");
    let lines = table.lines().skip(1).zip(0..);
    lines
        .map(|(line, n)| {
            let cell: Vec<&str> = line.split(',').collect();
            let columns = [
                ("a34013", 1, 2),
                ("a21026", 3, 4),
                ("a21002", 5, 6),
                ("a19001", 7, 8),
                ("a01012", 9, 13),
                ("a01013", 10, 13),
                ("a01014", 11, 13),
                ("a01011", 12, 13),
            ];
            let values = columns.map(|(code, text, flag)| {
                let value = sent(code, cell[text], cell[flag]);
                (code.into(), stored(value, outlet, rules))
            });
            RecordRow {
                outlet: outlet.id.clone(),
                kind: RecordKind::Minute,
                start: minute(n),
                resent: false,
                values: values.into(),
            }
        })
        .collect()
}

fn sent(code: &str, text: &str, flag: &str) -> Value {
    Value {
        factor: code.into(),
        sent_as: None,
        rtd: None,
        avg: Some(Number {
            value: text.parse().unwrap(),
            text: text.into(),
        }),
        min: None,
        max: None,
        cou: None,
        converted: None,
        flag: Some(Flag(flag.into())),
        unreadable: None,
    }
}

fn stored(value: Value, outlet: &Outlet, rules: &Profile) -> StoredValue {
    let checks = validate::failed(&value, outlet, rules);
    StoredValue {
        valid: checks.is_empty(),
        checks,
        received_at: minute(0),
        seq: Seq(1),
        superseded: 0,
        value,
    }
}
