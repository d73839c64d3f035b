//! A small invented city for tests, and a bench that runs the engine against a past in memory.

use crate::engine::{Contact, Engine, Event, Input, MemoryHistory, Tables};
use crate::model::*;
use rust_decimal::Decimal;
use std::sync::Arc;

mod policy;

pub(crate) use policy::policy;

pub(crate) const GAS: &str = "dc-01";
pub(crate) const WATER: &str = "ws-01";

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// 2020-03-31 at the site, minutes after midnight.
pub(crate) fn minute(n: i64) -> Timestamp {
    Timestamp(1_585_584_000_000).plus_ms(n * time::MINUTE_MS)
}

fn profile() -> Profile {
    Profile::annex_d("plain@1")
}

pub(crate) fn limit(id: &str, period: LimitPeriod, converted: bool, upper: &str) -> Limit {
    Limit {
        id: id.into(),
        period,
        converted,
        upper: Some(dec(upper)),
        lower: None,
        from: None,
        until: None,
        source: "invented permit".into(),
        kind: LimitKind::Permit,
        not_during: Vec::new(),
        special: None,
    }
}

pub(crate) fn factor(code: &str, pollutant: bool, kg: &str, limits: Vec<Limit>) -> OutletFactor {
    OutletFactor {
        code: code.into(),
        name_zh: code.into(),
        name_en: code.into(),
        unit: "mg/m3".into(),
        decimals: 1,
        pollutant,
        basis: Basis::StandardDry,
        range_min: None,
        range_max: None,
        detection_limit: None,
        old_unit_multiplier: None,
        kg_per_unit_m3: dec(kg),
        limits,
    }
}

