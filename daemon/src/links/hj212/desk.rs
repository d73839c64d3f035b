//! The dialogue with one logger on one connection: orders from the switchboard go out, what the
//! logger says about them goes into the journal.

use super::Gate;
use super::wording::{masked, st_of};
use crate::events::{JournalEvent, Raw};
use crate::keys::{DeviceKey, KeyOwner};
use crate::switchboard::{Order, Plug, Why, detail};
use cems_config::DialogueSettings;
use cems_core::model::time::SECOND_MS;
use cems_core::model::{ExchangeState, OutletId, Seq, Timestamp};
use cems_protocols::hj212::dialogue::{Centre, CentreConfig, CentreOutput, Outcome, Progress};
use cems_protocols::hj212::{
    BuildOptions, CrcStyle, Edition, LocalTime, Message, Request, Secret, encipher,
};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// What a step of the dialogue asks of the connection: journal first, then write.
#[derive(Default)]
pub(super) struct Work {
    /// For the journal, in order.
    pub(super) events: Vec<JournalEvent>,
    /// For the wire, once the events are on disk.
    pub(super) bytes: Vec<u8>,
}

/// The dialogue with the logger of one outlet.
pub(super) struct Desk {
    outlet: OutletId,
    plug: Plug,
    centre: Centre,
    gate: Arc<Gate>,
    peer: SmolStr,
    /// Keys under way, by exchange.
    keys: BTreeMap<u64, DeviceKey>,
}

impl Desk {
    /// Takes the place of an outlet's connection, by the first frame that was accepted.
    pub(super) fn open(
        outlet: &OutletId,
        first: &Message,
        gate: &Arc<Gate>,
        peer: &SmolStr,
        wake: &Arc<Notify>,
    ) -> Self {
        let offset_min = gate.directory.load().offset().minutes();
        let config = config(first, gate.switchboard.settings(), gate.clock.speed());
        let config = CentreConfig {
            utc_offset_min: offset_min,
            ..config
        };
        Self {
            plug: gate.switchboard.plug_in(outlet, config.edition, wake),
            centre: Centre::new(config),
            outlet: outlet.clone(),
            gate: Arc::clone(gate),
            peer: peer.clone(),
            keys: BTreeMap::new(),
        }
    }

