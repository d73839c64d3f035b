//! Events as the engine sees them: already decoded, identified and translated to 2017 codes.

use crate::model::rows::Habits;
use crate::model::{
    AlarmId, AlarmKind, Attachment, ChannelTest, DutyId, DutyKey, DutySubject, ExchangeNews,
    FallbackId, HandOver, ManualReport, Mark, MessageFate, Mn, OutletId, Policy, QaTest, Record,
    Registry, ReportId, ReviewAction, SampleSet, Seq, Shift, Timestamp, UserId,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::sync::Arc;

/// One event with its place in the journal and its time (never before that of the last event).
#[derive(Debug, Clone)]
pub struct Input {
    /// Journal position.
    pub seq: Seq,
    /// Journal time.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// A sound frame from an identified logger: who, from where, in which dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Identity as sent.
    pub mn: Mn,
    /// Outlet it reports for.
    pub outlet: OutletId,
    /// Network peer, `address:port`.
    pub peer: SmolStr,
    /// Dialect: `2005`, `2017`, `2025`, `?`.
    pub edition: SmolStr,
    /// Codes of the deviations found in the frame.
    pub findings: Vec<SmolStr>,
    /// Habits seen in this frame; `None` where it says nothing.
    pub habits: Habits,
}

/// Why bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalReason {
    /// CRC of no accepted variant.
    Crc,
    /// No outlet has this MN.
    UnknownMn,
    /// Wrong password.
    WrongPassword,
    /// Right MN and password from an address that is not allowed.
    SourceAddress,
    /// Bytes that are no frame.
    Garbage,
    /// A data frame without a readable DataTime.
    NoDataTime,
    /// DataTime further in the future than clocks may differ.
    FutureTime,
    /// Cipher text without a key.
    Encrypted,
    /// A frame without MN or command.
    Unreadable,
    /// A message of a broker that is not what was agreed on.
    Payload,
}

impl RefusalReason {
    /// The code in quarantine rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc => "crc",
            Self::UnknownMn => "unknown-mn",
            Self::WrongPassword => "wrong-password",
            Self::SourceAddress => "source-address",
            Self::Garbage => "garbage",
            Self::NoDataTime => "no-data-time",
            Self::FutureTime => "future-time",
            Self::Encrypted => "encrypted",
            Self::Unreadable => "unreadable",
            Self::Payload => "payload",
        }
    }
}

/// Bytes that were not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// Network peer, `address:port`.
    pub peer: SmolStr,
    /// Identity claimed.
    pub mn: Option<SmolStr>,
    /// The outlet concerned, where the identity is known (wrong password, bad times).
    pub outlet: Option<OutletId>,
    /// How many bytes.
    pub bytes: u64,
    /// Beginning of them, printable.
    pub excerpt: String,
}

/// Anything a device says that is not a data record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Command number.
    pub cn: SmolStr,
    /// DataTime or the like, if it had one.
    pub at: Option<Timestamp>,
    /// Names and values as sent.
    pub items: Vec<(SmolStr, String)>,
}

/// What a person does to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmActionKind {
    /// Takes notice (确认).
    Acknowledge,
    /// Ends it with a conclusion (关闭); refused while the condition holds or nobody has
    /// acknowledged it.
    Close,
    /// Puts it aside for a limited time (搁置).
    Shelve,
    /// Takes it back before that time is over.
    Unshelve,
    /// Notes a call: with whom, what was said (电话记录).
    Called,
    /// Notes something else (备注).
    Noted,
    /// Has the enterprise told (通知排污单位).
    ToldEnterprise,
    /// Has the operator of the equipment told (通知运维单位).
    ToldOperator,
    /// Hands it over to the authority's inspectors (移交).
    HandedOver,
}

/// A person's action on an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmAction {
    /// Which alarm.
    pub alarm: AlarmId,
    /// What.
    pub kind: AlarmActionKind,
    /// Who.
    pub by: UserId,
    /// Note or conclusion.
    pub note: String,
    /// Until when an acknowledgement or a shelving holds.
    pub until: Option<Timestamp>,
}

/// A person takes a kind of alarm of an outlet out of service, or puts it back (退出/恢复服务).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmService {
    /// Whose alarms.
    pub outlet: OutletId,
    /// Which kind.
    pub kind: AlarmKind,
    /// Out of service (true) or back.
    pub out: bool,
    /// Who.
    pub by: UserId,
    /// Why.
    pub note: String,
}

