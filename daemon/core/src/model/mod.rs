//! The nouns of the field: identities, instants, records, the registry, and the rows that the
//! engine puts out.

pub mod access;
pub mod alarm;
pub mod exchange;
pub mod fallback;
pub mod ids;
pub mod record;
pub mod registry;
pub mod rows;
pub mod sample;
pub mod time;

pub use access::{Access, Permission, Role, Scope};
pub use alarm::{Acknowledgement, AlarmKind, AlarmRow, AlarmSubject, Closure, Priority};
pub use exchange::{ExchangeNews, ExchangeRow, ExchangeState, ExchangeStep};
pub use fallback::{FallbackReason, FallbackRow, ManualReport, ManualReportRow, ManualValue};
pub use ids::{
    AlarmId, EnterpriseId, FactorCode, FallbackId, LimitId, Mn, OutletId, ProfileId, RegionId,
    ReportId, Seq, UserId,
};
pub use record::{Flag, Number, Record, RecordKind, Value};
pub use registry::{
    AmountPeriod, Basis, Enterprise, Expectation, FallbackRule, GasSettings, Limit, LimitPeriod,
    Medium, Outlet, OutletFactor, PermittedAmount, Profile, Registry, WaterSettings,
};
pub use rows::{
    AggregateRow, CheckCode, FactorAggregate, ForwardRow, LimitVerdict, Output, RecordRow,
    StoredValue,
};
pub use sample::{Sample, SampleSet};
pub use time::{Level, Period, Timestamp, UtcOffset};
