//! The duty desk: its queue in rows, who is on duty, what people do to alarms, and how well it
//! goes.

use super::{Actor, BackendError, Receipt, Reply};
use cems_core::alarm::figures::Figures;
use cems_core::alarm::groups::Group;
use cems_core::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmServiceRow, AlarmState, EnterpriseId, HandOver, HandOverRow,
    OutletId, Permission, Priority, RegionId, Shift, ShiftRow, Timestamp, UserId,
};
use std::collections::{BTreeMap, BTreeSet};

/// Which alarms to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Only those not closed.
    pub open_only: bool,
    /// Only of this outlet.
    pub outlet: Option<OutletId>,
    /// Only of this kind.
    pub kind: Option<AlarmKind>,
    /// Only of this priority.
    pub priority: Option<Priority>,
    /// Only in these states; empty: in any.
    pub states: BTreeSet<AlarmState>,
    /// Only of this region.
    pub region: Option<RegionId>,
    /// Only of this enterprise.
    pub enterprise: Option<EnterpriseId>,
    /// Only those that this outage stands for.
    pub covered_by: Option<AlarmId>,
    /// Only older than this one (for paging); newest first.
    pub before: Option<AlarmId>,
}

/// What a person can do to an alarm. One list: the address, the text keys and the permission hang
/// on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmVerb {
    /// Takes notice (确认).
    Acknowledge,
    /// Puts it aside for a limited time (搁置).
    Shelve,
    /// Takes it back before that time is over (取消搁置).
    Unshelve,
    /// Notes a call: whom, and what was said (电话记录).
    Called,
    /// Has the enterprise told (通知排污单位).
    ToldEnterprise,
    /// Has the operator of the equipment told (通知运维单位).
    ToldOperator,
    /// Hands it over to the inspectors (移交).
    HandedOver,
    /// Notes something else (备注).
    Noted,
    /// Ends it with a conclusion (关闭).
    Close,
}

impl AlarmVerb {
    /// Every verb, in the order of a page.
    pub const ALL: [AlarmVerb; 9] = [
        Self::Acknowledge,
        Self::Shelve,
        Self::Unshelve,
        Self::Called,
        Self::ToldEnterprise,
        Self::ToldOperator,
        Self::HandedOver,
        Self::Noted,
        Self::Close,
    ];

    /// The last part of the address, and of text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Shelve => "shelve",
            Self::Unshelve => "unshelve",
            Self::Called => "call",
            Self::ToldEnterprise => "tell-enterprise",
            Self::ToldOperator => "tell-operator",
            Self::HandedOver => "hand-over",
            Self::Noted => "note",
            Self::Close => "close",
        }
    }

    /// The verb of that address.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == name)
    }

    /// Who may do it.
    pub fn permission(self) -> Permission {
        match self {
            Self::Close => Permission::CloseAlarm,
            _ => Permission::AcknowledgeAlarm,
        }
    }

    /// It makes no sense without words.
    pub fn needs_note(self) -> bool {
        !matches!(
            self,
            Self::Unshelve | Self::ToldEnterprise | Self::ToldOperator | Self::HandedOver
        )
    }

    /// It may say until when.
    pub fn has_end(self) -> bool {
        matches!(self, Self::Acknowledge | Self::Shelve)
    }

    /// Whether it can be done to an alarm that stands like this.
    pub fn suits(self, alarm: &AlarmRow) -> bool {
        if alarm.closed.is_some() {
            return false;
        }
        match self {
            Self::Acknowledge => alarm.acknowledged.is_none(),
            Self::Shelve => alarm.shelved.is_none(),
            Self::Unshelve => alarm.shelved.is_some(),
            Self::Close => !alarm.active && alarm.acknowledged.is_some(),
            // Nobody outside stands behind what belongs to no enterprise.
            Self::ToldEnterprise | Self::ToldOperator => alarm.enterprise.is_some(),
            Self::Called | Self::HandedOver | Self::Noted => true,
        }
    }
}

