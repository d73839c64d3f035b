//! What the console needs from the daemon. The pages know nothing else of it, so they run against
//! canned data in tests.
//!
//! Reading methods block (they query the embedded store) and are called on tokio's blocking pool.
//! Writing methods resolve only after the event is on disk: a page that says "saved" is right.

mod desk;
mod destinations;
mod devices;
mod duties;
mod post;
mod replays;
mod results;
mod uplinks;

pub use desk::{
    AlarmAct, AlarmFilter, AlarmGroups, AlarmVerb, DeskBackend, DeskView, OnDuty, RosterView,
};

pub use destinations::{
    DestinationStatus, DestinationTrouble, OutboxBackend, REPLAY_DAYS_MAX, RefusedItem,
    ReplayStatus, WayStatus, may_replay, may_see_destinations,
};
pub use devices::{
    CommandForm, CommandOrder, CommandParameter, InstrumentStatus, ParameterKind, StationStatus,
    UplinkStatus,
};
pub use duties::{DutyAsk, DutyBackend, DutyDetail, DutyRound, Feed, Places, sees_duty};
pub use post::{
    ChannelStatus, MessageState, MessageStatus, PostOffice, may_see_messages, may_test_channels,
};
pub use replays::{UplinkReplay, UplinkReplayAsk, UplinkReplayStage};
pub use results::{ProjectionRow, RateRow, RatesOf, ReportEntry, TakenBack, TaxRow, Upload};
pub use uplinks::{
    GAPS_MAX, LineDay, SENT_DAYS_MAX, SENT_FILE_ROWS_MAX, SentFilter, SentPlace, SentRow,
    SentState, UplinkBackend, UplinkGap, UplinkLine, UplinkSummary,
};

use cems_core::explain::{Node, Question};
use cems_core::model::access::{Role, Scope};
use cems_core::model::rows::{
    AggregateRow, AuditRow, DeviceRow, LatestRow, QuarantineRow, RecordRow, SupersededRow,
};
use cems_core::model::{
    AlarmId, AlarmRow, AmountPeriod, ClueRow, Enterprise, ExchangeRow, FactorCode, FallbackId,
    FallbackRow, Level, ManualReportRow, Mark, MarkRow, Outlet, OutletId, QaRow, QaTest,
    QuarterRow, RecordKind, Registry, ReviewAction, ReviewRow, Seq, Timestamp, UserId,
};
use rust_decimal::Decimal;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A future a trait object can return.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The person or program behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Identity, written into every event it causes.
    pub user: UserId,
    /// Name shown on pages.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
}

/// Why something could not be read or done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// There is no such thing, or the actor may not see it.
    #[error("not found")]
    NotFound,
    /// The actor's role does not allow it.
    #[error("not allowed")]
    Forbidden,
    /// The request contradicts the rules; the code selects the text (`action-<code>` in the text
    /// files), the detail names the value.
    #[error("refused: {code}: {detail}")]
    Refused {
        /// Stable code, kebab-case.
        code: String,
        /// The value at fault.
        detail: String,
    },
    /// The journal or the store cannot be reached now (disk full, stopping).
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// Proof that an event is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its journal position.
    pub seq: Seq,
    /// Its journal time.
    pub at: Timestamp,
}

/// Why a log-in failed. Pages say the same for a wrong name and a wrong password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Wrong name or password.
    #[error("wrong name or password")]
    Wrong,
    /// Too many attempts; try again after so many seconds.
    #[error("too many attempts, wait {0} s")]
    Slow(u32),
    /// The journal cannot take the log-in event now.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// State of an outlet in one word, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutletState {
    /// A mean is over its limit.
    Exceeding,
    /// Nothing arrives.
    Silent,
    /// A fallback is open.
    Fallback,
    /// Data arrive but do not count.
    Invalid,
    /// Stopped, as its flags say.
    Stopped,
    /// All is well.
    Normal,
    /// Never heard of since it was registered.
    Waiting,
}