/// How a part of the daemon itself is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    /// The alarm that its trouble is.
    pub kind: AlarmKind,
    /// Which part: a file system, a channel, a certificate.
    pub part: SmolStr,
    /// It is in trouble.
    pub bad: bool,
    /// The figure that shows it.
    pub value: Option<Decimal>,
    /// What it is held against.
    pub threshold: Option<Decimal>,
    /// In words.
    pub detail: String,
}

/// A person's decision to open or close a fallback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackDecision {
    /// Which outlet.
    pub outlet: OutletId,
    /// Open (true) or close (false).
    pub open: bool,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
}

/// A mark or a test that a person takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeBack {
    /// Whose.
    pub outlet: OutletId,
    /// Its number.
    pub id: Seq,
    /// Who.
    pub by: UserId,
    /// Why.
    pub reason: String,
}

/// A manual report that a person takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportBack {
    /// Whose.
    pub outlet: OutletId,
    /// Which.
    pub id: ReportId,
    /// Who.
    pub by: UserId,
    /// Why.
    pub reason: String,
}

/// A written report that a person hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenIn {
    /// Whose.
    pub outlet: OutletId,
    /// About which fallback.
    pub fallback: FallbackId,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
    /// The document.
    pub attachments: Vec<Attachment>,
}

/// A person says that a duty is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyCompletion {
    /// Which instance.
    pub key: DutyKey,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
    /// Documents.
    pub attachments: Vec<Attachment>,
}

/// A person takes the completion of a duty back, or else its opening by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyTakeBack {
    /// Which instance.
    pub key: DutyKey,
    /// Who.
    pub by: UserId,
    /// Why.
    pub reason: String,
}

/// A person opens an instance of a duty: a finding, a decision, an announced stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyOpening {
    /// Of which row.
    pub rule: DutyId,
    /// For whom.
    pub subject: DutySubject,
    /// The moment from which, or towards which, the time counts.
    pub trigger_at: Timestamp,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
}

/// Something for the audit trail only: log-in, start, stop, recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who: a user id or `daemon`.
    pub who: SmolStr,
    /// What, as a code.
    pub what: SmolStr,
    /// About which object.
    pub object: SmolStr,
    /// Words.
    pub detail: String,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A registry takes force.
    Registry(Arc<Registry>),
    /// A data record arrived.
    Record(Contact, Record),
    /// A device said something else.
    Statement(Contact, Statement),
    /// A sign of life without content (heartbeat, time request).
    SignOfLife(Contact),
    /// Bytes were refused.
    Refused(Refusal),
    /// A manual report was entered.
    ManualReport(ManualReport),
    /// A manual report is taken back.
    ReportWithdrawn(ReportBack),
    /// The written report of a fallback is handed in.
    WrittenReport(WrittenIn),
    /// A person acted on an alarm.
    AlarmAction(AlarmAction),
    /// A person decided about a fallback.
    FallbackDecision(FallbackDecision),
    /// A mark was entered.
    Mark(Mark),
    /// A mark is taken back.
    MarkWithdrawn(TakeBack),
    /// A test of the equipment was entered.
    QaTest(QaTest),
    /// A test is taken back.
    QaWithdrawn(TakeBack),
    /// A step of a quarterly validity review.
    Review(ReviewAction),
    /// A station read an instrument.
    Samples(SampleSet),
    /// A record that came without a logger: there are no books to keep of one.
    Reported(Record),
    /// News about a request to a device.
    Exchange(OutletId, ExchangeNews),
    /// A person tries a channel for messages.
    ChannelTest(ChannelTest),
    /// What became of a message.
    MessageFate(MessageFate),
    /// A policy takes force.
    Policy(Arc<Policy>),
    /// A kind of alarm goes out of service, or comes back.
    AlarmService(AlarmService),
    /// A shift is entered into the roster.
    Shift(Shift),
    /// The desk is handed over.
    HandOver(HandOver),
    /// A part of the daemon reports how it is.
    Health(HealthReport),
    /// A person says that a duty is done.
    DutyCompleted(DutyCompletion),
    /// A person takes that back, or the opening by hand.
    DutyTakenBack(DutyTakeBack),
    /// A person opens an instance of a duty.
    DutyOpened(DutyOpening),
    /// For the audit trail.
    Audit(AuditEntry),
    /// Time passes.
    Tick,
}