/// What a person does to an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmAct {
    /// What.
    pub verb: AlarmVerb,
    /// Note or conclusion; empty where [`AlarmVerb::needs_note`] does not ask for one.
    pub note: String,
    /// Until when an acknowledgement or a shelving holds.
    pub until: Option<Timestamp>,
}

/// The queue of the desk, folded.
#[derive(Debug, Clone, Default)]
pub struct AlarmGroups {
    /// Rows, as [`cems_core::alarm::groups::fold`] orders them.
    pub groups: Vec<Group>,
    /// Outlets that outages cover, by the row's place in `groups`.
    pub outlets: BTreeMap<usize, u64>,
    /// Open alarms by state.
    pub states: BTreeMap<AlarmState, u64>,
    /// Alarms that wait for somebody, by priority.
    pub waiting: BTreeMap<Priority, u64>,
    /// Open alarms.
    pub open: u64,
}

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// Log-in name.
    pub user: UserId,
    /// Name shown.
    pub name: String,
}

/// The desk as a duty officer finds it.
#[derive(Debug, Clone)]
pub struct DeskView {
    /// Who is on duty; empty when the roster says nothing.
    pub on_duty: Vec<OnDuty>,
    /// Until when, where a shift says so.
    pub until: Option<Timestamp>,
    /// The next shift.
    pub next: Option<ShiftRow>,
    /// Hand-overs, newest first, a few.
    pub hand_overs: Vec<HandOverRow>,
    /// The queue.
    pub queue: AlarmGroups,
    /// Alarms put aside, newest first, at most [`LIST_ROWS_MAX`](super::LIST_ROWS_MAX).
    pub shelved: Vec<AlarmRow>,
    /// Alarms suppressed by design, the same.
    pub suppressed: Vec<AlarmRow>,
    /// Active alarms of what is out of service, the same.
    pub silenced: Vec<AlarmRow>,
    /// Kinds that a person took out of service, by outlet.
    pub services: Vec<AlarmServiceRow>,
    /// Kinds that the settings take out of service everywhere.
    pub kinds_out: Vec<AlarmKind>,
}

/// The roster over some days.
#[derive(Debug, Clone)]
pub struct RosterView {
    /// Shifts that touch them, by their beginning.
    pub shifts: Vec<ShiftRow>,
    /// Hand-overs, newest first, a few.
    pub hand_overs: Vec<HandOverRow>,
    /// Who can be put on a shift: users who answer alarms.
    pub people: Vec<OnDuty>,
    /// Names of all users, for what was entered when.
    pub names: BTreeMap<UserId, String>,
}

/// The part of the daemon behind the duty desk. Every method applies the actor's scope.
pub trait DeskBackend: Send + Sync + 'static {
    /// The desk; `region`: only that region, within the actor's scope.
    fn desk(&self, actor: &Actor, filter: &AlarmFilter) -> Result<DeskView, BackendError>;
    /// The queue alone; only `region` of the filter is looked at.
    fn alarm_groups(
        &self,
        actor: &Actor,
        filter: &AlarmFilter,
    ) -> Result<AlarmGroups, BackendError>;
    /// Performance of the desk over a period of at most
    /// [`SPAN_MS_MAX`](cems_core::alarm::figures::SPAN_MS_MAX).
    fn alarm_figures(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Figures, BackendError>;
    /// The roster over `from..until`, for those who answer alarms or look after the desk.
    fn roster(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<RosterView, BackendError>;

    /// Does something to an alarm.
    fn act_on_alarm<'a>(
        &'a self,
        actor: &'a Actor,
        alarm: AlarmId,
        act: AlarmAct,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Takes a kind of alarm of an outlet out of service, or puts it back.
    fn set_alarm_service<'a>(
        &'a self,
        actor: &'a Actor,
        outlet: OutletId,
        kind: AlarmKind,
        out: bool,
        note: String,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Enters a shift; `shift.by` is set from the actor. A shift without people is taken out.
    fn enter_shift<'a>(
        &'a self,
        actor: &'a Actor,
        shift: Shift,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Hands the desk over; `over.from` is set from the actor.
    fn hand_over<'a>(
        &'a self,
        actor: &'a Actor,
        over: HandOver,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
}