/// One outlet on the overview.
#[derive(Debug, Clone)]
pub struct OutletSummary {
    /// From the registry in force.
    pub outlet: Outlet,
    /// From the registry in force.
    pub enterprise: Enterprise,
    /// State in one word.
    pub state: OutletState,
    /// Last contact with its logger.
    pub last_seen: Option<Timestamp>,
    /// Latest values, by factor.
    pub latest: Vec<LatestRow>,
    /// The last complete hour.
    pub last_hour: Option<AggregateRow>,
    /// Alarms not closed.
    pub open_alarms: u32,
}

/// A total against its permitted amount.
#[derive(Debug, Clone)]
pub struct AmountProgress {
    /// Whose.
    pub outlet: OutletId,
    /// Factor.
    pub factor: FactorCode,
    /// Month or year.
    pub period: AmountPeriod,
    /// First instant of the period.
    pub start: Timestamp,
    /// Emitted so far, kg.
    pub amount_kg: Decimal,
    /// Permitted, kg.
    pub permitted_kg: Decimal,
    /// Share in percent.
    pub share_pct: Decimal,
}

/// The overview, within a scope.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Outlets, worst state first, then by enterprise and id.
    pub outlets: Vec<OutletSummary>,
    /// Alarms not closed: unacknowledged first, then by priority and age.
    pub alarms: Vec<AlarmRow>,
    /// Open fallbacks, next due first.
    pub fallbacks: Vec<FallbackRow>,
    /// Totals, highest share first.
    pub amounts: Vec<AmountProgress>,
}

/// What the page of one outlet shows besides its summary.
#[derive(Debug, Clone)]
pub struct OutletDetail {
    /// As on the overview.
    pub summary: OutletSummary,
    /// Its logger as seen on the wire.
    pub device: Option<DeviceRow>,
    /// Its alarms, newest first, at most [`LIST_ROWS_MAX`].
    pub alarms: Vec<AlarmRow>,
    /// Its fallbacks, newest first.
    pub fallbacks: Vec<FallbackRow>,
    /// Its totals.
    pub amounts: Vec<AmountProgress>,
}

/// An alarm with its history.
#[derive(Debug, Clone)]
pub struct AlarmDetail {
    /// The alarm.
    pub alarm: AlarmRow,
    /// What happened to it, oldest first.
    pub history: Vec<AuditRow>,
}

/// A fallback with its reports.
#[derive(Debug, Clone)]
pub struct FallbackDetail {
    /// The fallback.
    pub fallback: FallbackRow,
    /// Its reports by sampling time.
    pub reports: Vec<ManualReportRow>,
}

/// How the daemon itself is.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Health {
    /// Everything works; false makes `/readyz` answer 503.
    pub ready: bool,
    /// What is wrong, in words, one line each (English).
    pub problems: Vec<String>,
    /// Last journal position on disk.
    pub journal_seq: u64,
    /// Position the projections have reached.
    pub projected_seq: u64,
    /// Connected loggers.
    pub connections: u64,
    /// Version of the program.
    pub version: String,
}

/// Manual reports entered at once: four a day for seven weeks, which is one table.
pub const REPORTS_MAX: usize = 200;

/// Most rows of any list in one answer; older ones are reached by paging.
pub const LIST_ROWS_MAX: usize = 500;

/// What changed; pages that show it fetch themselves anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New values of an outlet.
    Values(OutletId),
    /// An alarm was raised or changed.
    Alarm(AlarmId),
    /// A fallback opened, closed or got a report.
    Fallback(FallbackId),
    /// The registry changed.
    Registry,
    /// The roster, the one on duty, or what is out of service changed.
    Desk,
    /// The health changed.
    Health,
    /// Duties opened, were completed, or ended.
    Duties,
    /// An exchange with the device of an outlet was ordered or moved on.
    Exchange(Seq, OutletId),
    /// A message was decided, delivered or given up.
    Messages,
    /// A destination of data was served, or is in trouble.
    Destinations,
    /// A period that is sent to a centre again has moved on.
    Uplinks,
}

