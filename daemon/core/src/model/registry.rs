//! The registry: who discharges where, what is expected from each outlet, what it may emit, and
//! by which rules it is judged. Built and checked by the configuration crate, journalled as a
//! whole when it changes, so that a rebuild judges the past by what was in force then.

use super::ids::{EnterpriseId, FactorCode, LimitId, Mn, OutletId, ProfileId, RegionId};
use super::time::{Timestamp, UtcOffset};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Everything the engine knows about the world besides readings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    /// Name of the site shown on the console.
    pub site_name: String,
    /// Offset of the site's clock from UTC.
    pub offset: UtcOffset,
    /// Regions by id, with their names.
    pub regions: BTreeMap<RegionId, String>,
    /// Enterprises by id.
    pub enterprises: BTreeMap<EnterpriseId, Enterprise>,
    /// Outlets by id.
    pub outlets: BTreeMap<OutletId, Outlet>,
    /// Rule profiles by id.
    pub profiles: BTreeMap<ProfileId, Profile>,
}

impl Registry {
    /// The outlet a logger reports for. Linear; callers on a hot path keep their own index.
    pub fn outlet_of(&self, mn: &Mn) -> Option<&Outlet> {
        self.outlets.values().find(|o| &o.mn == mn)
    }

    /// The profile that judges `outlet`.
    pub fn profile_of(&self, outlet: &Outlet) -> Option<&Profile> {
        self.profiles.get(&outlet.profile)
    }
}

/// Enterprise (排污单位).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enterprise {
    /// Identity.
    pub id: EnterpriseId,
    /// Name as on the permit.
    pub name: String,
    /// English name for the English pages; the Chinese one stands in when absent.
    pub name_en: Option<String>,
    /// Region it belongs to.
    pub region: RegionId,
    /// Unified social credit code (统一社会信用代码), if known.
    pub credit_code: Option<SmolStr>,
}

/// What comes out of an outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// Stack gas (废气).
    Gas,
    /// Waste water (废水).
    Water,
}

/// Outlet (排放口): one stack or one discharge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outlet {
    /// Identity.
    pub id: OutletId,
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// Name.
    pub name: String,
    /// English name for the English pages.
    pub name_en: Option<String>,
    /// Gas or water.
    pub medium: Medium,
    /// Identity of its data logger.
    pub mn: Mn,
    /// SHA-256 (hex) of the logger's password; `None` accepts any password.
    pub password_sha256: Option<SmolStr>,
    /// Source addresses (exact IP text) the logger may come from; empty accepts any.
    pub allowed_sources: Vec<SmolStr>,
    /// Rule profile that judges it.
    pub profile: ProfileId,
    /// Settings of a stack; present exactly when `medium` is gas.
    pub gas: Option<GasSettings>,
    /// Settings of a discharge; present exactly when `medium` is water.
    pub water: Option<WaterSettings>,
    /// Factors, auxiliary quantities included, by code.
    pub factors: BTreeMap<FactorCode, OutletFactor>,
    /// What should arrive, and how long to wait for it.
    pub expectation: Expectation,
    /// When the manual fallback opens and closes.
    pub fallback: FallbackRule,
    /// Permitted amounts (许可排放量).
    pub permitted: Vec<PermittedAmount>,
    /// Its records are passed on to other centres: each one accepted is noted in the forward log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forward: bool,
}

/// Settings of a stack for the formulas of HJ 212-2017 annex D (18) to (34).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GasSettings {
    /// Duct cross-section F, m².
    pub area_m2: Decimal,
    /// Velocity field coefficient Kv.
    pub velocity_coefficient: Decimal,
    /// Atmospheric pressure Ba, Pa.
    pub atmospheric_pressure_pa: Decimal,
    /// Reference oxygen content of the emission standard, % v/v; `None`: no conversion.
    pub reference_o2_pct: Option<Decimal>,
    /// True when the O2 analyser reports wet oxygen.
    pub o2_is_wet: bool,
}

/// Settings of a discharge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaterSettings {
    /// True: means are weighted by flow (G/D); false: arithmetic mean of the valid values.
    pub weighted_mean: bool,
}

/// State in which an analyser reports a concentration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Standard state, dry: needs no conversion (stack gas), or water.
    StandardDry,
    /// Standard state, wet: formula (19).
    StandardWet,
    /// Actual state, dry: formula (18).
    ActualDry,
    /// Actual state, wet: formulas (18) and (19).
    ActualWet,
}

