//! The factor table (监测因子表): codes, names, units and where they come from, as data
//! (`config/tables/factors.toml`), and the way from a code as sent to a 2017 code with its unit.

#[cfg(test)]
mod tests;

use crate::units::{Dimension, Unit};
use cems_core::model::{FactorCode, Medium, Outlet};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const BUILTIN: &str = include_str!("../../tables/factors.toml");

/// The code was written in other letter case than the table's.
pub const FINDING_CASE: &str = "factor.case";
/// A 2005 code in a frame of a later edition.
pub const FINDING_OLD_CODE: &str = "factor.old-code";
/// A 2005 code without a successor in 2017; kept as sent.
pub const FINDING_NO_SUCCESSOR: &str = "factor.no-successor";
/// A 2005 code whose unit the standard leaves open; the usual one was assumed.
pub const FINDING_UNIT_ASSUMED: &str = "factor.unit-assumed";
/// A code the table does not have; kept as sent.
pub const FINDING_UNKNOWN: &str = "factor.unknown";
/// A gas factor from a water outlet or the reverse.
pub const FINDING_OTHER_MEDIUM: &str = "factor.other-medium";

/// One factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// HJ 212-2017 code; for the four 2005 codes without a successor, the 2005 code. A trailing
    /// `xx` or `x` stands for the number of the device.
    pub code: String,
    /// HJ/T 212-2005 code.
    pub old_code: Option<String>,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Default unit of values, empty when it depends on the instrument.
    pub unit: String,
    /// Unit of amounts (`-Cou`).
    pub unit_total: Option<String>,
    /// Unit of the 2005 code, where it differs or is assumed.
    pub old_unit: Option<String>,
    /// The standard prints no or an impossible unit for the 2005 code.
    pub old_unit_assumed: bool,
    /// What instruments send although the standard prints `unit`.
    pub unit_in_use: Option<String>,
    /// Kilograms of one `unit` times one m³, for concentrations.
    pub kg_per_unit_m3: Option<Decimal>,
    /// Gas (`a…`), water (`w…`) or either.
    pub medium: Option<Medium>,
    /// Decimals to show.
    pub decimals: u32,
    /// Counts as a pollutant (amounts, fallback) where an outlet does not say.
    pub pollutant_default: bool,
    /// Physical bounds, for auxiliary quantities.
    pub range: Option<(Decimal, Decimal)>,
    /// Where the row comes from, such as `HJ 212-2017 B.2`.
    pub clause: String,
    /// What to know about it.
    pub note: Option<String>,
}

impl Factor {
    /// What a 2005 value is multiplied by to be in `to` (a unit name); `None` when nothing changes
    /// or the units do not convert.
    fn old_multiplier_to(&self, to: &str) -> Option<Decimal> {
        let old = Unit::named(self.old_unit.as_deref().unwrap_or(&self.unit))?;
        let multiplier = old.multiplier_to(Unit::named(to)?)?;
        (multiplier != Decimal::ONE).then_some(multiplier)
    }
}

/// What a code as sent stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// 2017 code, or the code as sent when the table does not have it.
    pub code: FactorCode,
    /// What every value is multiplied by to be in the unit asked for; `None`: nothing.
    pub multiplier: Option<Decimal>,
    /// The table has it.
    pub known: bool,
    /// Codes of the deviations, `FINDING_…`; usually none.
    pub findings: Vec<&'static str>,
}

/// Where a code is met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sighting<'a> {
    /// Edition of the frame: `2005`, `2017`, `2025` or anything else.
    pub edition: &'a str,
    /// Medium of the outlet, when known.
    pub medium: Option<Medium>,
    /// Unit the outlet's registry entry keeps the factor in; `None`: the table's.
    pub unit: Option<&'a str>,
}

