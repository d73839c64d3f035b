//! Rule profiles: every threshold, order of operations and table of a rule set as data, with the
//! place it was read in and how sure that reading is. Built and checked by the configuration
//! crate; the engine never has a number of a standard in its code where a profile can say it.

use super::ids::{FactorCode, ProfileId};
use super::mark::MarkKind;
use super::registry::LimitPeriod;
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Rounding of values for display and comparison where a profile rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// GB/T 8170: half to even (四舍六入五成双).
    HalfEven,
    /// Half away from zero (EPA).
    HalfAwayFromZero,
}

/// How sure an entry of a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sure {
    /// Read in the law, rule or standard itself, or in the regulator's own software or data.
    V,
    /// Read in a secondary source: an extract, a public implementation, a vendor's page.
    V2,
    /// Recalled; no text at hand. To be checked before it decides anything.
    M,
}

impl Sure {
    /// The mark as it stands in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V => "V",
            Self::V2 => "V2",
            Self::M => "M",
        }
    }
}

/// Where an entry of a profile was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// How sure it is.
    pub sure: Sure,
    /// Standard and clause, or what else it was read in.
    pub source: String,
}

/// What the valid hours of a day are held against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayThreshold {
    /// Always the number of hours, whatever the source did (the plain reading of HJ 76).
    #[default]
    Hours,
    /// The same share of the hours due: 18 of 24 is three quarters of a part-day, too.
    ShareOfDue,
}

/// Quarterly effective data capture rate (有效数据捕集率).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureRule {
    /// How it is computed.
    pub formula: CaptureFormula,
    /// What a quarter needs, percent.
    pub min_pct: Decimal,
}

/// Formula of the capture rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureFormula {
    /// `(H - H_invalid - H_stop) / (H - H_stop)`; a quarter stopped throughout has none.
    WithoutStops,
    /// `(H - H_invalid - H_stop) / H`.
    AllHours,
}

impl Default for CaptureRule {
    fn default() -> Self {
        Self {
            formula: CaptureFormula::WithoutStops,
            min_pct: Decimal::from_parts(75, 0, 0, false, 0),
        }
    }
}

/// Which amounts stand in for invalid periods (缺失数据替代).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubstitutionRule {
    /// Manual data come first where there are any (监督/手工监测数据优先).
    #[serde(default)]
    pub manual_first: bool,
    /// How far a manual sample speaks for hours before and after it, hours.
    #[serde(default)]
    pub manual_reach_h: u32,
    /// Pollutants whose amounts are substituted; empty: every one that has amounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<FactorCode>,
    /// What is put in.
    #[serde(default)]
    pub method: SubstitutionMethod,
}

/// The amount put in for an invalid period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum SubstitutionMethod {
    /// Nothing: an amount exists only where it was measured.
    #[default]
    Nothing,
    /// Hourly amounts by capture rate and length of the gap (HJ 75-2017 tables 5 and 6). The first
    /// tier that fits counts; where none fits there is no substitute.
    Tiers {
        /// Best capture rate first.
        tiers: Vec<SubstitutionTier>,
    },
    /// Daily load of a discharge: the maximum of the last valid daily loads before the last passed
    /// check (HJ 356-2019).
    DailyMaximum {
        /// How many valid daily loads.
        days: u32,
    },
    /// Mean of the preceding period of the same length (HJ/T 356-2007).
    PrecedingMean,
}

/// One line of a substitution table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubstitutionTier {
    /// Capture rate at or above this, percent.
    pub capture_min_pct: Decimal,
    /// Consecutive invalid hours up to this; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_max_h: Option<u32>,
    /// How many valid hours are looked back upon.
    pub look_back_h: u32,
    /// What is taken of them.
    pub take: Take,
}

/// What a substitution takes of the hours looked back upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Take {
    /// The greatest.
    Maximum,
    /// The arithmetic mean.
    Mean,
}

/// Quality assurance: bands and drift limits by item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QaRules {
    /// Which item (row of the tables) a factor belongs to: `so2`, `nox`, `dust`, `cod`, ...
    #[serde(default)]
    pub items: BTreeMap<FactorCode, SmolStr>,
    /// Accuracy bands by item, for comparison and relative accuracy tests; the first that holds
    /// the mean of the reference values counts.
    #[serde(default)]
    pub bands: BTreeMap<SmolStr, Vec<Band>>,
    /// Drift limits by item.
    #[serde(default)]
    pub drift: BTreeMap<SmolStr, DriftRule>,
    /// Pairs a comparison needs at least.
    #[serde(default)]
    pub pairs_min: u32,
    /// The same by item, where it differs: a flow is compared once, a level six times.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pairs_min_by_item: BTreeMap<SmolStr, u32>,
    /// Pairs that must lie within the band, by number of pairs, ascending; the last entry counts
    /// for more pairs, too. Empty: the mean decides.
    #[serde(default)]
    pub pairs_pass: Vec<(u32, u32)>,
    /// Pairs a relative accuracy test needs at least.
    #[serde(default)]
    pub accuracy_pairs_min: u32,
    /// Error of a standard sample or calibration gas at which the check fails, percent of the
    /// standard value, by item; `*` for all others.
    #[serde(default)]
    pub standard_pct: BTreeMap<SmolStr, Decimal>,
    /// Rounding of results before they are judged.
    #[serde(default)]
    pub rounding: Option<QaRounding>,
}

