//! State of the engine: what is kept in state rows, and the caches beside it.
//!
//! Row `#` holds what belongs to no outlet, `#strangers` the peers and loggers that are no
//! outlet's, `#registry` and `#policy` what is in force, `#roster` who is on duty, `#notices` what
//! waits to be told, `#duties` the rounds of duties, `#alarm/` with a number what an alarm waits
//! for, `#past/` with an outlet's id its earlier settings, and a row named after each outlet the
//! rest. Caches are rebuilt from the past and never change a result.

use super::alarms::{AlarmBook, Conditions};
use super::duties::Duties;
use super::exceedance::Stretches;
use super::health::Health;
use super::intake::Strangers;
use super::notices::Notices;
use super::outage::Outages;
use super::permitted::AmountAlarms;
use super::versions::Versions;
use super::watch::Watched;
use crate::fallback::Machine;
use crate::few::Few;
use crate::model::rows::{DeviceRow, LatestRow};
use crate::model::{EnterpriseId, FactorCode, Level, RecordKind, RecordRow, Seq, Timestamp};
use crate::roster::Roster;
use crate::sampling::Forming;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Name of the state row of what belongs to no outlet.
pub(super) const SHARED_ROW: &str = "#";
/// Name of the state row of peers and loggers that belong to no outlet.
pub(super) const STRANGERS_ROW: &str = "#strangers";
/// Name of the state row that holds the roster.
pub(super) const ROSTER_ROW: &str = "#roster";
/// Name of the state row that holds rounds of duties.
pub(super) const DUTIES_ROW: &str = "#duties";
/// Name of the state row that holds what waits to be told.
pub(super) const NOTICES_ROW: &str = "#notices";
/// Name of the state row of outlets that are silent together.
pub(super) const OUTAGES_ROW: &str = "#outages";
/// Name of the state row that holds the policy.
pub(super) const POLICY_ROW: &str = "#policy";
/// Beginning of the names of state rows that hold what the desk waits for, by alarm.
pub(super) const WATCH_ROW: &str = "#alarm/";
/// Name of the state row that holds the registry.
pub(super) const REGISTRY_ROW: &str = "#registry";

/// Records kept at hand per outlet, so that the packets of a split record and repeated frames find
/// their row without a look into the past. More would only help loggers that interleave.
const RECENT_RECORDS_MAX: usize = 8;

/// Loggers remembered per outlet; there is one, or two around a replacement. The one silent for
/// longest makes room, its row stays as it was.
pub(super) const DEVICES_PER_OUTLET_MAX: usize = 16;

/// State that belongs to no outlet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Shared {
    /// Time of the last event.
    pub(super) now: Timestamp,
    /// Position of the last event.
    pub(super) seq: Seq,
    /// Fallbacks numbered so far.
    pub(super) fallbacks: u64,
    /// Manual reports numbered so far.
    pub(super) reports: u64,
    /// Alarms.
    pub(super) book: AlarmBook,
    /// The daemon's own health.
    #[serde(default)]
    pub(super) health: Health,
    /// Since when a policy is in force; what it watches counts from then.
    #[serde(default)]
    pub(super) policy_since: Option<Timestamp>,
    /// Who is silent together; in a row of its own.
    #[serde(skip)]
    pub(super) outages: Outages,
    /// What waits to be told.
    #[serde(skip)]
    pub(super) notices: Notices,
    /// Who is on duty.
    #[serde(skip)]
    pub(super) roster: Roster,
    /// That row must be written.
    #[serde(skip)]
    pub(super) roster_dirty: bool,
    /// Duties with a clock; in a row of their own.
    #[serde(skip)]
    pub(super) duties: Duties,
    /// Amount alarms of enterprises as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) enterprises: BTreeMap<EnterpriseId, AmountAlarms>,
    /// Peers and loggers that belong to no outlet; in a row of their own.
    #[serde(skip)]
    pub(super) strangers: Strangers,
}

/// Which value is the latest of a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct LatestKey {
    /// Time of the value.
    pub(super) start: Timestamp,
    /// Fineness of its kind: at equal start the shorter interval is the fresher statement.
    pub(super) fineness: u8,
}

impl LatestKey {
    pub(super) fn new(start: Timestamp, kind: RecordKind) -> Self {
        let fineness = match kind {
            RecordKind::Realtime => 3,
            RecordKind::Minute => 2,
            RecordKind::Hour => 1,
            RecordKind::Day => 0,
        };
        Self { start, fineness }
    }
}