/// What a code sent by the logger of `outlet` stands for, in the unit its registry entry keeps the
/// factor in. A unit stated for 2005 values (`unit_2005`) goes before the table's.
pub fn resolve_at(outlet: &Outlet, code: &str, edition: &str) -> Resolved {
    let table = FactorTable::builtin();
    let met = Sighting {
        edition,
        medium: Some(outlet.medium),
        unit: None,
    };
    let mut resolved = table.resolve(code, met);
    let Some(kept) = outlet.factors.get(&resolved.code) else {
        return resolved;
    };
    // Under an old code only: a 2017 code carries the outlet's unit already.
    let old = table
        .get(resolved.code.as_str())
        .and_then(|factor| factor.old_code.as_deref())
        .is_some_and(|old| old.eq_ignore_ascii_case(code));
    if !old {
        return resolved;
    }
    if let Some(multiplier) = kept.old_unit_multiplier {
        resolved.multiplier = (multiplier != Decimal::ONE).then_some(multiplier);
        resolved
            .findings
            .retain(|finding| *finding != FINDING_UNIT_ASSUMED);
        return resolved;
    }
    let met = Sighting {
        unit: Some(&kept.unit),
        ..met
    };
    resolved.multiplier = table.resolve(code, met).multiplier;
    resolved
}

/// The table with its indexes.
#[derive(Debug, Clone)]
pub struct FactorTable {
    factors: Vec<Factor>,
    /// Position by code, ASCII lower case.
    by_code: BTreeMap<String, usize>,
    /// Position by 2005 code, ASCII lower case.
    by_old: BTreeMap<String, usize>,
}

impl FactorTable {
    /// The table this program was built with.
    pub fn builtin() -> &'static Self {
        static TABLE: OnceLock<FactorTable> = OnceLock::new();
        TABLE.get_or_init(|| Self::parse(BUILTIN).expect("a test parses the embedded factor table"))
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let raw: RawTable = toml::from_str(text)?;
        let factors: Vec<Factor> = raw.factor.into_iter().map(Factor::from).collect();
        let mut by_code = BTreeMap::new();
        let mut by_old = BTreeMap::new();
        for (i, factor) in factors.iter().enumerate() {
            by_code.insert(factor.code.to_ascii_lowercase(), i);
            if let Some(old) = &factor.old_code {
                by_old.insert(old.to_ascii_lowercase(), i);
            }
        }
        Ok(Self {
            factors,
            by_code,
            by_old,
        })
    }

    /// Every row, in the order of the standard's tables.
    pub fn all(&self) -> &[Factor] {
        &self.factors
    }

    /// The factor of a 2017 code; `e10103` finds the row `e101xx`. Case matters.
    pub fn get(&self, code: &str) -> Option<&Factor> {
        self.find(code).filter(|f| same_case(&f.code, code))
    }

    fn find(&self, code: &str) -> Option<&Factor> {
        let lower = code.to_ascii_lowercase();
        let row = |key: &String| self.by_code.get(key).and_then(|i| self.factors.get(*i));
        row(&lower).or_else(|| {
            patterns(&lower)
                .iter()
                .filter_map(row)
                .find(|factor| is_numbered(&factor.code))
        })
    }

    fn find_old(&self, code: &str) -> Option<&Factor> {
        self.by_old
            .get(&code.to_ascii_lowercase())
            .and_then(|i| self.factors.get(*i))
    }

    /// What a code stands for. A frame of edition 2005 is looked up by 2005 codes first (`Ld` and
    /// `Ln` changed places), any other by 2017 codes first; each falls back on the other, because
    /// devices mix them. Unknown codes are kept as sent.
    pub fn resolve(&self, code: &str, met: Sighting<'_>) -> Resolved {
        let old_frame = met.edition == "2005";
        let by_old = || self.find_old(code).map(|f| (f, true));
        let by_new = || self.find(code).map(|f| (f, false));
        let found = if old_frame {
            by_old().or_else(by_new)
        } else {
            by_new().or_else(by_old)
        };
        let Some((factor, old)) = found else {
            return Resolved {
                code: FactorCode::new(code),
                multiplier: None,
                known: false,
                findings: vec![FINDING_UNKNOWN],
            };
        };
        let mut findings = Vec::new();
        let printed = if old {
            factor.old_code.as_deref().unwrap_or(code)
        } else {
            &factor.code
        };
        if !same_case(printed, code) {
            findings.push(FINDING_CASE);
        }
        if old && factor.old_code.as_deref() == Some(&factor.code) {
            findings.push(FINDING_NO_SUCCESSOR);
        } else if old && !old_frame {
            findings.push(FINDING_OLD_CODE);
        }
        if old && factor.old_unit_assumed {
            findings.push(FINDING_UNIT_ASSUMED);
        }
        if let (Some(outlet), Some(own)) = (met.medium, factor.medium)
            && outlet != own
        {
            findings.push(FINDING_OTHER_MEDIUM);
        }
        let multiplier = if old {
            factor.old_multiplier_to(met.unit.unwrap_or(&factor.unit))
        } else {
            None
        };
        Resolved {
            code: canonical(factor, code, old),
            multiplier,
            known: true,
            findings,
        }
    }

    /// The known code nearest to a mistyped one.
    pub fn nearest(&self, code: &str) -> Option<&str> {
        crate::suggest::nearest(code, self.factors.iter().map(|f| f.code.as_str()))
    }
}

