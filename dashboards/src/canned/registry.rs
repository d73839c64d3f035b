//! A small fictional county: five enterprises, nine outlets, every state of an outlet.

use cems_core::model::{
    AmountPeriod, Basis, Enterprise, EnterpriseId, Expectation, FactorCode, FallbackRule,
    GasSettings, Limit, LimitId, LimitKind, LimitPeriod, Medium, Mn, Outlet, OutletFactor,
    OutletId, PermittedAmount, Profile, ProfileId, RegionId, Registry, UtcOffset, WaterSettings,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A decimal written in this file.
pub(super) fn dec(text: &str) -> Decimal {
    text.parse().unwrap_or_default()
}

/// A factor: code, names, unit, decimals, hour limit (lower, upper), greatest of its range.
type FactorRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u32,
    Option<&'static str>,
    Option<&'static str>,
    &'static str,
);

const GAS: [FactorRow; 3] = [
    (
        "a34013",
        "颗粒物",
        "Particulates",
        "mg/m³",
        2,
        None,
        Some("10"),
        "50",
    ),
    (
        "a21026",
        "二氧化硫",
        "Sulphur dioxide",
        "mg/m³",
        1,
        None,
        Some("35"),
        "200",
    ),
    (
        "a21002",
        "氮氧化物",
        "Nitrogen oxides",
        "mg/m³",
        1,
        None,
        Some("50"),
        "300",
    ),
];
const GAS_AUXILIARY: [FactorRow; 3] = [
    ("a19001", "氧含量", "Oxygen", "%", 2, None, None, "25"),
    (
        "a01012",
        "烟气温度",
        "Flue gas temperature",
        "°C",
        1,
        None,
        None,
        "300",
    ),
    (
        "a01011",
        "烟气流速",
        "Flue gas velocity",
        "m/s",
        2,
        None,
        None,
        "40",
    ),
];
const WATER: [FactorRow; 5] = [
    ("w01001", "pH 值", "pH", "", 2, Some("6"), Some("9"), "14"),
    (
        "w01018",
        "化学需氧量",
        "COD",
        "mg/L",
        1,
        None,
        Some("50"),
        "500",
    ),
    (
        "w21003",
        "氨氮",
        "Ammonia nitrogen",
        "mg/L",
        3,
        None,
        Some("5"),
        "50",
    ),
    (
        "w21011",
        "总磷",
        "Total phosphorus",
        "mg/L",
        3,
        None,
        Some("0.5"),
        "10",
    ),
    (
        "w21001",
        "总氮",
        "Total nitrogen",
        "mg/L",
        2,
        None,
        Some("15"),
        "100",
    ),
];
const WATER_AUXILIARY: [FactorRow; 1] = [("w00000", "流量", "Flow", "L/s", 2, None, None, "500")];

/// An outlet: id, enterprise, names, medium, MN.
type OutletRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Medium,
    &'static str,
);

const OUTLETS: [OutletRow; 9] = [
    (
        "qs-01",
        "qingshi",
        "1# 锅炉废气排放口",
        "Boiler 1 stack",
        Medium::Gas,
        "QS2017000000000000000001",
    ),
    (
        "qs-02",
        "qingshi",
        "2# 锅炉废气排放口",
        "Boiler 2 stack",
        Medium::Gas,
        "QS2017000000000000000002",
    ),
    (
        "hy-01",
        "heyan",
        "窑尾废气排放口",
        "Kiln tail stack",
        Medium::Gas,
        "HY20170000000000001",
    ),
    (
        "hy-02",
        "heyan",
        "窑头废气排放口",
        "Kiln head stack",
        Medium::Gas,
        "HY20170000000000002",
    ),
    (
        "bl-01",
        "bailu",
        "废水总排口",
        "Main discharge",
        Medium::Water,
        "88888880000001",
    ),
    (
        "bl-02",
        "bailu",
        "雨水排口",
        "Storm water discharge",
        Medium::Water,
        "88888880000002",
    ),
    (
        "yt-01",
        "yuntai",
        "焚烧炉废气排放口",
        "Incinerator stack",
        Medium::Gas,
        "YT2025000000000000000001",
    ),
    (
        "mx-01",
        "mingxi",
        "印染废水排放口",
        "Dye works discharge",
        Medium::Water,
        "MX20050001",
    ),
    (
        "mx-02",
        "mingxi",
        "定型机废气排放口",
        "Stenter stack",
        Medium::Gas,
        "MX20050002",
    ),
];

const ENTERPRISES: [(&str, &str, &str); 5] = [
    (
        "qingshi",
        "示例县青石热电有限公司",
        "Qingshi Heat and Power (fictional)",
    ),
    (
        "heyan",
        "示例县河岩水泥有限公司",
        "Heyan Cement (fictional)",
    ),
    ("bailu", "示例县白鹭造纸有限公司", "Bailu Paper (fictional)"),
    (
        "yuntai",
        "示例县云台环保能源有限公司",
        "Yuntai Waste to Energy (fictional)",
    ),
    (
        "mingxi",
        "示例县明溪印染有限公司",
        "Mingxi Dyeing (fictional)",
    ),
];

/// Profile all of them are judged by.
pub(super) const PROFILE: &str = "hj75-2017@1";

