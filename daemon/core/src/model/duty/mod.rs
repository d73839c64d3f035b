//! Duties with a clock (法定事项): what somebody owes by a time, as rows of data, and their
//! instances.

mod row;

pub use row::{DutyDone, DutyGone, DutyRow, DutyStanding};

use super::access::{Permission, Role};
use super::calendar::{Day, WorkCalendar};
use super::ids::{DutyId, EnterpriseId, OutletId, RegionId};
use super::profile::Provenance;
use crate::lang::Text;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most rows of duties: the national table has about thirty, a province a handful more.
pub const DUTY_RULES_MAX: usize = 200;
/// Most reminders, and most escalation steps, of one duty.
pub const DUTY_STEPS_MAX: usize = 8;

/// All rows, and the days they are counted by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyBook {
    /// Rows by id.
    pub rules: BTreeMap<DutyId, DutyRule>,
    /// Working days.
    pub calendar: WorkCalendar,
}

/// For whom a row opens instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DutyFor {
    /// One for each enterprise (排污单位).
    Enterprise,
    /// One for each outlet (排放口).
    Outlet,
    /// One for each region (行政区), where the authority owes it as such.
    Region,
}

impl DutyFor {
    /// Every kind.
    pub const ALL: [DutyFor; 3] = [Self::Enterprise, Self::Outlet, Self::Region];

    /// The name in files, the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Outlet => "outlet",
            Self::Region => "region",
        }
    }
}

/// Whom an instance is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "kebab-case")]
pub enum DutySubject {
    /// An enterprise.
    Enterprise(EnterpriseId),
    /// An outlet.
    Outlet(OutletId),
    /// A region.
    Region(RegionId),
}

impl DutySubject {
    /// Which kind.
    pub fn kind(&self) -> DutyFor {
        match self {
            Self::Enterprise(_) => DutyFor::Enterprise,
            Self::Outlet(_) => DutyFor::Outlet,
            Self::Region(_) => DutyFor::Region,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Enterprise(id) => id.as_str(),
            Self::Outlet(id) => id.as_str(),
            Self::Region(id) => id.as_str(),
        }
    }
}

/// Length of a recurring period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recurrence {
    /// Each day.
    Day,
    /// Each week, from Monday.
    Week,
    /// Each month.
    Month,
    /// Each quarter.
    Quarter,
    /// Each year.
    Year,
}

impl Recurrence {
    /// Every length, shortest first.
    pub const ALL: [Recurrence; 5] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// The name in files, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// Which period an instance speaks about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaks {
    /// The one in which it opens.
    #[default]
    Current,
    /// The one before: reports are owed when a period is over.
    Previous,
}

/// What opens an instance that does not recur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DutyEvent {
    /// A fallback opened at the outlet.
    FallbackOpened,
    /// A fault of the measuring equipment was marked at the outlet.
    FaultMarked,
    /// A stop, an overhaul or a commissioning was announced for a date (停运、检修、调试); a person
    /// enters it.
    StopAnnounced,
    /// An inspection found something; a person enters it.
    Finding,
    /// A decision on a penalty or a permit was made; a person enters it.
    Decision,
}

impl DutyEvent {
    /// Every event.
    pub const ALL: [DutyEvent; 5] = [
        Self::FallbackOpened,
        Self::FaultMarked,
        Self::StopAnnounced,
        Self::Finding,
        Self::Decision,
    ];

    /// The name in files, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FallbackOpened => "fallback-opened",
            Self::FaultMarked => "fault-marked",
            Self::StopAnnounced => "stop-announced",
            Self::Finding => "finding",
            Self::Decision => "decision",
        }
    }
}

/// What else sees to a duty that runs without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// The manual fallback with its due times.
    Fallback,
    /// The alarm of missing data.
    NoData,
}

impl Watch {
    /// Every one.
    pub const ALL: [Watch; 2] = [Self::Fallback, Self::NoData];

    /// The name in files, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::NoData => "no-data",
        }
    }
}

/// What opens instances of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum DutyTrigger {
    /// A period begins.
    Every {
        /// How long it is.
        period: Recurrence,
        /// Which one is spoken about.
        speaks: Speaks,
        /// Month and day on which it opens, for years; `None`: with the period.
        opens: Option<(u32, u32)>,
    },
    /// Something happens, or a person enters it.
    On {
        /// What.
        event: DutyEvent,
    },
    /// Never: it runs without a break, and something else sees to it. The row says so.
    Watched {
        /// What does.
        watch: Watch,
    },
}

