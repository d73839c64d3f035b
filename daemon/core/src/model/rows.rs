//! What the engine puts out: rows for the projections. Every row is an upsert by its key and
//! carries the journal position that produced it.

use super::alarm::{AlarmRow, AlarmServiceRow};
use super::clue::ClueRow;
use super::duty::DutyRow;
use super::exchange::ExchangeRow;
use super::fallback::{FallbackRow, ManualReportRow};
use super::ids::{FactorCode, LimitId, OutletId, ProfileId, Seq};
use super::mark::MarkRow;
use super::message::MessageRow;
use super::outgoing::OutgoingRow;
use super::qa::{QaRow, ReviewRow};
use super::quarter::QuarterRow;
use super::record::{RecordKind, Value};
use super::roster::{HandOverRow, ShiftRow};
use super::series::SeriesDayRow;
use super::time::{Level, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Number of a check that a value failed; the catalogue is in `validate`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckCode(pub SmolStr);

/// One factor of a stored record with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredValue {
    /// What was sent.
    #[serde(flatten)]
    pub value: Value,
    /// Verdict.
    pub valid: bool,
    /// Checks that failed; empty when valid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckCode>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Journal position it came from.
    pub seq: Seq,
    /// Versions of this value that were superseded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub superseded: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature asked for by serde"
)]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A stored record; key (outlet, kind, start).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRow {
    /// Whose.
    pub outlet: OutletId,
    /// Which kind.
    pub kind: RecordKind,
    /// Start of the interval, or the instant.
    pub start: Timestamp,
    /// Marked as re-sent.
    pub resent: bool,
    /// Its factors by code.
    pub values: BTreeMap<FactorCode, StoredValue>,
}

/// A value that a later one replaced; key (outlet, kind, start, factor, seq).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededRow {
    /// Whose.
    pub outlet: OutletId,
    /// Which kind.
    pub kind: RecordKind,
    /// Start of the interval.
    pub start: Timestamp,
    /// The value that was replaced, with its own provenance.
    pub old: StoredValue,
    /// Journal position of the value that replaced it.
    pub by_seq: Seq,
}

/// Where an aggregate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AggregateOrigin {
    /// Computed here from shorter periods.
    Computed,
    /// The station's own hour or day record, where there is nothing shorter.
    Reported,
}

/// Verdict of one limit on one mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitVerdict {
    /// Which limit.
    pub limit: LimitId,
    /// The figure that was compared (converted or not, rounded or not, as the rules say).
    pub judged: Decimal,
    /// The bound it was compared with (the one broken, else the upper one).
    pub bound: Decimal,
    /// Outside the limit.
    pub exceeded: bool,
    /// Exceedance multiple (超标倍数): judged / bound - 1, only over an upper bound.
    pub multiple: Option<Decimal>,
}

/// One factor of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FactorAggregate {
    /// Mean of the valid values by the outlet's rule (arithmetic, or weighted by flow), in the
    /// factor's unit, standard dry state for stack gas. Kept even when not `valid`.
    pub mean: Option<Decimal>,
    /// Mean converted to reference O2.
    pub converted: Option<Decimal>,
    /// Least and greatest valid value of the shorter period.
    pub min: Option<Decimal>,
    /// Greatest valid value.
    pub max: Option<Decimal>,
    /// Emitted amount, kg. Flow factors carry none.
    pub amount_kg: Option<Decimal>,
    /// Enough valid input to count.
    pub valid: bool,
    /// Valid shorter units: minutes in an hour, hours in a day, days in a month.
    pub valid_units: u32,
    /// Shorter units due.
    pub due_units: u32,
    /// Units in which the source was stopped.
    pub stopped_units: u32,
    /// What the station itself reported for the period (`-Avg` of its hour or day record).
    pub reported: Option<Decimal>,
    /// Amount put in for invalid periods, kg, besides `amount_kg` (month, year).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substituted_kg: Option<Decimal>,
    /// Why it is not valid though data were there, as a code: `out-of-control`, `review-failed`;
    /// `None`: nothing but the number of valid units decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_why: Option<SmolStr>,
    /// Units under marks that keep it from being judged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exempt_units: u32,
    /// What limits judge in place of the means, where some of the valid units are exempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedMeans>,
    /// Verdicts of the limits in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitVerdict>,
}

/// Means of the valid units that are not exempt from being judged (start-up, shutdown, ...).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JudgedMeans {
    /// Mean, like [`FactorAggregate::mean`].
    pub mean: Option<Decimal>,
    /// Mean of the converted values.
    pub converted: Option<Decimal>,
    /// As many units as a valid mean needs, exempt ones taken as not due.
    pub enough: bool,
}

