//! Events as they stand in the journal: one JSON object a line, so that `sqlite3`, `zlib` and a
//! text editor are enough to read the books in thirty years.
//!
//! A field may be added with a default; a name never changes its meaning.

mod message;

pub use message::{MqttMessage, Took};

use cems_core::engine::{AlarmActionKind, AuditEntry, FallbackDecision};
use cems_core::model::{
    AlarmId, AlarmKind, Attachment, ChannelTest, DutyId, DutyKey, DutySubject, ExchangeState,
    HandOver, ManualReport, Mark, MessageFate, OutletId, Policy, QaTest, RecordKind, Registry,
    ReviewAction, SampleSet, Shift, Timestamp, UserId,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;

/// Bytes in JSON: as text when they are UTF-8, else as `{"hex": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RawForm {
    Text(String),
    Hex { hex: String },
}

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => RawForm::Hex {
                hex: crate::text::hex(&self.0),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match RawForm::deserialize(deserializer)? {
            RawForm::Text(text) => Self(text.into_bytes()),
            RawForm::Hex { hex } => Self(
                crate::text::unhex(&hex)
                    .ok_or_else(|| serde::de::Error::custom("odd or non-hex digits"))?,
            ),
        })
    }
}

/// What intake decided about a frame, at the moment it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Verdict {
    /// From a known logger with the right password.
    Accepted {
        /// The outlet it reports for.
        outlet: OutletId,
    },
    /// CRC of no accepted variant.
    Crc,
    /// No outlet has this MN.
    UnknownMn,
    /// Wrong password.
    WrongPassword {
        /// The outlet whose MN was claimed.
        outlet: OutletId,
    },
    /// Right identity, wrong network address.
    SourceAddress {
        /// The outlet whose MN was claimed.
        outlet: OutletId,
    },
    /// Cipher text without a key.
    Encrypted {
        /// The outlet whose MN was claimed, when known.
        outlet: Option<OutletId>,
    },
    /// No MN or no command in it.
    Unreadable,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
