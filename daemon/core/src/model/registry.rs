//! The registry: who discharges where, what is expected from each outlet, what it may emit, and
//! by which rules it is judged. Built and checked by the configuration crate, journalled as a
//! whole when it changes, so that a rebuild judges the past by what was in force then.

use super::ids::{EnterpriseId, FactorCode, LimitId, Mn, OutletId, ProfileId, RegionId};
use super::mark::MarkKind;
use super::profile::Profile;
use super::time::{Timestamp, UtcOffset};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
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
    /// Special periods (特殊时段) with stricter limits or amounts, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub special_periods: BTreeMap<SmolStr, SpecialPeriod>,
}

impl Registry {
    /// The outlet a logger reports for. Linear; callers on a hot path keep their own index.
    pub fn outlet_of(&self, mn: &Mn) -> Option<&Outlet> {
        self.outlets.values().find(|o| &o.mn == mn)
    }

    /// The profile that judges periods of `outlet` that begin at `at`.
    ///
    /// An outlet names a version (`hj75-2017@2`) or a family (`hj75-2017`). A family means the
    /// version in force at `at`; where dates overlap, the higher number.
    pub fn profile_at(&self, outlet: &Outlet, at: Timestamp) -> Option<&Profile> {
        if let Some(exact) = self.profiles.get(&outlet.profile) {
            return Some(exact);
        }
        let family = outlet.profile.as_str();
        self.profiles
            .values()
            .filter(|p| p.family() == family && p.in_force(at))
            .max_by_key(|p| p.version())
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
    /// Permitted amounts of the enterprise as a whole, over all its outlets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<PermittedAmount>,
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
    /// Its data leave for destinations outside (time series, brokers): each record and each
    /// complete aggregate written is noted in the log of what goes out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub feeds: bool,
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
    /// Detection limit (检出限) of the analyser, in the factor's unit; `None`: not stated. A value
    /// below it counts, and is noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_limit: Option<Decimal>,
    /// What values under the factor's 2005 code are multiplied by, where the logger's old unit is
    /// stated to differ from the factor table's; `None`: as the table says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_unit_multiplier: Option<Decimal>,
    /// Kilograms of one unit of concentration times one m³: 1e-6 for mg/m³, 1e-3 for mg/L.
    pub kg_per_unit_m3: Decimal,
    /// Limits on it.
    #[serde(deserialize_with = "exact")]
    pub limits: Vec<Limit>,
}

/// Reads a list without the room a growing one has to spare: six of these at each of a hundred
/// thousand outlets would hold 300 MB of nothing.
fn exact<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let mut list = Vec::deserialize(deserializer)?;
    list.shrink_to_fit();
    Ok(list)
}

/// A special period (特殊时段): heavy-pollution days, peak-shaving of a season, an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialPeriod {
    /// Identity, named by limits and permitted amounts.
    pub id: SmolStr,
    /// What it is, such as 重污染天气Ⅰ级响应.
    pub name: String,
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Regions it holds for; empty: all.
    pub regions: Vec<RegionId>,
    /// The order that declared it.
    pub source: String,
}

impl SpecialPeriod {
    /// It holds for enterprises of `region`; one without a region is reached only by those of all.
    pub fn reaches(&self, region: Option<&RegionId>) -> bool {
        self.regions.is_empty() || region.is_some_and(|region| self.regions.contains(region))
    }

    /// It holds for `region` at `at`.
    pub fn in_force(&self, at: Timestamp, region: Option<&RegionId>) -> bool {
        self.reaches(region) && self.from <= at && at < self.until
    }
}

/// Where a limit comes from: one mean can be judged against several.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKind {
    /// National emission standard (国家排放标准).
    National,
    /// Local emission standard (地方排放标准).
    Local,
    /// Ultra-low emission (超低排放).
    UltraLow,
    /// Pollutant discharge permit (排污许可证).
    #[default]
    Permit,
    /// Special period (特殊时段).
    Special,
}

impl LimitKind {
    /// Every kind.
    pub const ALL: [LimitKind; 5] = [
        Self::National,
        Self::Local,
        Self::UltraLow,
        Self::Permit,
        Self::Special,
    ];

    /// The name in files, the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::Local => "local",
            Self::UltraLow => "ultra-low",
            Self::Permit => "permit",
            Self::Special => "special",
        }
    }
}

/// Length of the mean that a limit judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitPeriod {
    /// Hour mean.
    Hour,
    /// Day mean.
    Day,
    /// Month mean (EU IED).
    Month,
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
    /// Kind of the source.
    #[serde(default)]
    pub kind: LimitKind,
    /// States of the source in which it does not apply (启停炉等豁免): a period touched by a mark of
    /// such a kind is not judged against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_during: Vec<MarkKind>,
    /// Applies only within this special period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<SmolStr>,
}

/// Period of a permitted amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmountPeriod {
    /// Calendar month.
    Month,
    /// Calendar year.
    Year,
    /// A special period of the registry, named by [`PermittedAmount::special`].
    Special,
}

impl AmountPeriod {
    /// The name in files, the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::Special => "special",
        }
    }
}

impl LimitPeriod {
    /// The name in files, the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// A permitted amount (许可排放量) of one factor, at one outlet or of one enterprise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PermittedAmount {
    /// The factor.
    pub factor: FactorCode,
    /// Month, year, or a special period.
    pub period: AmountPeriod,
    /// Kilograms per period.
    pub amount_kg: Decimal,
    /// Shares of it, in percent, at which a warning is raised, ascending (80, 90, 100).
    pub warn_at_pct: Vec<Decimal>,
    /// Where it comes from.
    pub source: String,
    /// The special period, where `period` is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<SmolStr>,
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

/// When the manual fallback (duty 5) opens and closes, and what is owed while it lasts.
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
    /// Reminders this long before a report is due, minutes.
    #[serde(default = "remind_before_min")]
    pub remind_before_min: Vec<u32>,
    /// Escalation this long after a report or the written report has become overdue, minutes.
    #[serde(default = "escalate_after_min")]
    pub escalate_after_min: Vec<u32>,
    /// The written report (duty 6) is due this long after the opening, hours; 0: none is owed.
    #[serde(default = "written_due_h")]
    pub written_due_h: u32,
    /// Reminders this long before the written report is due, hours.
    #[serde(default = "written_remind_before_h")]
    pub written_remind_before_h: Vec<u32>,
    /// A report received longer than this after its sampling was entered late, minutes.
    #[serde(default = "late_entry_after_min")]
    pub late_entry_after_min: u32,
    /// A passed assessment holds this many days beyond the quarter it was about, and the first
    /// one is to be passed within as many days from the start of supervision; `None`: its absence
    /// opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_valid_days: Option<u32>,
}

fn remind_before_min() -> Vec<u32> {
    vec![60, 15]
}

fn escalate_after_min() -> Vec<u32> {
    vec![30, 120]
}

fn written_due_h() -> u32 {
    72
}

fn written_remind_before_h() -> Vec<u32> {
    vec![24]
}

fn late_entry_after_min() -> u32 {
    360
}

impl Default for FallbackRule {
    /// Article 15 of 污染源自动监控设施运行管理办法, and an hour for opening and closing.
    fn default() -> Self {
        Self {
            opens_after_min: 60,
            closes_after_min: 60,
            max_gap_min: 360,
            reports_per_day: 4,
            remind_before_min: remind_before_min(),
            escalate_after_min: escalate_after_min(),
            written_due_h: written_due_h(),
            written_remind_before_h: written_remind_before_h(),
            late_entry_after_min: late_entry_after_min(),
            review_valid_days: None,
        }
    }
}
