//! A journal line as an event of the engine. Pure: the same line, time and registry give the same
//! event, today and in a rebuild.

use super::habits;
use super::translate::{self, Translated};
use crate::events::{JournalEvent, MqttMessage, Took, Verdict, Withdrawable};
use crate::text::excerpt;
use cems_core::engine::{
    AlarmAction, AlarmService, AuditEntry, Contact, DutyCompletion, DutyOpening, DutyTakeBack,
    Event, FallbackDecision, HealthReport, Refusal, RefusalReason, ReportBack, TakeBack, WrittenIn,
};
use cems_core::model::{
    ExchangeNews, FallbackId, Mn, Outlet, OutletId, Registry, ReportId, Seq, Timestamp,
};
use cems_protocols::hj212::{self, CrcVerdict, Framer, Framing, Limits, Message, RawFrame, Step};
use smol_str::SmolStr;

/// Characters of refused bytes shown in quarantine; the journal has all that was kept.
const EXCERPT_CHARS_MAX: usize = 240;

/// A frame as the journal has it.
struct Seen {
    peer: SmolStr,
    raw: Vec<u8>,
    clear: Option<Vec<u8>>,
    noted: Vec<SmolStr>,
}

/// Translates journal lines, with the factor table of this version.
#[derive(Debug, Clone, Copy, Default)]
pub struct Interpreter;

impl Interpreter {
    /// The event of a line at journal time `at`. A line this version cannot read (written by a
    /// later one) becomes an audit entry: it is reported, not dropped.
    pub fn event(&self, line: &[u8], at: Timestamp, registry: Option<&Registry>) -> Event {
        match JournalEvent::from_line(line) {
            Ok(event) => self.known(event, at, registry),
            Err(error) => Event::Audit(AuditEntry {
                who: SmolStr::new_static("daemon"),
                what: SmolStr::new_static("journal.unreadable"),
                object: SmolStr::new_static("journal"),
                detail: format!("{error}: {}", excerpt(line, EXCERPT_CHARS_MAX)),
            }),
        }
    }