/// State of one outlet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct OutletState {
    /// Since when the registry has it.
    pub(super) since: Timestamp,
    /// The registry has it no more: nothing is expected, nothing runs.
    pub(super) removed: bool,
    /// Latest start seen per kind: anything later is new without a look into the past.
    pub(super) newest: Few<RecordKind, Timestamp>,
    /// Latest value per factor.
    pub(super) latest: Few<FactorCode, LatestKey>,
    /// Periods to compute, with the time to do it.
    #[serde(with = "crate::few::pairs")]
    pub(super) closing: Few<(Level, Timestamp), Timestamp>,
    /// Quarters to compute by their first instant, with the time to do it.
    #[serde(default, with = "crate::few::pairs")]
    pub(super) quarters: Few<Timestamp, Timestamp>,
    /// Latest hour and day that are over and have a row.
    #[serde(default)]
    pub(super) closed: Few<Level, Timestamp>,
    /// When a record of an expected kind last arrived.
    pub(super) heard_at: Option<Timestamp>,
    /// Its loggers.
    pub(super) devices: Few<SmolStr, DeviceRow>,
    /// When a record of each expected kind last arrived.
    #[serde(default, skip_serializing_if = "Heard::is_empty")]
    pub(super) heard: Heard,
    /// Alarm conditions by key.
    pub(super) conditions: Conditions,
    /// Conditions that must last before they change anything.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub(super) watched: Watched,
    /// Factors for which a check or a flag holds now, by `what|code`.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub(super) held: Few<SmolStr, BTreeSet<FactorCode>>,
    /// Parameters that its logger has stated.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub(super) parameters: Few<SmolStr, SmolStr>,
    /// Stretches of exceedance by factor and limit.
    pub(super) stretches: Stretches,
    /// Amount alarms by factor, period and share.
    pub(super) amounts: AmountAlarms,
    /// The manual fallback.
    pub(super) fallback: Machine,
    /// Samples of its own instruments that are not in a record yet.
    #[serde(default, skip_serializing_if = "Forming::is_empty")]
    pub(super) sampling: Forming,
}

/// When records of the kinds that may be expected last arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    realtime: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minute: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hour: Option<Timestamp>,
}

impl Heard {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// When a record of `kind` last arrived.
    pub(super) fn at(&self, kind: RecordKind) -> Option<Timestamp> {
        match kind {
            RecordKind::Realtime => self.realtime,
            RecordKind::Minute => self.minute,
            RecordKind::Hour => self.hour,
            RecordKind::Day => None,
        }
    }

    /// A record of `kind` arrived.
    pub(super) fn note(&mut self, kind: RecordKind, at: Timestamp) {
        match kind {
            RecordKind::Realtime => self.realtime = Some(at),
            RecordKind::Minute => self.minute = Some(at),
            RecordKind::Hour => self.hour = Some(at),
            RecordKind::Day => {}
        }
    }
}

/// One outlet with its caches.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) state: OutletState,
    /// The state row must be written.
    pub(super) dirty: bool,
    /// Latest rows not yet put out.
    pub(super) latest: BTreeMap<FactorCode, LatestRow>,
    /// Loggers whose row is not yet put out.
    pub(super) devices: BTreeSet<SmolStr>,
    pub(super) recent: Vec<RecordRow>,
    /// Earlier settings; in a row of their own.
    pub(super) versions: Versions,
    /// That row must be written.
    pub(super) versions_dirty: bool,
}

impl Live {
    /// Takes a recent record out of the cache.
    pub(super) fn take_recent(&mut self, kind: RecordKind, start: Timestamp) -> Option<RecordRow> {
        let at = self
            .recent
            .iter()
            .rposition(|row| row.start == start && row.kind == kind)?;
        Some(self.recent.remove(at))
    }

    /// Keeps a record at hand; the one unused for longest makes room.
    pub(super) fn keep_recent(&mut self, row: RecordRow) {
        if self.recent.len() >= RECENT_RECORDS_MAX {
            self.recent.remove(0);
        }
        self.recent.push(row);
    }
}

/// Maps with composite keys as lists of pairs, which JSON objects cannot be.
pub(crate) mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<K, V, S>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}