fn factor(row: &FactorRow, medium: Medium, pollutant: bool) -> OutletFactor {
    let (code, name_zh, name_en, unit, decimals, lower, upper, range_max) = *row;
    let limited = lower.is_some() || upper.is_some();
    let source = match medium {
        Medium::Gas => "示例许可证 91330000EXAMPLE 表 3",
        Medium::Water => "示例许可证 91330000EXAMPLE 表 5",
    };
    let limit = |period: LimitPeriod, id: &str| Limit {
        id: LimitId::new(id),
        period,
        converted: medium == Medium::Gas,
        upper: upper.map(dec),
        lower: lower.map(dec),
        from: None,
        until: None,
        source: source.to_owned(),
        kind: LimitKind::Permit,
        not_during: Vec::new(),
        special: None,
    };
    let period = match medium {
        Medium::Gas => LimitPeriod::Hour,
        Medium::Water => LimitPeriod::Day,
    };
    OutletFactor {
        code: FactorCode::new(code),
        name_zh: name_zh.to_owned(),
        name_en: name_en.to_owned(),
        unit: unit.to_owned(),
        decimals,
        pollutant,
        basis: Basis::StandardDry,
        range_min: Some(Decimal::ZERO),
        range_max: Some(dec(range_max)),
        detection_limit: None,
        old_unit_multiplier: None,
        kg_per_unit_m3: dec(if medium == Medium::Gas {
            "0.000001"
        } else {
            "0.001"
        }),
        limits: if limited {
            vec![limit(period, &format!("{code}-1"))]
        } else {
            Vec::new()
        },
    }
}

fn permitted(medium: Medium) -> Vec<PermittedAmount> {
    let rows: &[(&str, &str)] = match medium {
        Medium::Gas => &[("a21026", "48000"), ("a21002", "72000"), ("a34013", "9600")],
        Medium::Water => &[("w01018", "36500"), ("w21003", "3650")],
    };
    rows.iter()
        .map(|(code, kg)| PermittedAmount {
            factor: FactorCode::new(code),
            period: AmountPeriod::Year,
            amount_kg: dec(kg),
            warn_at_pct: vec![dec("80"), dec("90"), dec("100")],
            source: "示例许可证 91330000EXAMPLE 表 7".to_owned(),
            special: None,
        })
        .collect()
}

fn outlet(row: &OutletRow) -> Outlet {
    let (id, enterprise, name, name_en, medium, mn) = *row;
    let (main, auxiliary): (&[FactorRow], &[FactorRow]) = match medium {
        Medium::Gas => (&GAS, &GAS_AUXILIARY),
        Medium::Water => (&WATER, &WATER_AUXILIARY),
    };
    let factors = main
        .iter()
        .map(|f| factor(f, medium, true))
        .chain(auxiliary.iter().map(|f| factor(f, medium, false)))
        .map(|f| (f.code.clone(), f));
    Outlet {
        id: OutletId::new(id),
        enterprise: EnterpriseId::new(enterprise),
        name: name.to_owned(),
        name_en: Some(name_en.to_owned()),
        medium,
        mn: Mn::new(mn),
        password_sha256: None,
        allowed_sources: Vec::new(),
        profile: ProfileId::new(PROFILE),
        gas: (medium == Medium::Gas).then(|| GasSettings {
            area_m2: dec("12.57"),
            velocity_coefficient: dec("1.10"),
            atmospheric_pressure_pa: dec("101325"),
            reference_o2_pct: Some(dec("6")),
            o2_is_wet: false,
        }),
        water: (medium == Medium::Water).then_some(WaterSettings {
            weighted_mean: true,
        }),
        factors: factors.collect(),
        expectation: Expectation {
            realtime_s: Some(30),
            minute_min: Some(10),
            hour: true,
            no_data_after_s: 1_800,
        },
        fallback: FallbackRule {
            opens_after_min: 60,
            closes_after_min: 60,
            max_gap_min: 360,
            reports_per_day: 4,
            ..FallbackRule::default()
        },
        permitted: permitted(medium),
        forward: false,
        feeds: false,
    }
}

fn profile() -> Profile {
    Profile {
        title_zh: "固定污染源烟气与废水监测规则".to_owned(),
        title_en: "Stack gas and waste water monitoring rules".to_owned(),
        source: "HJ 75-2017, HJ 356-2019".to_owned(),
        o2_guard_pct: dec("20"),
        compare_rounded: true,
        marks: super::rules::marks(),
        qa: super::rules::qa(),
        ..Profile::annex_d(PROFILE)
    }
}

/// The registry.
pub(super) fn registry() -> Registry {
    let region = RegionId::new("330999");
    let enterprises = ENTERPRISES.map(|(id, name, name_en)| {
        let enterprise = Enterprise {
            id: EnterpriseId::new(id),
            name: name.to_owned(),
            name_en: Some(name_en.to_owned()),
            region: region.clone(),
            credit_code: None,
            permitted: Vec::new(),
        };
        (enterprise.id.clone(), enterprise)
    });
    let outlets = OUTLETS.iter().map(|row| {
        let outlet = outlet(row);
        (outlet.id.clone(), outlet)
    });
    let profile = profile();
    Registry {
        site_name: "示例县生态环境监控中心".to_owned(),
        offset: UtcOffset::default(),
        regions: BTreeMap::from([(region, "示例县".to_owned())]),
        enterprises: BTreeMap::from(enterprises),
        outlets: outlets.collect(),
        profiles: BTreeMap::from([(profile.id.clone(), profile)]),
        special_periods: BTreeMap::new(),
    }
}
