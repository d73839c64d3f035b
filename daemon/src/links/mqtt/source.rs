//! The keeper of one source: subscribes, journals what comes, acknowledges after the commit.
//!
//! The session is kept by the broker (`clean_session = false`): what is published while we are away
//! waits there. While the journal does not take anything nothing is acknowledged, and the broker
//! stops at its limit of messages under way.

use super::options::{self, Open, PAUSE_FIRST, PAUSE_MAX, Seen};
use super::reading::{Came, read};
use super::seen::{Memory, print};
use super::sources::{SourceBoard, SourceRoom};
use super::trouble::{Cause, LineError};
use crate::events::{GARBAGE_KEPT_BYTES_MAX, JournalEvent, MqttMessage, Raw, Took};
use crate::journal::{Draft, JournalError};
use cems_config::MqttSource;
use cems_core::model::Timestamp;
use rumqttc::{
    AsyncClient, Event, MqttOptions, Packet, Publish, QoS, SubAck, SubscribeFilter,
    SubscribeReasonCode,
};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Events taken from a connection at a time.
const EVENTS_AT_ONCE_MAX: usize = 64;
/// Payload bytes given to the journal at a time; JSON makes at most six of one.
const BYTES_AT_ONCE_MAX: usize = 2 * 1024 * 1024;
/// Room for acknowledgements that are not written yet: more than can be under way.
const REQUESTS_MAX: usize = 4_096;
/// Topic filters in one request to subscribe.
const FILTERS_AT_ONCE: usize = 100;
/// Bytes of a packet beside its payload: topic and header.
const HEADER_BYTES: usize = 64 * 1024 + 16;
/// Largest packet of MQTT (3.1.1, 2.2.3).
const PACKET_BYTES_MAX: usize = 268_435_455;
/// Bytes of the largest packet we send: a request to subscribe.
const SENT_BYTES_MAX: usize = 128 * 1024;
/// How often the memory of what came is written down.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// How often a subscription that was refused is asked for again: somebody may have allowed it.
const ASK_AGAIN_EVERY: Duration = Duration::from_secs(600);

/// The keeper of one source.
pub(super) struct Keeper {
    pub(super) plan: Arc<MqttSource>,
    pub(super) room: SourceRoom,
    pub(super) board: SourceBoard,
    pub(super) stop: CancellationToken,
}

/// Why a connection is given up.
enum End {
    /// The daemon stops, or the journal has ended.
    Over,
    /// Something is wrong with it.
    Error(LineError),
    /// A packet of so many bytes is longer than what was asked for: it is let in next time, to be
    /// refused by name, because the broker would send it again for ever.
    TooLong(usize),
}