pub enum JournalEvent {
    /// A frame of HJ 212, whole, as it came.
    Frame {
        /// Network peer, `address:port`.
        peer: SmolStr,
        /// What intake decided.
        verdict: Verdict,
        /// Every byte from `##` to the line end.
        raw: Raw,
        /// The same frame in clear text, where it came enciphered and a key opened it: a rebuild
        /// needs no key. `None` for frames that came clear, and for those that exchange keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clear: Option<Raw>,
        /// What the connection noticed beside the frame, as codes: [`NOTED_REPEATED`] and the like.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        noted: Vec<SmolStr>,
    },
    /// Bytes on a link that are no frame.
    Garbage {
        /// Network peer.
        peer: SmolStr,
        /// How many there were.
        bytes: u64,
        /// The first of them (at most [`GARBAGE_KEPT_BYTES_MAX`]).
        raw: Raw,
    },
    /// A registry takes force.
    Registry {
        /// SHA-256 over the files it was read from.
        files_sha256: SmolStr,
        /// The registry, complete.
        registry: Arc<Registry>,
    },
    /// A manual report was entered.
    ManualReport {
        /// As entered.
        report: ManualReport,
    },
    /// A person acted on an alarm.
    Alarm {
        /// Which.
        alarm: AlarmId,
        /// What.
        action: AlarmVerb,
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
        /// Until when an acknowledgement or a shelving holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A kind of alarm of an outlet goes out of service, or comes back.
    AlarmService {
        /// Whose alarms.
        outlet: OutletId,
        /// Which kind.
        kind: AlarmKind,
        /// Out of service (true) or back.
        out: bool,
        /// Who.
        by: UserId,
        /// Why.
        note: String,
    },
    /// A policy takes force.
    Policy {
        /// The policy, complete.
        policy: Arc<Policy>,
    },
    /// A shift is entered into the roster.
    Shift {
        /// As entered.
        shift: Shift,
    },
    /// The desk is handed over.
    HandOver {
        /// As said.
        over: HandOver,
    },
    /// A part of the daemon itself is in trouble, or well again.
    Health {
        /// The alarm that its trouble is.
        kind: AlarmKind,
        /// Which part.
        part: SmolStr,
        /// It is in trouble.
        bad: bool,
        /// The figure that shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Decimal>,
        /// What it is held against.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<Decimal>,
        /// In words.
        detail: String,
    },
    /// A person says that a duty is done.
    DutyDone {
        /// Which instance.
        key: DutyKey,
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
        /// Documents.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// A person takes a completion back, or else an opening by hand.
    DutyTakenBack {
        /// Which instance.
        key: DutyKey,
        /// Who.
        by: UserId,
        /// Why.
        reason: String,
    },
    /// A person opens an instance of a duty; its position is part of the name of the round.
    DutyOpened {
        /// Of which row.
        rule: DutyId,
        /// For whom.
        subject: DutySubject,
        /// From which moment, or towards which, the time counts.
        trigger_at: Timestamp,
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
    },
    /// A person decided about a fallback.
    Fallback {
        /// Which outlet.
        outlet: OutletId,
        /// Opened (true) or closed.
        open: bool,
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
    },
    /// A mark was entered; its position is its number.
    Mark {
        /// As entered.
        mark: Mark,
    },
    /// A test of the equipment was entered; its position is its number.
    QaTest {
        /// As entered.
        test: QaTest,
    },
    /// The written report of a fallback was handed in.
    WrittenReport {
        /// Whose.
        outlet: OutletId,
        /// Number of the fallback.
        fallback: u64,
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
        /// The document.
        attachments: Vec<Attachment>,
    },
    /// A mark, a test or a manual report is taken back.
    Withdraw {
        /// Which of them.
        what: Withdrawable,
        /// Position of its entry; of a manual report its number.
        id: u64,
        /// Whose.
        outlet: OutletId,
        /// Who takes it back.
        by: UserId,
        /// Why.
        reason: String,
    },
    /// A step of a quarterly validity review.
    Review {
        /// As taken.
        action: ReviewAction,
    },
    /// A station read an instrument.
    Poll {
        /// What came out, by factor.
        set: SampleSet,
        /// What the line carried: requests and answers, hex or text, as they were.
        raw: Vec<SmolStr>,
    },
    /// A message came from a broker that readings are taken from.
    Mqtt {
        /// The message, and what it was taken for.
        message: Box<MqttMessage>,
    },
    /// A request to a device was ordered; its position is the id of the exchange.
    Order {
        /// Whose device.
        outlet: OutletId,
        /// Command number.
        cn: SmolStr,
        /// Parameters by name; passwords and keys are masked.
        params: Vec<(SmolStr, String)>,
        /// User id or `daemon`.
        by: SmolStr,
        /// Why, as a code: `order`, `gap`, `initial`, `time`, `key`.
        why: SmolStr,
    },
    /// A step of an exchange.
    Step {
        /// Position of the order.
        id: u64,
        /// Whose device.
        outlet: OutletId,
        /// Code of the step.
        what: SmolStr,
        /// Words and values.
        detail: String,
        /// Where the exchange stands afterwards.
        state: ExchangeState,
    },
    /// A frame we sent of our own accord (answers 9013 and 9014 are not recorded: they follow from
    /// the frame they answer).
    Sent {
        /// Network peer.
        peer: SmolStr,
        /// Whose device, or for which outlet of ours.
        outlet: OutletId,
        /// Every byte, as sent.
        raw: Raw,
    },
    /// A frame from a centre we upload to.
    FromCentre {
        /// Which uplink.
        uplink: SmolStr,
        /// Network peer.
        peer: SmolStr,
        /// Every byte, as it came.
        raw: Raw,
        /// What we did about it, as a code.
        outcome: SmolStr,
    },
    /// A centre acknowledged records.
    Delivered {
        /// Which uplink.
        uplink: SmolStr,
        /// What: outlet, kind, start.
        records: Vec<(OutletId, RecordKind, Timestamp)>,
    },
    /// A person tries a channel for messages.
    ChannelTest {
        /// As asked for.
        test: ChannelTest,
    },
    /// What became of a message. It names a person and a channel, never an address.
    Message {
        /// As it was.
        fate: MessageFate,
    },
    /// For the audit trail: start, stop, recovery, log-in, log-out.
    Audit {
        /// User id or `daemon`.
        who: SmolStr,
        /// Code.
        what: SmolStr,
        /// Object.
        object: SmolStr,
        /// Words.
        detail: String,
    },
    /// Time passed with nothing else to say so.
    Tick,
}

/// The frame was answered in time and came again, byte for byte.
pub const NOTED_REPEATED: &str = "repeated";
/// The device has sent its next frame instead of the answered one.
pub const NOTED_READS_ANSWERS: &str = "reads-answers";
/// The device's clock stands as it stood before it was told the time, more than once.
pub const NOTED_IGNORES_CLOCK: &str = "ignores-clock";
/// The device's clock is right after it was told the time.
pub const NOTED_SETS_CLOCK: &str = "sets-clock";

/// What a person does to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmVerb {
    /// Takes notice.
    Acknowledge,
    /// Ends it.
    Close,
    /// Puts it aside.
    Shelve,
    /// Takes it back.
    Unshelve,
    /// Notes a call.
    Called,
    /// Notes something else.
    Noted,
    /// Has the enterprise told.
    ToldEnterprise,
    /// Has the operator of the equipment told.
    ToldOperator,
    /// Hands it over to inspectors.
    HandedOver,
}

impl From<AlarmVerb> for AlarmActionKind {
    fn from(verb: AlarmVerb) -> Self {
        match verb {
            AlarmVerb::Acknowledge => Self::Acknowledge,
            AlarmVerb::Close => Self::Close,
            AlarmVerb::Shelve => Self::Shelve,
            AlarmVerb::Unshelve => Self::Unshelve,
            AlarmVerb::Called => Self::Called,
            AlarmVerb::Noted => Self::Noted,
            AlarmVerb::ToldEnterprise => Self::ToldEnterprise,
            AlarmVerb::ToldOperator => Self::ToldOperator,
            AlarmVerb::HandedOver => Self::HandedOver,
        }
    }
}

/// What can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withdrawable {
    /// A mark.
    Mark,
    /// A test of the equipment.
    QaTest,
    /// A manual report.
    ManualReport,
}