/// One factor at one outlet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutletFactor {
    /// The factor by its 2017 code.
    pub code: FactorCode,
    /// Name for pages, Chinese and English.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Unit of concentrations or of the quantity itself.
    pub unit: String,
    /// Decimals to show.
    pub decimals: u32,
    /// True for a pollutant (amounts, fallback); false for an auxiliary quantity.
    pub pollutant: bool,
    /// State in which the analyser reports it.
    pub basis: Basis,
    /// Measuring range, low end; below it a value is impossible.
    pub range_min: Option<Decimal>,
    /// Measuring range, high end; above it a value is invalid.
    pub range_max: Option<Decimal>,
    /// What values under the factor's 2005 code are multiplied by, where the logger's old unit is
    /// stated to differ from the factor table's; `None`: as the table says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_unit_multiplier: Option<Decimal>,
    /// Kilograms of one unit of concentration times one m³: 1e-6 for mg/m³, 1e-3 for mg/L.
    pub kg_per_unit_m3: Decimal,
    /// Limits on it.
    pub limits: Vec<Limit>,
}

/// Length of the mean that a limit judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitPeriod {
    /// Hour mean.
    Hour,
    /// Day mean.
    Day,
}

/// A limit (限值) on a mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Identity within the outlet.
    pub id: LimitId,
    /// Hour or day mean.
    pub period: LimitPeriod,
    /// Judge the value converted to reference O2 (gas), not the measured one.
    pub converted: bool,
    /// Exceeded when the mean is above this.
    pub upper: Option<Decimal>,
    /// Exceeded when the mean is below this (pH).
    pub lower: Option<Decimal>,
    /// In force from (inclusive).
    pub from: Option<Timestamp>,
    /// In force until (exclusive).
    pub until: Option<Timestamp>,
    /// Where it comes from: standard or permit, clause.
    pub source: String,
}

/// Period of a permitted amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmountPeriod {
    /// Calendar month.
    Month,
    /// Calendar year.
    Year,
}

/// A permitted amount (许可排放量) of one factor at one outlet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PermittedAmount {
    /// The factor.
    pub factor: FactorCode,
    /// Month or year.
    pub period: AmountPeriod,
    /// Kilograms per period.
    pub amount_kg: Decimal,
    /// Shares of it, in percent, at which a warning is raised, ascending (80, 90, 100).
    pub warn_at_pct: Vec<Decimal>,
    /// Where it comes from.
    pub source: String,
}

/// What should arrive from an outlet; the no-data alarm comes from here, not from arrivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Seconds between real-time records; `None`: not expected.
    pub realtime_s: Option<u32>,
    /// Minutes of a minute record (1 to 30); `None`: not expected.
    pub minute_min: Option<u32>,
    /// Hour records expected from the station.
    pub hour: bool,
    /// Silence of every expected kind for this many seconds raises "no data".
    pub no_data_after_s: u32,
}

/// When the manual fallback (duty 5) opens and closes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FallbackRule {
    /// Opens when a pollutant had no valid automatic value for longer than this, minutes.
    pub opens_after_min: u32,
    /// Closes when all pollutants have had valid values for this many minutes without a break.
    pub closes_after_min: u32,
    /// Greatest gap between manual reports, minutes (360).
    pub max_gap_min: u32,
    /// Fewest manual reports in a full calendar day (4).
    pub reports_per_day: u32,
}

/// Rounding of values for display and comparison where a profile rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// GB/T 8170: half to even.
    HalfEven,
    /// Half away from zero (EPA).
    HalfAwayFromZero,
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
    /// Valid days a month needs (25).
    pub month_min_valid_days: u32,
    /// Valid days a February needs (23).
    pub february_min_valid_days: u32,
    /// Standard temperature as kelvin added to °C (273).
    pub kelvin_offset: Decimal,
    /// Standard pressure, Pa (101325).
    pub standard_pressure_pa: Decimal,
    /// Oxygen of air in formulas (27), (28): 21.
    pub air_o2_pct: Decimal,
    /// Convert the hour mean (true) or average the minute conversions (false).
    pub convert_after_mean: bool,
    /// No converted value is given when O2 is at or above this, % v/v.
    pub o2_guard_pct: Decimal,
    /// Rounding mode of displayed and compared values.
    pub rounding: Rounding,
    /// Compare the value rounded to the factor's decimals with the limit (true) or the full value.
    pub compare_rounded: bool,
}