/// The code to store: the row's own, or for a numbered device the code as sent in the row's case.
fn canonical(factor: &Factor, code: &str, old: bool) -> FactorCode {
    if old || !is_numbered(&factor.code) {
        FactorCode::new(&factor.code)
    } else {
        FactorCode::new(code.to_ascii_lowercase())
    }
}

/// The rows a code with device numbers at its end could belong to.
fn patterns(code: &str) -> Vec<String> {
    let digits = code.bytes().rev().take_while(u8::is_ascii_digit).count();
    [2_usize, 1]
        .into_iter()
        .filter(|n| *n <= digits && code.len() > *n)
        .map(|n| format!("{}{}", &code[..code.len() - n], "x".repeat(n)))
        .collect()
}

/// True for a row that stands for several devices: `e101xx`, `i3331x`, but not `LMx`.
fn is_numbered(code: &str) -> bool {
    code.ends_with('x') && code.starts_with(['e', 'g', 'i'])
}

/// True when `code` is spelled in the letter case of `printed`, device numbers aside.
fn same_case(printed: &str, code: &str) -> bool {
    let stem = if is_numbered(printed) {
        printed.trim_end_matches('x')
    } else {
        printed
    };
    code.starts_with(stem)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    factor: Vec<RawFactor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFactor {
    code: String,
    old: Option<String>,
    zh: String,
    en: String,
    unit: String,
    total: Option<String>,
    decimals: u32,
    old_unit: Option<String>,
    #[serde(default)]
    old_unit_assumed: bool,
    unit_in_use: Option<String>,
    range: Option<(Decimal, Decimal)>,
    clause: String,
    note: Option<String>,
}

impl From<RawFactor> for Factor {
    fn from(raw: RawFactor) -> Self {
        let medium = match raw.code.as_bytes().first() {
            Some(b'a') => Some(Medium::Gas),
            Some(b'w') => Some(Medium::Water),
            _ => None,
        };
        let unit = Unit::named(&raw.unit);
        let concentration = unit.is_some_and(|u| {
            matches!(
                u.dimension,
                Dimension::GasConcentration | Dimension::WaterConcentration
            )
        });
        Self {
            medium,
            kg_per_unit_m3: unit.and_then(Unit::kg_per_unit_m3),
            pollutant_default: concentration && raw.total.is_some() && medium.is_some(),
            code: raw.code,
            old_code: raw.old,
            name_zh: raw.zh,
            name_en: raw.en,
            unit: raw.unit,
            unit_total: raw.total,
            old_unit: raw.old_unit,
            old_unit_assumed: raw.old_unit_assumed,
            unit_in_use: raw.unit_in_use,
            decimals: raw.decimals,
            range: raw.range,
            clause: raw.clause,
            note: raw.note,
        }
    }
}
