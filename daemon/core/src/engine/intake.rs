//! What was refused at the door: kept in quarantine, counted, and alarmed where it goes on.

use super::alarms::{Conditions, NewAlarm, gone, holds};
use super::context::{Cx, ENGINE, Site};
use super::event::{Refusal, RefusalReason};
use super::state::{Live, Shared};
use crate::model::rows::QuarantineRow;
use crate::model::time::{HOUR_MS, MINUTE_MS};
use crate::model::{AlarmKind, AlarmSubject, Output, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

/// Bad frames of one peer within [`STORM_WINDOW_MS`] that make a storm: a noisy line loses one
/// frame now and then, ten in five minutes are a wrong baud rate or a wrong CRC variant.
pub const STORM_FRAMES: usize = 10;
/// See [`STORM_FRAMES`].
pub const STORM_WINDOW_MS: i64 = 5 * MINUTE_MS;
/// Without a bad frame for this long, a storm is over.
pub const STORM_QUIET_MS: i64 = 10 * MINUTE_MS;
/// Without another attempt for this long, an unknown logger or a wrong password is over. Loggers
/// retry within minutes; an hour also covers those that only send hour data.
pub const ATTEMPT_QUIET_MS: i64 = 65 * MINUTE_MS;
/// Peers and unknown loggers remembered at a time. When full, the one quiet for longest makes
/// room; while all are active, further ones go to quarantine only, with one line in the audit
/// trail, so that a flood of invented identities cannot flood the alarm list.
pub const STRANGERS_MAX: usize = 256;
/// Characters of an identity kept in keys; the standard has 24.
const IDENTITY_CHARS_MAX: usize = 64;
/// A stranger without an active alarm is forgotten this long after its last attempt.
const FORGET_AFTER_MS: i64 = 24 * HOUR_MS;

/// Key of the condition "wrong password" of an outlet.
const WRONG_PASSWORD: &str = "intake.wrong-password";

/// Those who are no outlet, by kind of trouble and identity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Strangers {
    /// By key `kind|identity`.
    entries: BTreeMap<SmolStr, Stranger>,
    /// The audit trail has been told that there is no room.
    full: bool,
    /// The state row must be written.
    #[serde(skip)]
    pub(super) dirty: bool,
}

/// One source of trouble.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Stranger {
    last_at: Timestamp,
    /// Times of the last bad frames, at most [`STORM_FRAMES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bad: Vec<Timestamp>,
    /// At most one entry, under the stranger's own key.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    conditions: Conditions,
}

impl Stranger {
    fn active(&self) -> bool {
        self.conditions.values().any(|c| c.active)
    }

    /// When its alarm returns, or it is forgotten.
    fn due(&self) -> Timestamp {
        let quiet = self.conditions.values().find_map(|c| c.quiet_at);
        quiet.unwrap_or(self.last_at.plus_ms(FORGET_AFTER_MS))
    }
}