/// Rounding of the results of a test before they are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QaRounding {
    /// Mode.
    pub mode: Rounding,
    /// Decimals of a percentage.
    pub pct_decimals: u32,
    /// Decimals of means; `None`: not rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_decimals: Option<u32>,
}

/// A band of an accuracy table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Mean of the reference values at or above this; `None`: from below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Decimal>,
    /// And below this; `None`: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Decimal>,
    /// How the error is expressed.
    pub by: BandBy,
    /// The greatest that passes, percent or the factor's unit.
    pub limit: Decimal,
}

/// How an error is expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BandBy {
    /// Relative accuracy `(|d| + |cc|) / RM`, percent (相对准确度).
    RelativeAccuracy,
    /// Relative error of the means, percent (相对误差).
    Relative,
    /// Absolute error of the means, in the factor's unit (绝对误差).
    Absolute,
    /// Relative error of each pair, percent; enough pairs must lie within.
    RelativePair,
    /// Absolute error of each pair, in the factor's unit; enough pairs must lie within.
    AbsolutePair,
    /// The greatest difference of all pairs, in the factor's unit.
    Greatest,
}

/// Drift limits of an item, percent of full scale (满量程).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftRule {
    /// Zero drift beyond this needs adjustment.
    pub zero_adjust_pct: Decimal,
    /// Zero drift beyond this: out of control (失控).
    pub zero_out_pct: Decimal,
    /// Span drift beyond this needs adjustment.
    pub span_adjust_pct: Decimal,
    /// Span drift beyond this: out of control.
    pub span_out_pct: Decimal,
    /// Longest time between two checks, hours; overdue is out of control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_h: Option<u32>,
}

/// What marks (标记) do under a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarkRules {
    /// Chains of touching marks shorter than this have no effect, minutes.
    #[serde(default)]
    pub chain_min: u32,
    /// By kind; a kind that is not listed has no effect.
    #[serde(default)]
    pub kinds: BTreeMap<MarkKind, MarkRule>,
}

/// What one kind of mark does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRule {
    /// Effect on the data of the period.
    pub effect: MarkEffect,
    /// To be entered within so many hours of the end of the period; `None`: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enter_within_h: Option<u32>,
    /// A late mark has its effect all the same (it is shown as late either way).
    #[serde(default)]
    pub late_counts: bool,
    /// Most hours of it in a calendar year; beyond them it has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_max_h: Option<u32>,
    /// Most hours of one occurrence; beyond them it has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once_max_h: Option<u32>,
}

/// Effect of a mark on the data of its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkEffect {
    /// Shown only.
    Shown,
    /// Data count for means and amounts, but are not judged against limits.
    NotJudged,
    /// Data do not count.
    Invalid,
    /// The source was stopped: no data are due.
    Stopped,
}

/// Rules of waste incineration (生活垃圾焚烧, order 10 of the ministry).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncinerationRule {
    /// The furnace temperature, by factor code.
    pub furnace_factor: FactorCode,
    /// A five-minute mean below this counts, °C.
    pub furnace_min_c: Decimal,
    /// More than so many in a calendar day are a violation.
    pub furnace_low_max: u32,
    /// Pollutants whose day means count (five: particulate matter, NOx, SO2, HCl, CO); empty: every
    /// one with a day limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pollutants: Vec<FactorCode>,
    /// More than so many days over a limit in a month restrict or suspend production.
    pub exceeded_days_max: u32,
}

