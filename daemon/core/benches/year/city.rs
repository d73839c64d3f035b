//! An invented stack and an invented discharge, and minutes for them: ten factors each, every
//! minute another value, some minutes without one.

use cems_core::engine::Contact;
use cems_core::model::*;
use rust_decimal::Decimal;

/// 2026-01-01 at the site.
const BEGIN: Timestamp = Timestamp(1_767_196_800_000);

/// The instant so many minutes after the beginning of the year.
pub(crate) fn minute(n: i64) -> Timestamp {
    BEGIN.plus_ms(n * time::MINUTE_MS)
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Code, pollutant, middle of the readings and their spread in units of the last decimal, decimals.
type Factor = (&'static str, bool, u64, u64, u32);

const STACK: [Factor; 10] = [
    ("a34013", true, 82, 60, 1),
    ("a21026", true, 2_350, 1_800, 2),
    ("a21002", true, 4_120, 2_500, 2),
    ("a21005", true, 312, 200, 1),
    ("a05001", true, 1_234, 300, 1),
    ("a19001", false, 743, 300, 2),
    ("a01011", false, 1_285, 400, 2),
    ("a01012", false, 1_214, 100, 1),
    ("a01013", false, 150, 90, 3),
    ("a01014", false, 831, 120, 2),
];

const DISCHARGE: [Factor; 10] = [
    ("w00000", false, 2_150, 900, 2),
    ("w01001", true, 742, 60, 2),
    ("w01018", true, 382, 150, 1),
    ("w21003", true, 2_312, 900, 3),
    ("w21011", true, 231, 90, 3),
    ("w21001", true, 8_120, 2_000, 3),
    ("w01010", false, 214, 20, 1),
    ("w01012", true, 121, 60, 1),
    ("w20116", true, 12, 8, 3),
    ("w20122", true, 31, 20, 3),
];

pub(crate) const GAS: &str = "stack";
pub(crate) const WATER: &str = "discharge";

pub(crate) fn factors(outlet: &str) -> [Factor; 10] {
    if outlet == GAS { STACK } else { DISCHARGE }
}

fn limit(period: LimitPeriod, converted: bool, upper: u64, scale: u32) -> Limit {
    Limit {
        id: "permit".into(),
        period,
        converted,
        upper: Some(Decimal::from_i128_with_scale(i128::from(upper), scale)),
        lower: None,
        from: None,
        until: None,
        source: "invented permit".into(),
        kind: LimitKind::Permit,
        not_during: Vec::new(),
        special: None,
    }
}

fn outlet_factor(outlet: &str, (code, pollutant, middle, spread, scale): Factor) -> OutletFactor {
    let gas = outlet == GAS;
    let period = if gas {
        LimitPeriod::Hour
    } else {
        LimitPeriod::Day
    };
    let limits = pollutant.then(|| limit(period, gas, middle + spread / 12, scale));
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
        kg_per_unit_m3: dec(if gas { "0.000001" } else { "0.001" }),
        limits: limits.into_iter().collect(),
    }
}

fn outlet(id: &str) -> Outlet {
    let gas = GasSettings {
        area_m2: dec("12.57"),
        velocity_coefficient: dec("0.97"),
        atmospheric_pressure_pa: dec("101080"),
        reference_o2_pct: Some(dec("6")),
        o2_is_wet: false,
    };
    let water = WaterSettings {
        weighted_mean: true,
    };
    let of = factors(id).map(|factor| outlet_factor(id, factor));
    Outlet {
        id: id.into(),
        enterprise: "acme".into(),
        name: id.into(),
        name_en: None,
        medium: if id == GAS {
            Medium::Gas
        } else {
            Medium::Water
        },
        mn: id.into(),
        password_sha256: None,
        allowed_sources: Vec::new(),
        profile: "annex-d@1".into(),
        gas: (id == GAS).then_some(gas),
        water: (id == WATER).then_some(water),
        factors: of.into_iter().map(|f| (f.code.clone(), f)).collect(),
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

pub(crate) fn registry() -> Registry {
    let acme = Enterprise {
        id: "acme".into(),
        name: "虚构化工有限公司".into(),
        name_en: None,
        region: "r".into(),
        credit_code: None,
        permitted: Vec::new(),
    };
    let profile = Profile::annex_d("annex-d@1");
    Registry {
        site_name: "Invented city".into(),
        offset: UtcOffset::default(),
        regions: [("r".into(), "虚构区".into())].into(),
        enterprises: [("acme".into(), acme)].into(),
        outlets: [GAS, WATER].map(|id| (id.into(), outlet(id))).into(),
        profiles: [(profile.id.clone(), profile)].into(),
        special_periods: Default::default(),
    }
}

/// Readings that wander about their middle, always the same ones.
pub(crate) struct Readings {
    seed: u64,
    levels: [u64; 10],
}

impl Readings {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            levels: [500; 10],
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % below.max(1)
    }

    /// The flag of the next record: some are of faults, calibrations or stops.
    pub(crate) fn flag(&mut self) -> &'static str {
        match self.random(1_000) {
            0..12 => "D",
            12..20 => "C",
            20..24 => "F",
            _ => "N",
        }
    }

    /// The next value of factor number `n`.
    pub(crate) fn next(&mut self, n: usize, (_, _, middle, spread, scale): Factor) -> Decimal {
        let step = self.random(41);
        let level = (self.levels[n] + step).saturating_sub(20).min(1_000);
        self.levels[n] = level;
        let noise = self.random(spread / 10 + 1);
        let value = middle + spread * level / 1_000 + noise - spread / 2;
        Decimal::from_i128_with_scale(i128::from(value), scale)
    }

    /// The minute record number `n` of an outlet.
    pub(crate) fn record(&mut self, outlet: &str, n: i64) -> Record {
        let flag = self.flag();
        let values = factors(outlet).into_iter().enumerate().map(|(i, factor)| {
            let value = self.next(i, factor);
            Value {
                factor: factor.0.into(),
                sent_as: None,
                rtd: None,
                avg: Some(Number {
                    value,
                    text: value.to_string().into(),
                }),
                min: None,
                max: None,
                cou: None,
                converted: None,
                flag: Some(Flag(flag.into())),
                unreadable: None,
            }
        });
        let values = values.collect();
        Record {
            outlet: outlet.into(),
            kind: RecordKind::Minute,
            start: minute(n),
            resent: false,
            values,
        }
    }
}

pub(crate) fn contact(outlet: &str) -> Contact {
    Contact {
        mn: outlet.into(),
        outlet: outlet.into(),
        peer: "192.0.2.7:4000".into(),
        edition: "2017".into(),
        findings: Vec::new(),
        habits: Default::default(),
    }
}