/// A set of changes committed together, with the position reached.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Position the projections have reached.
    pub seq: Seq,
    /// What changed, without repeats.
    pub changes: Arc<[Change]>,
}

/// The daemon behind the console. Every method applies the actor's scope; what lies outside it is
/// [`BackendError::NotFound`].
pub trait Backend: DeskBackend + DutyBackend + PostOffice + OutboxBackend + UplinkBackend {
    /// The registry in force; empty before the first configuration was journalled.
    fn registry(&self) -> Arc<Registry>;
    /// The daemon's clock (simulated time in a fast demo).
    fn now(&self) -> Timestamp;
    /// How the daemon is.
    fn health(&self) -> Health;
    /// Metrics in Prometheus text format.
    fn metrics(&self) -> String;

    /// The overview.
    fn overview(&self, actor: &Actor) -> Result<Overview, BackendError>;
    /// One outlet.
    fn outlet(&self, actor: &Actor, id: &OutletId) -> Result<OutletDetail, BackendError>;
    /// Records of an outlet with `from <= start < until`, ascending.
    fn records(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordRow>, BackendError>;
    /// Aggregates of an outlet with `from <= start < until`, ascending.
    fn aggregates(
        &self,
        actor: &Actor,
        id: &OutletId,
        level: Level,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AggregateRow>, BackendError>;
    /// Alarms, newest first, at most [`LIST_ROWS_MAX`].
    fn alarms(&self, actor: &Actor, filter: &AlarmFilter) -> Result<Vec<AlarmRow>, BackendError>;
    /// One alarm.
    fn alarm(&self, actor: &Actor, id: AlarmId) -> Result<AlarmDetail, BackendError>;
    /// Fallbacks, open ones first, then newest; at most [`LIST_ROWS_MAX`].
    fn fallbacks(&self, actor: &Actor, open_only: bool) -> Result<Vec<FallbackRow>, BackendError>;
    /// One fallback.
    fn fallback(&self, actor: &Actor, id: FallbackId) -> Result<FallbackDetail, BackendError>;
    /// What was refused, newest first, at most [`LIST_ROWS_MAX`].
    fn quarantine(&self, actor: &Actor) -> Result<Vec<QuarantineRow>, BackendError>;
    /// Commands that the outlet's device understands, for a form; empty when it is not known yet
    /// which edition it speaks.
    fn commands(&self, actor: &Actor, id: &OutletId) -> Result<Vec<CommandForm>, BackendError>;
    /// Exchanges with the devices of one outlet or of all, newest first, at most
    /// [`LIST_ROWS_MAX`].
    fn exchanges(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ExchangeRow>, BackendError>;
    /// One exchange.
    fn exchange(&self, actor: &Actor, id: Seq) -> Result<ExchangeRow, BackendError>;
    /// Values of a record that later ones replaced, by factor and age.
    fn superseded(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        start: Timestamp,
    ) -> Result<Vec<SupersededRow>, BackendError>;
    /// Why a number is what it is.
    fn explain(&self, actor: &Actor, question: &Question) -> Result<Node, BackendError>;
    /// Marks of one outlet or of all in scope, newest first, at most [`LIST_ROWS_MAX`].
    fn marks(&self, actor: &Actor, outlet: Option<&OutletId>)
    -> Result<Vec<MarkRow>, BackendError>;
    /// Tests of an outlet's equipment, newest first, at most [`LIST_ROWS_MAX`].
    fn qa_tests(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<QaRow>, BackendError>;
    /// Validity reviews of an outlet, newest quarter first.
    fn reviews(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<ReviewRow>, BackendError>;
    /// Quarters of an outlet with what was put in for invalid periods, newest first.
    fn quarters(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<QuarterRow>, BackendError>;
    /// Clues of one outlet or of all in scope, of periods that begin in `from..until`, newest
    /// first, at most [`LIST_ROWS_MAX`].
    fn clues(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ClueRow>, BackendError>;
    /// Rates over whole days from `from` until `until`: of one, or (`None`) of every region,
    /// enterprise and outlet in scope, in this order.
    fn rates(
        &self,
        actor: &Actor,
        of: Option<&RatesOf>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RateRow>, BackendError>;
    /// Permitted amounts of the year with the date on which they will be reached, highest share
    /// first; of one outlet, or (`None`) of all outlets and enterprises in scope.
    fn projections(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ProjectionRow>, BackendError>;
    /// Tax basis of an outlet's pollutants in the local month that contains `month`.
    fn tax(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        month: Timestamp,
    ) -> Result<Vec<TaxRow>, BackendError>;
    /// An attachment of something in scope: its name and content.
    fn attachment(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        sha256: &str,
    ) -> Result<Upload, BackendError>;
    /// Instruments and uplinks of this daemon.
    fn station(&self, actor: &Actor) -> Result<StationStatus, BackendError>;
    /// Whether [`Backend::station`] has anything to show; asked for the menu of every page, so it
    /// must not wait for the store.
    fn has_station(&self, actor: &Actor) -> bool {
        self.station(actor).is_ok_and(|status| !status.is_empty())
    }
    /// The audit trail, newest first, before a position, at most [`LIST_ROWS_MAX`].
    fn audit(&self, actor: &Actor, before: Option<Seq>) -> Result<Vec<AuditRow>, BackendError>;

    /// Enters manual reports, all of them or none, at least one and at most
    /// [`REPORTS_MAX`]; the receipt is that of the last.
    fn submit_reports<'a>(
        &'a self,
        actor: &'a Actor,
        entries: Vec<ReportEntry>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Hands in the written report of a fallback.
    fn deliver_written<'a>(
        &'a self,
        actor: &'a Actor,
        fallback: FallbackId,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Opens or closes a fallback by decision.
    fn decide_fallback<'a>(
        &'a self,
        actor: &'a Actor,
        outlet: OutletId,
        open: bool,
        note: String,
    ) -> Reply<'a, Result<Receipt, BackendError>>;

    /// Enters a mark with its files; `mark.by` and `mark.attachments` are set here.
    fn enter_mark<'a>(
        &'a self,
        actor: &'a Actor,
        mark: Mark,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Enters a test of the equipment with its files; `test.by` and `test.attachments` are set
    /// here.
    fn enter_qa_test<'a>(
        &'a self,
        actor: &'a Actor,
        test: QaTest,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Takes a mark, the tests of one entry or a manual report back.
    fn take_back<'a>(
        &'a self,
        actor: &'a Actor,
        what: TakenBack,
        outlet: OutletId,
        id: Seq,
        reason: String,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// A step of a validity review with its files; `action.by` and `action.attachments` are set
    /// here.
    fn review<'a>(
        &'a self,
        actor: &'a Actor,
        action: ReviewAction,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;

    /// Orders a command; the receipt's position is the id of the exchange. It is sent when the
    /// device is connected and no other exchange is under way.
    fn send_command<'a>(
        &'a self,
        actor: &'a Actor,
        order: CommandOrder,
    ) -> Reply<'a, Result<Receipt, BackendError>>;

    /// Checks a password; the answer is a session token (256 bits, hex) for the cookie.
    fn login<'a>(
        &'a self,
        user: &'a str,
        password: &'a str,
        peer: &'a str,
    ) -> Reply<'a, Result<String, LoginError>>;
    /// Ends a session.
    fn logout<'a>(&'a self, token: &'a str) -> Reply<'a, ()>;
    /// Who is behind a session token; `None` when unknown or expired.
    fn session(&self, token: &str) -> Option<Actor>;
    /// Who is behind an API token (`Authorization: Bearer`).
    fn api_token(&self, token: &str) -> Option<Actor>;

    /// Changes as they are committed. A receiver that lags sees that it lagged and reloads all.
    fn changes(&self) -> tokio::sync::broadcast::Receiver<Changes>;
}