/// Keeps the refusal and follows up. `concerned` is the outlet, where it is known.
pub(super) fn refused(
    concerned: Option<(&mut Live, Site<'_>)>,
    shared: &mut Shared,
    refusal: Refusal,
    cx: &mut Cx<'_>,
) {
    let row = QuarantineRow {
        seq: cx.seq,
        n: cx.ordinal(),
        at: cx.at,
        reason: SmolStr::new_static(refusal.reason.as_str()),
        peer: refusal.peer.clone(),
        mn: refusal.mn.clone(),
        bytes: refusal.bytes,
        excerpt: refusal.excerpt,
    };
    cx.emit(Output::Quarantine(row));
    let peer = address(&refusal.peer);
    match refusal.reason {
        // Cipher text that no key opens is a wrong key, or damage: like a wrong check code.
        RefusalReason::Crc
        | RefusalReason::Garbage
        | RefusalReason::Unreadable
        | RefusalReason::Encrypted => bad_frame(shared, &peer, cx),
        RefusalReason::UnknownMn => {
            let mn = shortened(refusal.mn.as_deref().unwrap_or(""));
            let kind = AlarmKind::UnknownMn;
            let new = NewAlarm {
                facts: vec![("peer", refusal.peer.to_string())],
                ..NewAlarm::new(kind, AlarmSubject::Device(mn.clone()), cx.at)
            };
            attempt(shared, &format_smolstr!("mn|{mn}"), new, cx);
        }
        RefusalReason::WrongPassword | RefusalReason::SourceAddress => {
            wrong_password(concerned, shared, (refusal.reason, &refusal.peer), cx);
        }
        // A broker of our own choice is no stranger.
        RefusalReason::NoDataTime | RefusalReason::FutureTime | RefusalReason::Payload => {}
    }
}

fn wrong_password(
    concerned: Option<(&mut Live, Site<'_>)>,
    shared: &mut Shared,
    (reason, peer): (RefusalReason, &SmolStr),
    cx: &mut Cx<'_>,
) {
    let facts = vec![
        ("peer", peer.to_string()),
        ("reason", reason.as_str().into()),
    ];
    let kind = AlarmKind::WrongPassword;
    let Some((live, site)) = concerned else {
        let subject = AlarmSubject::Peer(address(peer));
        let new = NewAlarm {
            facts,
            ..NewAlarm::new(kind, subject, cx.at)
        };
        attempt(shared, &format_smolstr!("pw|{}", address(peer)), new, cx);
        return;
    };
    let new = NewAlarm {
        facts,
        ..NewAlarm::of(kind, site.outlet, cx.at)
    };
    let quiet = Some(cx.at.plus_ms(ATTEMPT_QUIET_MS));
    live.dirty = true;
    let conditions = &mut live.state.conditions;
    holds(
        conditions,
        &mut shared.book,
        (WRONG_PASSWORD, new),
        quiet,
        cx,
    );
}

fn bad_frame(shared: &mut Shared, peer: &SmolStr, cx: &mut Cx<'_>) {
    let key = format_smolstr!("crc|{peer}");
    let Some((stranger, book)) = entry(shared, &key, cx) else {
        return;
    };
    if stranger.bad.len() >= STORM_FRAMES {
        stranger.bad.remove(0);
    }
    stranger.bad.push(cx.at);
    let since = stranger.bad.first().copied().unwrap_or(cx.at);
    let storm = stranger.bad.len() >= STORM_FRAMES && cx.at.since_ms(since) <= STORM_WINDOW_MS;
    if storm || stranger.active() {
        let subject = AlarmSubject::Peer(peer.clone());
        let new = NewAlarm {
            count: u64::try_from(stranger.bad.len()).unwrap_or(u64::MAX),
            ..NewAlarm::new(AlarmKind::CrcStorm, subject, since)
        };
        let quiet = Some(cx.at.plus_ms(STORM_QUIET_MS));
        holds(&mut stranger.conditions, book, (&key, new), quiet, cx);
    }
}

fn attempt(shared: &mut Shared, key: &SmolStr, new: NewAlarm, cx: &mut Cx<'_>) {
    if let Some((stranger, book)) = entry(shared, key, cx) {
        let quiet = Some(cx.at.plus_ms(ATTEMPT_QUIET_MS));
        holds(&mut stranger.conditions, book, (key, new), quiet, cx);
    }
}

/// The entry of a stranger, with room made for it; `None` when there is no room.
fn entry<'a>(
    shared: &'a mut Shared,
    key: &SmolStr,
    cx: &mut Cx<'_>,
) -> Option<(&'a mut Stranger, &'a mut super::alarms::AlarmBook)> {
    let strangers = &mut shared.strangers;
    strangers.dirty = true;
    if !strangers.entries.contains_key(key) && strangers.entries.len() >= STRANGERS_MAX {
        let quiet = strangers.entries.iter().filter(|(_, s)| !s.active());
        let oldest = quiet.min_by_key(|(key, s)| (s.last_at, (*key).clone()));
        let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
            if !strangers.full {
                strangers.full = true;
                cx.audit(ENGINE, "intake.full", "intake", key.to_string());
            }
            return None;
        };
        strangers.entries.remove(&oldest);
        cx.audit(ENGINE, "intake.dropped", "intake", oldest.to_string());
    }
    strangers.full = false;
    let stranger = strangers.entries.entry(key.clone()).or_default();
    stranger.last_at = cx.at;
    Some((stranger, &mut shared.book))
}

/// When the first stranger's alarm returns or a stranger is forgotten.
pub(super) fn strangers_due(strangers: &Strangers) -> Option<Timestamp> {
    strangers.entries.values().map(Stranger::due).min()
}

/// Returns alarms of strangers that have been quiet, forgets those long gone.
pub(super) fn strangers_quiet(shared: &mut Shared, cx: &mut Cx<'_>) {
    let due: Vec<SmolStr> = shared
        .strangers
        .entries
        .iter()
        .filter(|(_, s)| s.due() <= cx.at)
        .map(|(key, _)| key.clone())
        .collect();
    shared.strangers.dirty = true;
    for key in due {
        end(shared, &key, "quiet", cx);
    }
}

/// The registry now knows this logger: it is a stranger no more.
pub(super) fn introduced(shared: &mut Shared, mn: &str, cx: &mut Cx<'_>) {
    let key = format_smolstr!("mn|{}", shortened(mn));
    if shared.strangers.entries.contains_key(&key) {
        shared.strangers.dirty = true;
        end(shared, &key, "registered", cx);
    }
}

fn end(shared: &mut Shared, key: &SmolStr, why: &'static str, cx: &mut Cx<'_>) {
    let Some(stranger) = shared.strangers.entries.get_mut(key) else {
        return;
    };
    if stranger.active() {
        gone(&mut stranger.conditions, &mut shared.book, key, why, cx);
    } else {
        shared.strangers.entries.remove(key);
    }
}

/// `address:port` without the port.
fn address(peer: &str) -> SmolStr {
    shortened(peer.rsplit_once(':').map_or(peer, |(address, _)| address))
}

fn shortened(text: &str) -> SmolStr {
    text.chars().take(IDENTITY_CHARS_MAX).collect()
}