impl Keeper {
    pub(super) async fn run(self) {
        let (dir, journal) = (self.room.dir.clone(), self.room.journal_dir.clone());
        let id = self.plan.id.clone();
        let opening = tokio::task::spawn_blocking(move || Memory::open(&dir, &id, &journal));
        let Ok(mut memory) = opening.await else {
            return;
        };
        let usual = self.plan.payload_bytes_max + HEADER_BYTES;
        let (mut pause, mut longest) = (PAUSE_FIRST, usual);
        loop {
            let end = match self.connect(longest).await {
                Ok(Some(open)) => {
                    pause = PAUSE_FIRST;
                    if self.board.connected(&self.plan.id) {
                        self.audit("source.back", String::new()).await;
                    }
                    self.serve(open, &mut memory).await
                }
                Ok(None) => End::Over,
                Err(error) => End::Error(error),
            };
            self.save(&mut memory).await;
            longest = usual;
            let error = match end {
                End::Over => return,
                End::Error(error) => error,
                End::TooLong(bytes) => {
                    longest = (bytes + HEADER_BYTES).min(PACKET_BYTES_MAX);
                    continue;
                }
            };
            let (source, why) = (&self.plan.id, &error.said);
            tracing::debug!(%source, %why, "no connection to the broker");
            if self
                .board
                .trouble(&self.plan.id, &error, (self.room.clock)())
            {
                self.audit("source.away", error.said).await;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// A connection that the broker has accepted; `None` when the daemon stops meanwhile.
    async fn connect(&self, longest: usize) -> Result<Option<Open>, LineError> {
        let options = self.options(longest);
        let options = options.map_err(|error| LineError {
            cause: Cause::Certificate,
            said: format!("{error:#}"),
        })?;
        tokio::select! {
            () = self.stop.cancelled() => Ok(None),
            open = options::connect(options, REQUESTS_MAX) => open.map(Some),
        }
    }

    fn options(&self, longest: usize) -> anyhow::Result<MqttOptions> {
        let mut options = options::options(&self.plan.broker)?;
        options
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_max_packet_size(longest, SENT_BYTES_MAX);
        Ok(options)
    }

    async fn serve(&self, open: Open, memory: &mut Memory) -> End {
        let Open {
            client,
            events,
            session_present,
        } = open;
        if !session_present {
            memory.forget();
        }
        let (task, mut events) = options::follow(events);
        let end = match self.subscribe(&client, memory) {
            Ok(()) => self.take(&client, &mut events, memory).await,
            Err(error) => End::Error(error),
        };
        if matches!(end, End::Over) {
            // The session stays at the broker; the connection is closed in order.
            let _ = client.try_disconnect();
            let leave = async { while let Some(Ok(_)) = events.recv().await {} };
            let _ = tokio::time::timeout(Duration::from_secs(1), leave).await;
        }
        task.abort();
        end
    }

    /// Asks for what the session does not have yet, and gives up what is not wanted any more.
    fn subscribe(&self, client: &AsyncClient, memory: &mut Memory) -> Result<(), LineError> {
        let wanted: Vec<SmolStr> = self.plan.readings.iter().map(|r| r.topic.clone()).collect();
        let full = |error: rumqttc::ClientError| LineError::away(error.to_string());
        let had: BTreeSet<SmolStr> = memory.kept.filters.iter().cloned().collect();
        for gone in had.iter().filter(|had| !wanted.contains(had)) {
            client.try_unsubscribe(gone.as_str()).map_err(full)?;
        }
        let new: Vec<&SmolStr> = wanted.iter().filter(|w| !had.contains(*w)).collect();
        let chunks = new.chunks(FILTERS_AT_ONCE);
        let requests = chunks.len();
        for some in chunks {
            let filters = some
                .iter()
                .map(|filter| SubscribeFilter::new(filter.to_string(), QoS::AtLeastOnce));
            client.try_subscribe_many(filters).map_err(full)?;
        }
        memory.asked_for(wanted, requests);
        Ok(())
    }

    /// Journals and acknowledges what comes, until the connection ends.
    async fn take(
        &self,
        client: &AsyncClient,
        events: &mut mpsc::Receiver<Seen>,
        memory: &mut Memory,
    ) -> End {
        let mut batch = Vec::with_capacity(EVENTS_AT_ONCE_MAX);
        let mut save = tokio::time::interval(SAVE_EVERY);
        save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ask = tokio::time::interval(ASK_AGAIN_EVERY);
        ask.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return End::Over,
                _ = save.tick() => {
                    self.save(memory).await;
                    continue;
                }
                _ = ask.tick() => {
                    if memory.is_refused() && let Err(error) = self.subscribe(client, memory) {
                        return End::Error(error);
                    }
                    continue;
                }
                n = events.recv_many(&mut batch, EVENTS_AT_ONCE_MAX) => if n == 0 {
                    return End::Error(LineError::away("the connection ended"));
                },
            }
            let mut came = Vec::new();
            let mut bytes = 0;
            let mut end = None;
            for event in batch.drain(..) {
                match event {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        bytes += publish.payload.len();
                        came.push(publish);
                        if bytes > BYTES_AT_ONCE_MAX {
                            bytes = 0;
                            if let Err(end) = self.keep(client, came.drain(..), memory).await {
                                return end;
                            }
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(ack))) => {
                        self.subscribed(&ack, memory).await;
                    }
                    Ok(_) => {}
                    Err(error) => end = Some(of(&error)),
                }
            }
            // What came before the end of the connection is as good as any.
            if let Err(end) = self.keep(client, came.drain(..), memory).await {
                return end;
            }
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn subscribed(&self, ack: &SubAck, memory: &mut Memory) {
        if !ack.return_codes.contains(&SubscribeReasonCode::Failure) {
            memory.granted();
            if memory.is_subscribed() && self.board.connected(&self.plan.id) {
                self.audit("source.back", String::new()).await;
            }
        } else {
            memory.not_granted();
            let error = LineError {
                cause: Cause::Unauthorised,
                said: "the broker refuses a subscription".to_owned(),
            };
            self.board
                .trouble(&self.plan.id, &error, (self.room.clock)());
        }
    }

    /// Journals messages in one commit, and acknowledges them when it is on disk.
    async fn keep(
        &self,
        client: &AsyncClient,
        came: impl Iterator<Item = Publish>,
        memory: &mut Memory,
    ) -> Result<(), End> {
        let came: Vec<Publish> = came.collect();
        let mut messages = Vec::with_capacity(came.len());
        let mut drafts = Vec::with_capacity(came.len());
        let now = (self.room.clock)();
        // Two samples of one topic within a millisecond are two, and the later one is later.
        let mut topics: BTreeSet<(&str, i64)> = BTreeSet::new();
        let mut fresh: BTreeSet<(u16, SmolStr)> = BTreeSet::new();
        for publish in &came {
            let print = print(&publish.topic, &publish.payload);
            let known = memory.knows(publish.pkid, &print)
                || fresh.contains(&(publish.pkid, print.clone()));
            if publish.dup && known {
                self.board.again(&self.plan.id);
                continue;
            }
            let mut at = now;
            while !topics.insert((publish.topic.as_str(), at.0)) {
                at = at.plus_ms(1);
            }
            if publish.pkid != 0 {
                fresh.insert((publish.pkid, print.clone()));
            }
            let message = self.message(publish, print, at);
            let event = JournalEvent::Mqtt {
                message: Box::new(message.clone()),
            };
            drafts.push(Draft::at(at.0, event.to_line()));
            messages.push((message, at));
        }
        if !drafts.is_empty() {
            self.commit(drafts).await?;
        }
        for (message, at) in &messages {
            memory.note(message);
            self.board.came(&self.plan, message, *at);
        }
        for publish in &came {
            // A connection that ended meanwhile: the broker sends it again, and it is known.
            if publish.qos != QoS::AtMostOnce && client.try_ack(publish).is_err() {
                return Err(End::Error(LineError::away("the connection ended")));
            }
        }
        Ok(())
    }

    async fn commit(&self, drafts: Vec<Draft>) -> Result<(), End> {
        match self.room.journal.append_many(drafts).await {
            Ok(_) => Ok(()),
            Err(JournalError::Closed) => Err(End::Over),
            Err(error) => Err(End::Error(LineError {
                cause: Cause::Slow,
                said: format!("the journal took nothing: {error}"),
            })),
        }
    }

    fn message(&self, publish: &Publish, print: SmolStr, at: Timestamp) -> MqttMessage {
        let came = Came {
            topic: &publish.topic,
            payload: &publish.payload,
            retained: publish.retain,
            at,
        };
        let took = read(&self.plan, came, (self.room.offset)());
        let too_large = publish.payload.len() > self.plan.payload_bytes_max;
        let kept = match too_large {
            true => GARBAGE_KEPT_BYTES_MAX.min(publish.payload.len()),
            false => publish.payload.len(),
        };
        if let Took::Refused { why, .. } = &took {
            let (source, topic) = (&self.plan.id, &publish.topic);
            tracing::debug!(%source, %topic, %why, "a message is not taken");
        }
        MqttMessage {
            source: self.plan.id.clone(),
            topic: SmolStr::new(&publish.topic),
            payload: Raw(publish.payload[..kept].to_vec()),
            bytes: publish.payload.len() as u64,
            id: publish.pkid,
            print,
            again: publish.dup,
            retained: publish.retain,
            took,
        }
    }

    /// Writes down what came. Nothing of ours is on its way to the journal now.
    async fn save(&self, memory: &mut Memory) {
        memory.kept.seq = self.room.journal.head().seq.max(memory.kept.seq);
        let file = memory.clone();
        let saved = tokio::task::spawn_blocking(move || file.save()).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(source = %self.plan.id, %error, "what came cannot be written down");
        }
    }

    async fn audit(&self, what: &str, detail: String) {
        let event = JournalEvent::Audit {
            who: SmolStr::new_static("daemon"),
            what: SmolStr::new(what),
            object: self.plan.id.clone(),
            detail,
        };
        // Without a journal there is no trail, either.
        let _ = self.room.journal.append(Draft::now(event.to_line())).await;
    }
}

fn of(error: &rumqttc::ConnectionError) -> End {
    use rumqttc::mqttbytes::Error as Bytes;
    use rumqttc::{ConnectionError, StateError};
    match error {
        ConnectionError::MqttState(StateError::Deserialization(
            Bytes::PayloadSizeLimitExceeded(bytes),
        )) => End::TooLong(*bytes),
        other => End::Error(LineError::of(other)),
    }
}

/// A keeper that runs, and how it is stopped.
pub(super) struct Running {
    pub(super) plan: Arc<MqttSource>,
    pub(super) stop: CancellationToken,
    pub(super) ended: watch::Receiver<bool>,
}