/// Aggregate of one outlet over one period; key (outlet, level, start).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregateRow {
    /// Whose.
    pub outlet: OutletId,
    /// Hour, day, month or year.
    pub level: Level,
    /// First instant of the period.
    pub start: Timestamp,
    /// Where it comes from.
    pub origin: AggregateOrigin,
    /// The period is over (late data may still correct it).
    pub complete: bool,
    /// Discharged volume: dry standard m³ (gas) or m³ (water), of the valid units.
    pub volume_m3: Option<Decimal>,
    /// Factors by code.
    pub factors: BTreeMap<FactorCode, FactorAggregate>,
    /// Profile that judged it.
    pub profile: ProfileId,
    /// Records received of the finest kind that is expected and counts (minute, real-time, hour).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received: u32,
    /// Records of it that were due; those of stopped time are not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub due: u32,
    /// Highest journal position among the inputs.
    pub seq: Seq,
    /// How often a complete row of the period stood here before and was another one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub superseded: u32,
}

impl FactorAggregate {
    /// Measured and substituted amount together, kg; what is held against a permitted amount.
    pub fn total_kg(&self) -> Option<Decimal> {
        match (self.amount_kg, self.substituted_kg) {
            (Some(a), Some(b)) => a.checked_add(b),
            (a, b) => a.or(b),
        }
    }
}

/// The hours of one outlet in one local month, packed (`core::pack`); key (outlet, month). Holds
/// what the rows of the hours hold, for everything that reads many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRow {
    /// Whose.
    pub outlet: OutletId,
    /// First instant of the month.
    pub month: Timestamp,
    /// Packed hours.
    pub body: Vec<u8>,
    /// Highest journal position among the inputs.
    pub seq: Seq,
}

/// Latest value of a factor; key (outlet, factor). Never goes back in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestRow {
    /// Whose.
    pub outlet: OutletId,
    /// Factor.
    pub factor: FactorCode,
    /// Kind of the record it came with.
    pub kind: RecordKind,
    /// Time of the value.
    pub start: Timestamp,
    /// The value (mean or real-time), if readable.
    pub value: Option<Decimal>,
    /// Converted value as the station sent it.
    pub converted: Option<Decimal>,
    /// Flag as sent.
    pub flag: Option<SmolStr>,
    /// Verdict.
    pub valid: bool,
    /// When it was received.
    pub received_at: Timestamp,
    /// Journal position.
    pub seq: Seq,
}

/// A logger as seen on the wire; key mn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Identity as sent.
    pub mn: SmolStr,
    /// The outlet it reports for, when known.
    pub outlet: Option<OutletId>,
    /// Last network peer, `address:port`.
    pub peer: SmolStr,
    /// Dialect last spoken (`2005`, `2017`, `2025`, `?`).
    pub edition: SmolStr,
    /// First contact.
    pub first_seen: Timestamp,
    /// Last contact.
    pub last_seen: Timestamp,
    /// Sound frames.
    pub frames: u64,
    /// Values that repeated what was known.
    pub duplicates: u64,
    /// Deviations from the standard, counted by finding code.
    pub findings: BTreeMap<SmolStr, u64>,
    /// Habits learned from its frames.
    #[serde(default)]
    pub habits: Habits,
}

/// Habits of a logger, learned from what it sends; `None` until something was seen. The last
/// observation counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Habits {
    /// Check code variant: `hj212`, `hj212-lower`, `modbus`, ...
    pub crc: Option<SmolStr>,
    /// Line end: `crlf`, `cr`, `lf`, `none`.
    pub line_end: Option<SmolStr>,
    /// Encoding of text: `utf-8`, `gbk`, `binary`; `None` while everything was ASCII.
    pub encoding: Option<SmolStr>,
    /// Length field: `right`, `unpadded`, `wrong`.
    pub length: Option<SmolStr>,
    /// Case of field names: `standard`, `other`.
    pub case: Option<SmolStr>,
    /// Asks for acknowledgements (bit 0 of the Flag).
    pub wants_answer: Option<bool>,
    /// Reads them: false after it repeated a frame that was acknowledged in time.
    pub reads_answers: Option<bool>,
    /// Follows 1012: false after its clock stood as before.
    pub sets_clock: Option<bool>,
    /// Encrypts its data area: `none`, `raw`, `brace`.
    pub encryption: Option<SmolStr>,
    /// Its clock against ours at the last frame, seconds; positive: ahead.
    pub clock_offset_s: Option<i64>,
}

impl Habits {
    /// Takes over what was `seen`; what was not seen stays.
    pub fn learn(&mut self, seen: &Self) {
        fn take<T: Clone>(known: &mut Option<T>, seen: &Option<T>) {
            if seen.is_some() {
                known.clone_from(seen);
            }
        }
        take(&mut self.crc, &seen.crc);
        take(&mut self.line_end, &seen.line_end);
        take(&mut self.encoding, &seen.encoding);
        take(&mut self.length, &seen.length);
        take(&mut self.case, &seen.case);
        take(&mut self.wants_answer, &seen.wants_answer);
        take(&mut self.reads_answers, &seen.reads_answers);
        take(&mut self.sets_clock, &seen.sets_clock);
        take(&mut self.encryption, &seen.encryption);
        take(&mut self.clock_offset_s, &seen.clock_offset_s);
    }
}