/// Bytes of one run of garbage that the journal keeps; the rest is counted. A run is cut by the
/// framer's own buffer limit, so this bounds what a hostile peer can make us store per run.
pub const GARBAGE_KEPT_BYTES_MAX: usize = 4 * 1024;

impl JournalEvent {
    /// A frame that came clear, of which nothing else was noticed.
    pub fn frame(peer: impl Into<SmolStr>, verdict: Verdict, raw: Vec<u8>) -> Self {
        Self::Frame {
            peer: peer.into(),
            verdict,
            raw: Raw(raw),
            clear: None,
            noted: Vec::new(),
        }
    }

    /// The line as bytes. Cannot fail: no map with non-text keys, no non-finite numbers.
    pub fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("journal events hold only text keys and exact numbers")
    }

    /// Reads a line back.
    ///
    /// # Errors
    /// When the line is not an event this version knows; the text names the field.
    pub fn from_line(line: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// An audit line by the daemon itself.
    pub fn daemon(what: &str, detail: impl Into<String>) -> Self {
        Self::Audit {
            who: SmolStr::new_static("daemon"),
            what: SmolStr::new(what),
            object: SmolStr::new_static("daemon"),
            detail: detail.into(),
        }
    }
}

impl From<FallbackDecision> for JournalEvent {
    fn from(d: FallbackDecision) -> Self {
        Self::Fallback {
            outlet: d.outlet,
            open: d.open,
            by: d.by,
            note: d.note,
        }
    }
}

impl From<AuditEntry> for JournalEvent {
    fn from(a: AuditEntry) -> Self {
        Self::Audit {
            who: a.who,
            what: a.what,
            object: a.object,
            detail: a.detail,
        }
    }
}

#[cfg(test)]
mod tests;