/// When an instance falls due. A day is over at 24:00; the day of a trigger is not counted, hours
/// count from its very moment (民法典第二百零一条、第二百零三条).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum DutyDeadline {
    /// At the end of the n-th working day of the period in which it opens.
    WorkingDay {
        /// n, from 1.
        n: u32,
    },
    /// At the end of the period in which it opens.
    PeriodEnd,
    /// At the end of a day of the month, in the period in which it opens; a month that is shorter
    /// ends the wait with its last day.
    DayOfMonth {
        /// Month of the period, 1 to 12, for years; `None`: the month in which it opens.
        month: Option<u32>,
        /// Day, from 1.
        day: u32,
    },
    /// At the end of the n-th day of the period in which it opens.
    Day {
        /// n, from 1.
        n: u32,
    },
    /// At the end of the n-th working day after the trigger.
    WorkingDaysAfter {
        /// n, from 1.
        n: u32,
    },
    /// At the end of the n-th day after the trigger.
    DaysAfter {
        /// n, from 1.
        n: u32,
    },
    /// So many hours after the trigger.
    HoursAfter {
        /// Hours.
        n: u32,
    },
    /// So many days of 24 hours before the announced time that is the trigger.
    DaysBefore {
        /// Days.
        n: u32,
    },
    /// Nothing falls due; only with [`DutyTrigger::Watched`].
    None,
}

/// Who is told when an instance stays overdue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyStep {
    /// Hours after it became overdue.
    pub after_h: u32,
    /// Whom, within their scope.
    pub roles: BTreeSet<Role>,
}

/// Unit of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaUnit {
    /// Percent of the objects of the class (抽查比例).
    Percent,
    /// Objects for each inspector (人均抽查数).
    PerInspector,
}

impl QuotaUnit {
    /// Every unit.
    pub const ALL: [QuotaUnit; 2] = [Self::Percent, Self::PerInspector];

    /// The name in files, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::PerInspector => "per-inspector",
        }
    }
}

/// How much must be reached within the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// For whom, in words.
    pub name: Text,
    /// The least.
    pub number: Decimal,
    /// Of what.
    pub unit: QuotaUnit,
}

/// One row of the duties table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyRule {
    /// Identity.
    pub id: DutyId,
    /// What is owed.
    pub name: Text,
    /// For whom instances open.
    pub subject: DutyFor,
    /// In these regions only; empty: everywhere.
    pub regions: BTreeSet<RegionId>,
    /// Roles that complete it, within their scope.
    pub roles: BTreeSet<Role>,
    /// What opens instances.
    pub trigger: DutyTrigger,
    /// When they fall due.
    pub deadline: DutyDeadline,
    /// A due day on which nobody works moves to the next working day.
    pub moves: bool,
    /// Reminders, hours before it is due, the earliest first.
    pub remind_h: Vec<u32>,
    /// Who is told when it stays overdue, in the order of time.
    pub escalate: Vec<DutyStep>,
    /// A completion needs a document.
    pub document: bool,
    /// What must be reached.
    pub quota: Vec<Quota>,
    /// Clause, and how sure its reading is.
    pub provenance: Provenance,
    /// First day on which instances open.
    pub from: Option<Day>,
    /// First day on which none opens any more.
    pub until: Option<Day>,
}

impl DutyRule {
    /// Instances open on this day.
    pub fn in_force(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// The role completes its instances.
    pub fn is_completed_by(&self, role: Role) -> bool {
        role.may(Permission::CompleteDuty) && self.roles.contains(&role)
    }

    /// The role opens instances by hand: who owes it enters what happened, or the authority does.
    pub fn is_opened_by(&self, role: Role) -> bool {
        let by_hand = matches!(self.trigger, DutyTrigger::On { .. });
        let owes = self.roles.contains(&role) || role.is_centre();
        by_hand && owes && role.may(Permission::CompleteDuty)
    }

    /// Only staff of the authority sees its instances: a routine check is not announced to those it
    /// is about.
    pub fn is_inside(&self) -> bool {
        self.roles.iter().all(|role| role.is_centre())
    }
}