    fn known(&self, event: JournalEvent, at: Timestamp, registry: Option<&Registry>) -> Event {
        match event {
            JournalEvent::Frame {
                peer,
                verdict,
                raw,
                clear,
                noted,
            } => {
                let seen = Seen {
                    peer,
                    raw: raw.0,
                    clear: clear.map(|clear| clear.0),
                    noted,
                };
                self.frame(verdict, &seen, at, registry)
            }
            JournalEvent::Garbage { peer, bytes, raw } => Event::Refused(Refusal {
                reason: RefusalReason::Garbage,
                peer,
                mn: None,
                outlet: None,
                bytes,
                excerpt: excerpt(&raw.0, EXCERPT_CHARS_MAX),
            }),
            JournalEvent::Registry { registry, .. } => Event::Registry(registry),
            JournalEvent::ManualReport { report } => Event::ManualReport(report),
            JournalEvent::Alarm {
                alarm,
                action,
                by,
                note,
                until,
            } => Event::AlarmAction(AlarmAction {
                alarm,
                kind: action.into(),
                by,
                note,
                until,
            }),
            JournalEvent::AlarmService {
                outlet,
                kind,
                out,
                by,
                note,
            } => Event::AlarmService(AlarmService {
                outlet,
                kind,
                out,
                by,
                note,
            }),
            JournalEvent::Policy { policy } => Event::Policy(policy),
            JournalEvent::Shift { shift } => Event::Shift(shift),
            JournalEvent::HandOver { over } => Event::HandOver(over),
            JournalEvent::DutyDone {
                key,
                by,
                note,
                attachments,
            } => Event::DutyCompleted(DutyCompletion {
                key,
                by,
                note,
                attachments,
            }),
            JournalEvent::DutyTakenBack { key, by, reason } => {
                Event::DutyTakenBack(DutyTakeBack { key, by, reason })
            }
            JournalEvent::DutyOpened {
                rule,
                subject,
                trigger_at,
                by,
                note,
            } => Event::DutyOpened(DutyOpening {
                rule,
                subject,
                trigger_at,
                by,
                note,
            }),
            JournalEvent::Health {
                kind,
                part,
                bad,
                value,
                threshold,
                detail,
            } => Event::Health(HealthReport {
                kind,
                part,
                bad,
                value,
                threshold,
                detail,
            }),
            JournalEvent::Fallback {
                outlet,
                open,
                by,
                note,
            } => Event::FallbackDecision(FallbackDecision {
                outlet,
                open,
                by,
                note,
            }),
            JournalEvent::Audit {
                who,
                what,
                object,
                detail,
            } => Event::Audit(AuditEntry {
                who,
                what,
                object,
                detail,
            }),
            JournalEvent::ChannelTest { test } => Event::ChannelTest(test),
            JournalEvent::Message { fate } => Event::MessageFate(fate),
            JournalEvent::Tick
            // What went over a line to or from a centre of ours is evidence, not news.
            | JournalEvent::Sent { .. }
            | JournalEvent::FromCentre { .. }
            | JournalEvent::Delivered { .. } => Event::Tick,
            JournalEvent::WrittenReport {
                outlet,
                fallback,
                by,
                note,
                attachments,
            } => Event::WrittenReport(WrittenIn {
                outlet,
                fallback: FallbackId(fallback),
                by,
                note,
                attachments,
            }),
            JournalEvent::Mark { mark } => Event::Mark(mark),
            JournalEvent::QaTest { test } => Event::QaTest(test),
            JournalEvent::Withdraw {
                what,
                id,
                outlet,
                by,
                reason,
            } => {
                let back = |outlet, by, reason| TakeBack {
                    outlet,
                    id: Seq(id),
                    by,
                    reason,
                };
                match what {
                    Withdrawable::Mark => Event::MarkWithdrawn(back(outlet, by, reason)),
                    Withdrawable::QaTest => Event::QaWithdrawn(back(outlet, by, reason)),
                    Withdrawable::ManualReport => Event::ReportWithdrawn(ReportBack {
                        outlet,
                        id: ReportId(id),
                        by,
                        reason,
                    }),
                }
            }
            JournalEvent::Review { action } => Event::Review(action),
            JournalEvent::Poll { set, .. } => Event::Samples(set),
            JournalEvent::Mqtt { message } => message_event(*message),
            JournalEvent::Order {
                outlet,
                cn,
                params,
                by,
                why,
            } => Event::Exchange(
                outlet,
                ExchangeNews::Ordered {
                    cn,
                    params,
                    by,
                    why,
                },
            ),
            JournalEvent::Step {
                id,
                outlet,
                what,
                detail,
                state,
            } => Event::Exchange(
                outlet,
                ExchangeNews::Step {
                    id: Seq(id),
                    what,
                    detail,
                    state,
                },
            ),
        }
    }