/// Something that was refused and kept apart; key (seq, n).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// Journal position.
    pub seq: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// When.
    pub at: Timestamp,
    /// Why: `crc`, `unknown-mn`, `wrong-password`, `source-address`, `garbage`, `no-data-time`,
    /// `future-time`, `encrypted`, `unreadable`.
    pub reason: SmolStr,
    /// Network peer.
    pub peer: SmolStr,
    /// Identity claimed, if any.
    pub mn: Option<SmolStr>,
    /// Size in bytes.
    pub bytes: u64,
    /// Beginning of the bytes, made printable; the journal has all of them.
    pub excerpt: String,
}

/// A statement of a device that is not a data record (facility state, run time, boot time, serial
/// number, field information); key (outlet, cn, at, name).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRow {
    /// Whose.
    pub outlet: OutletId,
    /// Command number it came with.
    pub cn: SmolStr,
    /// Its time: DataTime, else the time received.
    pub at: Timestamp,
    /// Field name as sent.
    pub name: SmolStr,
    /// Value as sent.
    pub value: String,
    /// Journal position.
    pub seq: Seq,
}

/// One line of an alarm's or a person's history; key (seq, n).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Journal position.
    pub seq: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// When.
    pub at: Timestamp,
    /// Who: a user id, or `engine`.
    pub who: SmolStr,
    /// What, as a code: `alarm.raised`, `alarm.acknowledged`, `login`, `registry.changed`, ...
    pub what: SmolStr,
    /// About which object, `alarm/12`, `outlet/dc-01`, ...
    pub object: SmolStr,
    /// Words.
    pub detail: String,
}

/// State of the engine that is not visible elsewhere, as JSON; key `name` (an outlet id, or `#`
/// for what belongs to no outlet). Part of the projections, so that a restart goes on exactly
/// where the last committed batch ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRow {
    /// Key.
    pub name: SmolStr,
    /// JSON text.
    pub json: String,
}

/// A record accepted at an outlet whose records are passed on (转发); key (seq, n). The log says
/// what is to be sent and in which order; the content is the stored record as it stands then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardRow {
    /// Journal position.
    pub seq: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// When it was accepted.
    pub at: Timestamp,
    /// Whose record.
    pub outlet: OutletId,
    /// Which kind.
    pub kind: RecordKind,
    /// Start of its interval.
    pub start: Timestamp,
}

/// One output of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Insert or replace a record.
    Record(RecordRow),
    /// Keep a replaced value.
    Superseded(SupersededRow),
    /// Insert or replace an aggregate.
    Aggregate(AggregateRow),
    /// Insert or replace the packed hours of a month.
    Pack(PackRow),
    /// Insert or replace the clues of a period.
    Clues(ClueRow),
    /// Insert or replace a quarter.
    Quarter(QuarterRow),
    /// Insert or replace a mark.
    Mark(MarkRow),
    /// Insert or replace a test of the equipment.
    Qa(QaRow),
    /// Insert or replace a validity review.
    Review(ReviewRow),
    /// Insert or replace a latest value.
    Latest(LatestRow),
    /// Insert or replace a logger.
    Device(DeviceRow),
    /// Add to quarantine.
    Quarantine(QuarantineRow),
    /// Insert or replace a statement.
    Statement(StatementRow),
    /// Insert or replace an exchange.
    Exchange(ExchangeRow),
    /// Add to the forward log.
    Forward(ForwardRow),
    /// Add to the log of what goes out.
    Outgoing(OutgoingRow),
    /// Insert or replace a day of a series; put out when a batch ends.
    SeriesDay(SeriesDayRow),
    /// Insert or replace an alarm.
    Alarm(AlarmRow),
    /// Insert or replace a fallback.
    Fallback(FallbackRow),
    /// Add a manual report.
    ManualReport(ManualReportRow),
    /// Insert or replace an instance of a duty.
    Duty(DutyRow),
    /// Add to the audit trail.
    Audit(AuditRow),
    /// The registry in force from this position on, as JSON.
    Registry {
        /// Journal position.
        seq: Seq,
        /// When.
        at: Timestamp,
        /// The registry.
        json: String,
    },
    /// Insert or replace a shift of the roster.
    Shift(ShiftRow),
    /// Add a hand-over.
    HandOver(HandOverRow),
    /// Insert or replace what is known of a kind of alarm out of service.
    AlarmService(AlarmServiceRow),
    /// Add a message to send.
    Message(MessageRow),
    /// Insert or replace engine state.
    State(StateRow),
    /// Remove engine state of this name.
    StateRemoved(SmolStr),
}
