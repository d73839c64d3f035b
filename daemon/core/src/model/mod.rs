//! The nouns of the field: identities, instants, records, the registry, and the rows that the
//! engine puts out.

pub mod access;
pub mod alarm;
pub mod calendar;
pub mod clue;
pub mod duty;
pub mod exchange;
pub mod fallback;
pub mod ids;
pub mod mark;
pub mod message;
mod outgoing;
pub mod policy;
pub mod profile;
pub mod qa;
pub mod quarter;
pub mod record;
pub mod registry;
pub mod roster;
pub mod rows;
pub mod sample;
pub mod series;
pub mod time;

pub use access::{Access, Permission, Role, Scope};
pub use alarm::{
    Acknowledgement, AlarmKind, AlarmRow, AlarmServiceRow, AlarmState, AlarmSubject, Closure,
    OUT_OF_SERVICE, Priority, Shelving, Suppression,
};
pub use calendar::{CalendarYear, Day, DayKind, Holiday, Known, WorkCalendar};
pub use clue::{Clue, ClueRow};
pub use duty::{
    DutyBook, DutyDeadline, DutyDone, DutyEvent, DutyFor, DutyGone, DutyRow, DutyRule,
    DutyStanding, DutyStep, DutySubject, DutyTrigger, Quota, QuotaUnit, Recurrence, Speaks, Watch,
};
pub use exchange::{ExchangeNews, ExchangeRow, ExchangeState, ExchangeStep};
pub use fallback::{
    Delivery, FallbackReason, FallbackRow, Lifting, ManualReport, ManualReportRow, ManualValue,
    ReportFinding, Superseded, WrittenReport,
};
pub use ids::{
    AlarmId, ChannelId, DutyId, DutyKey, EnterpriseId, FactorCode, FallbackId, LimitId, MessageId,
    Mn, OutletId, ProfileId, RegionId, ReportId, Seq, UserId,
};
pub use mark::{Attachment, Mark, MarkKind, MarkRow, Withdrawal};
pub use message::{
    About, ChannelTest, MESSAGE_ITEMS_MAX, MessageFate, MessageOutcome, MessageReason, MessageRow,
    Recipient,
};
pub use outgoing::OutgoingRow;
pub use policy::{ChannelKind, Person, Policy};
pub use profile::{MarkEffect, Profile, Provenance, Rounding, Sure};
pub use qa::{
    QaKind, QaOutcome, QaPair, QaRow, QaTest, QaVerdict, ReviewAction, ReviewEntry, ReviewRow,
    ReviewStep,
};
pub use quarter::{Gap, QuarterFactor, QuarterRow, Substitute};
pub use record::{Flag, Number, Record, RecordKind, Value};
pub use registry::{
    AmountPeriod, Basis, Enterprise, Expectation, FallbackRule, GasSettings, Limit, LimitKind,
    LimitPeriod, Medium, Outlet, OutletFactor, PermittedAmount, Registry, SpecialPeriod,
    WaterSettings,
};
pub use roster::{HandOver, HandOverRow, SHIFT_PEOPLE_MAX, Shift, ShiftRow};
pub use rows::{
    AggregateRow, CheckCode, FactorAggregate, ForwardRow, JudgedMeans, LimitVerdict, Output,
    PackRow, RecordRow, StoredValue,
};
pub use sample::{Sample, SampleSet};
pub use series::{Series, SeriesDayRow, series_day};
pub use time::{Level, Period, Timestamp, UtcOffset};