    fn frame(
        &self,
        verdict: Verdict,
        seen: &Seen,
        at: Timestamp,
        registry: Option<&Registry>,
    ) -> Event {
        let came = reframe(&seen.raw);
        let message = match &seen.clear {
            Some(clear) => hj212::parse(&reframe(clear)),
            None => hj212::parse(&came),
        };
        let refuse = |reason, outlet: Option<OutletId>| {
            Event::Refused(Refusal {
                reason,
                peer: seen.peer.clone(),
                mn: message.header.mn.clone(),
                outlet,
                bytes: u64::try_from(seen.raw.len()).unwrap_or(u64::MAX),
                excerpt: excerpt(&seen.raw, EXCERPT_CHARS_MAX),
            })
        };
        match verdict {
            Verdict::Accepted { outlet } => {
                let offset = registry.map(|r| r.offset).unwrap_or_default();
                let settings = registry.and_then(|r| r.outlets.get(&outlet));
                let opened = seen.clear.is_some();
                let contact = Contact {
                    mn: mn_of(&message, settings),
                    outlet: outlet.clone(),
                    peer: seen.peer.clone(),
                    edition: SmolStr::new_static(message.edition.as_str()),
                    findings: findings(&message),
                    habits: habits::seen(&came, &message, opened, &seen.noted, (at, offset)),
                };
                match translate::content(&message, &outlet, settings, at, offset) {
                    Translated::Record(record, findings) => {
                        Event::Record(with(contact, findings), record)
                    }
                    Translated::Statement(statement) => Event::Statement(contact, statement),
                    Translated::SignOfLife => Event::SignOfLife(contact),
                    Translated::Refused(reason) => refuse(reason, Some(outlet)),
                }
            }
            Verdict::Crc => refuse(RefusalReason::Crc, None),
            Verdict::UnknownMn => refuse(RefusalReason::UnknownMn, None),
            Verdict::WrongPassword { outlet } => refuse(RefusalReason::WrongPassword, Some(outlet)),
            Verdict::SourceAddress { outlet } => refuse(RefusalReason::SourceAddress, Some(outlet)),
            Verdict::Encrypted { outlet } => refuse(RefusalReason::Encrypted, outlet),
            Verdict::Unreadable => refuse(RefusalReason::Unreadable, None),
        }
    }
}

/// A message of a broker: it was read when it came, by the settings of that day.
fn message_event(message: MqttMessage) -> Event {
    match message.took {
        Took::Samples { set } => Event::Samples(set),
        Took::Record { record } => Event::Reported(record),
        Took::Refused { why, .. } => Event::Refused(Refusal {
            reason: RefusalReason::Payload,
            peer: message.source,
            mn: None,
            // The topic is not proof enough to speak of an outlet's trouble.
            outlet: None,
            bytes: message.bytes,
            excerpt: format!(
                "{}: {why}: {}",
                excerpt(message.topic.as_bytes(), EXCERPT_CHARS_MAX),
                excerpt(&message.payload.0, EXCERPT_CHARS_MAX)
            ),
        }),
    }
}

/// Cuts the frame out of its own bytes again: what the framer of the connection did, without the
/// bytes that followed it then.
pub(super) fn reframe(raw: &[u8]) -> RawFrame {
    let mut framer = Framer::new(Limits::default());
    framer.push(raw);
    let mut best: Option<RawFrame> = None;
    loop {
        let step = match framer.next() {
            Step::Incomplete => framer.expire(),
            step => step,
        };
        match step {
            Step::Frame(frame) => {
                if best
                    .as_ref()
                    .is_none_or(|other| frame.bytes.len() > other.bytes.len())
                {
                    best = Some(frame);
                }
            }
            Step::Garbage(_) => {}
            Step::Incomplete => break,
        }
    }
    best.unwrap_or_else(|| RawFrame {
        bytes: raw.to_vec(),
        segment: 0..0,
        declared_len: None,
        len_ok: false,
        crc_text: SmolStr::default(),
        crc: CrcVerdict::Bad,
        how: Framing::NoCrc,
    })
}

/// The MN of a frame. Some loggers leave it out of answers; the connection knew whose it was.
fn mn_of(message: &Message, settings: Option<&Outlet>) -> Mn {
    match (&message.header.mn, settings) {
        (None, Some(outlet)) => outlet.mn.clone(),
        (mn, _) => Mn::new(mn.as_deref().unwrap_or_default()),
    }
}

fn findings(message: &Message) -> Vec<SmolStr> {
    message
        .findings
        .iter()
        .map(|finding| SmolStr::new_static(finding.code.as_str()))
        .collect()
}

fn with(mut contact: Contact, findings: Vec<SmolStr>) -> Contact {
    contact.findings.extend(findings);
    contact
}