/// A rule profile: the thresholds by which values count, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Identity with version, `name@version`.
    pub id: ProfileId,
    /// What it is, Chinese.
    pub title_zh: String,
    /// What it is, English.
    pub title_en: String,
    /// Where it comes from.
    pub source: String,
    /// This version judges periods that begin at or after this; `None`: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// And before this; `None`: until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Flags that count as valid; an absent flag counts when `flag_absent_is_valid`.
    pub valid_flags: Vec<SmolStr>,
    /// A value without a flag (2005 devices) counts as valid.
    pub flag_absent_is_valid: bool,
    /// Flags that say the source or the instrument is stopped (停运): no data are owed.
    pub stopped_flags: Vec<SmolStr>,
    /// Valid minutes an hour needs (45).
    pub hour_min_valid_minutes: u32,
    /// Valid hours a day needs (20).
    pub day_min_valid_hours: u32,
    /// What they are held against.
    #[serde(default)]
    pub day_threshold: DayThreshold,
    /// Valid days a month needs (25).
    pub month_min_valid_days: u32,
    /// Valid days a February needs (23).
    pub february_min_valid_days: u32,
    /// Days that may be discarded in a year; `None`: not said (EU IED: 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_max_discarded_days: Option<u32>,
    /// Standard temperature as kelvin added to °C (273).
    pub kelvin_offset: Decimal,
    /// Standard pressure, Pa (101325).
    pub standard_pressure_pa: Decimal,
    /// Volume of a mole at the standard state, L/mol (22.4 at 0 °C).
    #[serde(default = "molar_volume_l")]
    pub molar_volume_l: Decimal,
    /// Oxygen of air in formulas (27), (28): 21.
    pub air_o2_pct: Decimal,
    /// Convert the hour mean (true) or average the minute conversions (false).
    pub convert_after_mean: bool,
    /// No converted value is given when O2 is at or above this, % v/v.
    pub o2_guard_pct: Decimal,
    /// Rounding mode of displayed and compared values.
    pub rounding: Rounding,
    /// Means that limits are set on under these rules; a limit on another one is doubtful. Empty:
    /// not said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limit_periods: Vec<LimitPeriod>,
    /// Compare the value rounded to the factor's decimals with the limit (true) or the full value.
    pub compare_rounded: bool,
    /// Share of the limit that is subtracted before a mean is judged, percent, by factor (the 95 %
    /// confidence interval of EU IED annex VI); none for factors not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub confidence_pct: BTreeMap<FactorCode, Decimal>,
    /// Capture rate of a quarter.
    #[serde(default)]
    pub capture: CaptureRule,
    /// Substitution of missing amounts.
    #[serde(default)]
    pub substitution: SubstitutionRule,
    /// Quality assurance.
    #[serde(default)]
    pub qa: QaRules,
    /// Marks.
    #[serde(default)]
    pub marks: MarkRules,
    /// Thresholds of the checks, by code and name; a check that needs one it does not find uses the
    /// default of the catalogue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<SmolStr, BTreeMap<SmolStr, Decimal>>,
    /// Checks that are switched off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks_off: Vec<SmolStr>,
    /// Waste incineration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incineration: Option<IncinerationRule>,
    /// Source and certainty of the entries, by key in the file; that of a table speaks for all
    /// entries in it that have none of their own. See [`Profile::provenance_of`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<SmolStr, Provenance>,
}

fn molar_volume_l() -> Decimal {
    Decimal::from_parts(224, 0, 0, false, 1)
}

impl Profile {
    /// Annex D of HJ 212-2017 and nothing else: no substitution, no bands, no effect of marks. What
    /// tests and tools start from; files of profiles say everything themselves.
    pub fn annex_d(id: &str) -> Self {
        let whole = |n: u32| Decimal::from(n);
        Self {
            id: id.into(),
            title_zh: "HJ 212-2017 附录 D".into(),
            title_en: "HJ 212-2017 annex D".into(),
            source: "HJ 212-2017 annex D".into(),
            from: None,
            until: None,
            valid_flags: vec![SmolStr::new_static("N")],
            flag_absent_is_valid: true,
            stopped_flags: vec![SmolStr::new_static("F")],
            hour_min_valid_minutes: 45,
            day_min_valid_hours: 20,
            day_threshold: DayThreshold::Hours,
            month_min_valid_days: 25,
            february_min_valid_days: 23,
            year_max_discarded_days: None,
            kelvin_offset: whole(273),
            standard_pressure_pa: whole(101_325),
            molar_volume_l: molar_volume_l(),
            air_o2_pct: whole(21),
            convert_after_mean: true,
            o2_guard_pct: whole(21),
            rounding: Rounding::HalfEven,
            limit_periods: Vec::new(),
            compare_rounded: false,
            confidence_pct: BTreeMap::new(),
            capture: CaptureRule::default(),
            substitution: SubstitutionRule::default(),
            qa: QaRules::default(),
            marks: MarkRules::default(),
            checks: BTreeMap::new(),
            checks_off: Vec::new(),
            incineration: None,
            provenance: BTreeMap::new(),
        }
    }

    /// The name without the version.
    pub fn family(&self) -> &str {
        let id = self.id.as_str();
        id.split_once('@').map_or(id, |(family, _)| family)
    }

    /// The number of the version; 0 when the id has none.
    pub fn version(&self) -> u32 {
        let id = self.id.as_str();
        id.split_once('@')
            .and_then(|(_, version)| version.parse().ok())
            .unwrap_or(0)
    }

    /// True when this version judges periods that begin at `at`.
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Source and certainty of an entry by its key in the file, such as `capture.min_pct`: its own,
    /// or that of the nearest table around it. `None`: the key is not in the file, or the profile
    /// did not come from one.
    pub fn provenance_of(&self, key: &str) -> Option<&Provenance> {
        let mut key = key;
        loop {
            if let Some(found) = self.provenance.get(key) {
                return Some(found);
            }
            (key, _) = key.rsplit_once('.')?;
        }
    }

    /// Threshold `name` of check `code`, where the profile sets it.
    pub fn threshold(&self, code: &str, name: &str) -> Option<Decimal> {
        self.checks.get(code)?.get(name).copied()
    }
}