fn outlet(id: &str, medium: Medium, mn: &str, factors: Vec<OutletFactor>) -> Outlet {
    let gas = GasSettings {
        area_m2: dec("20"),
        velocity_coefficient: dec("1"),
        atmospheric_pressure_pa: dec("101325"),
        reference_o2_pct: Some(dec("6")),
        o2_is_wet: false,
    };
    Outlet {
        id: id.into(),
        enterprise: "acme".into(),
        name: id.into(),
        name_en: None,
        medium,
        mn: mn.into(),
        password_sha256: None,
        allowed_sources: Vec::new(),
        profile: "plain@1".into(),
        gas: (medium == Medium::Gas).then_some(gas),
        water: (medium == Medium::Water).then_some(WaterSettings {
            weighted_mean: true,
        }),
        factors: factors.into_iter().map(|f| (f.code.clone(), f)).collect(),
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

/// One stack (dust, SO2, NOx) and one discharge (COD, NH3-N, pH).
pub(crate) fn registry() -> Registry {
    let hour = |upper| vec![limit("h", LimitPeriod::Hour, true, upper)];
    let day = |upper| vec![limit("d", LimitPeriod::Day, false, upper)];
    let gas = vec![
        factor("a34013", true, "0.000001", hour("20")),
        factor("a21026", true, "0.000001", hour("50")),
        factor("a21002", true, "0.000001", hour("200")),
        factor("a19001", false, "0", vec![]),
    ];
    let mut ph = factor("w01001", true, "0", day("9"));
    ph.limits[0].lower = Some(dec("6"));
    let water = vec![
        factor("w01018", true, "0.001", day("100")),
        factor("w21003", true, "0.001", day("8")),
        ph,
        factor("w00000", false, "0", vec![]),
    ];
    let acme = Enterprise {
        id: "acme".into(),
        name: "虚构化工有限公司".into(),
        name_en: None,
        region: "r".into(),
        credit_code: None,
        permitted: Vec::new(),
    };
    let outlets = [
        outlet(GAS, Medium::Gas, "MN-GAS", gas),
        outlet(WATER, Medium::Water, "MN-WATER", water),
    ];
    Registry {
        site_name: "Invented city".into(),
        offset: UtcOffset::default(),
        regions: [("r".into(), "虚构区".into())].into(),
        enterprises: [("acme".into(), acme)].into(),
        outlets: outlets.into_iter().map(|o| (o.id.clone(), o)).collect(),
        profiles: [("plain@1".into(), profile())].into(),
        special_periods: Default::default(),
    }
}

pub(crate) fn number(text: &str) -> Number {
    Number {
        value: dec(text),
        text: text.into(),
    }
}

/// A mean with its flag.
pub(crate) fn value(code: &str, text: &str, flag: &str) -> Value {
    Value {
        factor: code.into(),
        sent_as: None,
        rtd: None,
        avg: Some(number(text)),
        min: None,
        max: None,
        cou: None,
        converted: None,
        flag: Some(Flag(flag.into())),
        unreadable: None,
    }
}

pub(crate) fn record(
    outlet: &str,
    kind: RecordKind,
    start: Timestamp,
    values: Vec<Value>,
) -> Record {
    Record {
        outlet: outlet.into(),
        kind,
        start,
        resent: false,
        values,
    }
}

pub(crate) fn contact(outlet: &str) -> Contact {
    Contact {
        mn: if outlet == GAS { "MN-GAS" } else { "MN-WATER" }.into(),
        outlet: outlet.into(),
        peer: "192.0.2.7:4000".into(),
        edition: "2017".into(),
        findings: vec!["lower-case-hex".into()],
        habits: Default::default(),
    }
}

pub(crate) fn data(record: Record) -> Event {
    Event::Record(contact(record.outlet.as_str()), record)
}

/// The minute records of the day of a stack.
pub(crate) fn gas_day() -> Vec<Record> {
    rows(include_str!("../testdata/day-gas.csv"), |n, c| {
        let v = |code: &str, i: usize, flag: usize| value(code, c[i], c[flag]);
        let values = vec![
            v("a34013", 1, 2),
            v("a21026", 3, 4),
            v("a21002", 5, 6),
            v("a19001", 7, 8),
            v("a01012", 9, 13),
            v("a01013", 10, 13),
            v("a01014", 11, 13),
            v("a01011", 12, 13),
        ];
        record(GAS, RecordKind::Minute, minute(n), values)
    })
}

/// The minute records of the day of a discharge.
pub(crate) fn water_day() -> Vec<Record> {
    rows(include_str!("../testdata/day-water.csv"), |n, c| {
        let values = vec![
            value("w01018", c[1], c[2]),
            value("w21003", c[3], c[4]),
            value("w01001", c[5], c[6]),
            value("w00000", c[7], c[8]),
        ];
        record(WATER, RecordKind::Minute, minute(n), values)
    })
}

fn rows(csv: &str, row: impl Fn(i64, &[&str]) -> Record) -> Vec<Record> {
    let lines = csv.lines().skip(1).zip(0..);
    lines
        .map(|(line, n)| row(n, &line.split(',').collect::<Vec<_>>()))
        .collect()
}

/// Engine and past.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) past: MemoryHistory,
    pub(crate) seq: u64,
}

impl Bench {
    /// With `registry` in force at `at`.
    pub(crate) fn with(registry: Registry, at: Timestamp) -> Self {
        let mut bench = Self::default();
        bench.send(at, Event::Registry(Arc::new(registry)));
        bench
    }

    pub(crate) fn send(&mut self, at: Timestamp, event: Event) {
        self.seq += 1;
        let seq = Seq(self.seq);
        let past = &self.past;
        self.engine
            .step(Input { seq, at, event }, past, &mut |out| past.apply(out));
    }

    pub(crate) fn tick(&mut self, at: Timestamp) {
        self.send(at, Event::Tick);
    }

    pub(crate) fn flush(&mut self) {
        let past = &self.past;
        self.engine.flush(&mut |out| past.apply(out));
    }

    /// Flushes and throws the engine away.
    pub(crate) fn restart(&mut self) {
        self.flush();
        self.engine = Engine::restore(self.past.state_rows()).unwrap();
    }

    pub(crate) fn tables(&mut self) -> Tables {
        self.flush();
        self.past.tables()
    }

    /// An aggregate of the tables.
    pub(crate) fn aggregate(&self, outlet: &str, level: Level, start: Timestamp) -> AggregateRow {
        let key = (outlet.into(), level, start);
        self.past.tables().aggregates[&key].clone()
    }
}