    /// When [`Desk::tick`] is next needed.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.centre.next_deadline_ms().map(Timestamp)
    }

    /// An accepted message has come.
    pub(super) fn hear(&mut self, message: &Message, work: &mut Work) {
        self.learn(message);
        let outputs = self.centre.on_message(self.now_ms(), message);
        self.follow(outputs, work);
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, work: &mut Work) {
        let outputs = self.centre.on_tick(self.now_ms());
        self.follow(outputs, work);
    }

    /// Takes the next order when nothing is under way.
    pub(super) fn pick_up(&mut self, work: &mut Work) {
        while self.centre.is_idle() {
            let Some(order) = self.gate.switchboard.take(&self.outlet, self.plug) else {
                return;
            };
            let id = order.id.0;
            let request = self.present(order);
            let ready = match &request {
                Request::SetKey { key, .. } => self.offer(id, key),
                Request::SetPassword { new } => self.gate.will_tell(&self.outlet, new.reveal()),
                _ => true,
            };
            if !ready {
                let outcome = Outcome::Withdrawn;
                self.follow(vec![CentreOutput::Ended { id, outcome }], work);
                continue;
            }
            let outputs = self.centre.order(id, request, self.now_ms());
            self.follow(outputs, work);
        }
    }

    /// The connection is over.
    pub(super) fn close(mut self, work: &mut Work) {
        let outputs = self.centre.on_disconnect();
        self.follow(outputs, work);
        self.gate.switchboard.unplug(&self.outlet, self.plug);
    }

    fn now_ms(&self) -> i64 {
        self.gate.clock.now().0
    }

    /// What a message shows about the device, for the next request.
    fn learn(&mut self, message: &Message) {
        let is_answer = message.header.st.as_deref() == Some("91");
        let config = self.centre.config_mut();
        if is_answer {
            return;
        }
        if message.edition != Edition::Unknown && message.edition != config.edition {
            config.edition = message.edition;
            self.gate
                .switchboard
                .speaks(&self.outlet, self.plug, message.edition);
        }
        if let Some(st) = st_of(message) {
            config.st = st;
        }
        config.build.crc = CrcStyle::mirror(message.crc);
    }

    /// The request as it is true now: a time that waited in the queue is no time.
    fn present(&self, order: Order) -> Request {
        match order.request {
            Request::SetTime { pol_id, .. } if order.why != Why::Order => {
                let offset_min = self.centre.config().utc_offset_min;
                Request::SetTime {
                    pol_id,
                    system_time: LocalTime {
                        millis: 0,
                        ..LocalTime::from_unix_ms(self.now_ms(), offset_min)
                    },
                }
            }
            request => request,
        }
    }

    /// Keeps a key before it leaves; see [`KeyRing::offer`](crate::keys::KeyRing::offer). False
    /// when it must not leave: it could not be kept, or would have to travel in clear text.
    fn offer(&mut self, id: u64, key: &Secret) -> bool {
        if self.in_force().is_none() {
            tracing::warn!(outlet = %self.outlet, "no key to send a new one under");
            return false;
        }
        let owner = KeyOwner::Outlet(self.outlet.clone());
        let keys = &self.gate.keys;
        let now = self.gate.clock.now();
        let kept = DeviceKey::from_text(key.reveal())
            .and_then(|key| keys.offer(&owner, &key, now).map(|()| key));
        match kept {
            Ok(key) => {
                self.keys.insert(id, key);
                true
            }
            Err(error) => {
                tracing::error!(%error, outlet = %self.outlet, "a new key could not be kept");
                false
            }
        }
    }

    fn follow(&mut self, outputs: Vec<CentreOutput>, work: &mut Work) {
        for output in outputs {
            match output {
                CentreOutput::Send { cn, bytes, .. } => self.send(cn, &bytes, work),
                CentreOutput::Step {
                    id,
                    progress,
                    detail,
                } => {
                    let state = match progress {
                        Progress::Sent | Progress::SentAgain => ExchangeState::Sent,
                        Progress::Accepted | Progress::Data => ExchangeState::Accepted,
                    };
                    let detail = detail::of_progress(progress, &detail);
                    self.step(id, progress.as_str(), detail, state, work);
                }
                CentreOutput::Ended { id, outcome } => self.end(id, outcome, work),
            }
        }
    }

    fn send(&self, cn: &str, clear: &[u8], work: &mut Work) {
        // A new key never travels in clear text where the old one is known (second-hand, 2025).
        let wire = (cn == "1014")
            .then(|| self.in_force())
            .flatten()
            .and_then(|key| encipher(clear, &key.cipher()));
        let kept = match &wire {
            Some(cipher) => cipher.clone(),
            None => masked(cn, clear),
        };
        work.events.push(JournalEvent::Sent {
            peer: self.peer.clone(),
            outlet: self.outlet.clone(),
            raw: Raw(kept),
        });
        work.bytes.extend(wire.as_deref().unwrap_or(clear));
    }

    fn in_force(&self) -> Option<DeviceKey> {
        let owner = KeyOwner::Outlet(self.outlet.clone());
        match self.gate.keys.in_force(&owner) {
            Ok(dated) => dated.map(|dated| dated.key),
            Err(error) => {
                tracing::error!(%error, outlet = %self.outlet, "the key cannot be read");
                None
            }
        }
    }

    fn end(&mut self, id: u64, outcome: Outcome, work: &mut Work) {
        let state = match outcome {
            Outcome::Done { .. } => ExchangeState::Done,
            Outcome::Refused { .. } => ExchangeState::Refused,
            Outcome::Failed { .. } => ExchangeState::Failed,
            Outcome::TimedOut(_) | Outcome::Disconnected { sent: true } => ExchangeState::TimedOut,
            Outcome::Disconnected { sent: false } | Outcome::Unsayable | Outcome::Withdrawn => {
                ExchangeState::Cancelled
            }
        };
        self.step(
            id,
            outcome.as_str(),
            detail::of_outcome(outcome),
            state,
            work,
        );
        if let Some(key) = self.keys.remove(&id)
            && state == ExchangeState::Done
        {
            key_taken(&self.gate, &self.outlet, &key, work);
        }
        self.gate.switchboard.ended(&self.outlet, Seq(id));
    }

    fn step(&self, id: u64, what: &str, detail: String, state: ExchangeState, work: &mut Work) {
        work.events.push(JournalEvent::Step {
            id,
            outlet: self.outlet.clone(),
            what: SmolStr::new(what),
            detail,
            state,
        });
    }
}

/// A logger uses a key that was offered to it: it is in force from now on.
pub(super) fn key_taken(gate: &Gate, outlet: &OutletId, key: &DeviceKey, work: &mut Work) {
    let owner = KeyOwner::Outlet(outlet.clone());
    if let Err(error) = gate.keys.taken(&owner, key) {
        tracing::error!(%error, %outlet, "a new key could not be put in force");
        return;
    }
    work.events.push(JournalEvent::Audit {
        who: SmolStr::new_static("daemon"),
        what: SmolStr::new_static("key.changed"),
        object: SmolStr::new(owner.to_string()),
        detail: format!("fingerprint {}", key.fingerprint()),
    });
}

/// The device as its first frame shows it. In a demo that runs faster than time, people and
/// networks do not: time-outs stay those of the real clock.
fn config(first: &Message, settings: &DialogueSettings, speed: u32) -> CentreConfig {
    let header = &first.header;
    let text = |field: &Option<SmolStr>| field.clone().unwrap_or_default();
    let ms = |seconds: u32| i64::from(seconds) * SECOND_MS * i64::from(speed);
    let st = st_of(first).unwrap_or_else(|| SmolStr::new_static("32"));
    let base = CentreConfig::new(first.edition, &st, &text(&header.pw), &text(&header.mn));
    CentreConfig {
        over_time_ms: ms(settings.answer_timeout_s),
        re_count: settings.resends,
        execution_ms: ms(settings.execution_timeout_s),
        quiet_ms: ms(settings.answer_timeout_s),
        build: BuildOptions {
            crc: CrcStyle::mirror(first.crc),
            ..BuildOptions::default()
        },
        ..base
    }
}
