//! While a connection stands: frames out, frames in, timers.

use super::super::lanes::Next;
use super::super::outbox::{Owed, Settled};
use super::super::translate::parcel;
use super::super::{feed, mask};
use super::{Ending, Link};
use crate::events::{JournalEvent, Raw};
use crate::store::blocking;
use cems_config::UplinkEdition;
use cems_core::model::{RecordKind, RecordRow, Timestamp};
use cems_protocols::hj212::dialogue::StationOutput;
use cems_protocols::hj212::{
    self, Action, AnswerKind, FrameBuilder, Message, RawFrame, Session, SessionConfig, encipher,
    must_be_enciphered,
};
use smol_str::{SmolStr, format_smolstr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bytes read at a time; a centre says little.
const READ_BYTES: usize = 4 * 1024;
/// How long the centre may leave bytes unread before the connection counts as dead.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// Records handed in before the socket is looked at again: without acknowledgements nothing else
/// would make the line pause.
const ROUND_MAX: usize = 32;
/// A centre is never hung up on for its silence: it has nothing to say between acknowledgements.
const IDLE_MS: i64 = i64::MAX / 4;

/// When to wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    At(Instant),
    Never,
}

/// What happened on the socket.
enum Came {
    Stop,
    Bytes(std::io::Result<usize>),
    News,
    Timer,
}

/// The writing half of whatever the connection is.
pub(super) type Writer = tokio::io::WriteHalf<Box<dyn super::Duplex>>;

impl Link {
    /// Serves one connection to its end.
    pub(super) async fn serve(
        &mut self,
        stream: Box<dyn super::Duplex>,
        stop: &CancellationToken,
    ) -> Ending {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut session = Session::new(SessionConfig {
            idle_ms: IDLE_MS,
            ..SessionConfig::default()
        });
        let began = Instant::now();
        let mut buffer = vec![0; READ_BYTES];
        self.heard = false;
        self.lanes.look_again();
        self.station.on_connect(self.dialogue_now().0);
        if let Err(ending) = self.greet(&mut writer).await {
            return ending;
        }
        loop {
            let wake = match self.fill(&mut writer).await {
                Ok(wake) => wake,
                Err(ending) => return ending,
            };
            let ms = |instant: Instant| {
                i64::try_from(instant.duration_since(began).as_millis()).unwrap_or(i64::MAX)
            };
            let wake = wake.min(self.timers(&session, began));
            let came = tokio::select! {
                biased;
                () = stop.cancelled() => Came::Stop,
                read = reader.read(&mut buffer) => Came::Bytes(read),
                () = self.news.notified() => Came::News,
                () = until(wake) => Came::Timer,
            };
            let actions = match came {
                Came::Stop => return Ending::Stop,
                Came::Bytes(Ok(0)) => return Ending::Cut("the centre hung up".into()),
                Came::Bytes(Err(error)) => return Ending::Cut(format!("reading failed: {error}")),
                Came::Bytes(Ok(n)) => session.on_bytes(ms(Instant::now()), &buffer[..n]),
                Came::News => {
                    self.lanes.look_again();
                    Vec::new()
                }
                Came::Timer => session.on_tick(ms(Instant::now())),
            };
            if let Err(ending) = self.turn(actions, &mut writer).await {
                return ending;
            }
        }
    }

    /// Deals with what came and with what is due.
    async fn turn(&mut self, actions: Vec<Action>, writer: &mut Writer) -> Result<(), Ending> {
        for action in actions {
            match action {
                Action::Frame(frame, message) => self.hear(&frame, message, writer).await?,
                // Lines of a modem or a proxy; the centre's next frame stands for itself.
                Action::Garbage(_) => {}
                Action::Close(reason) => {
                    let why = reason.as_str();
                    return Err(Ending::Cut(format!("what came is no HJ 212: {why}")));
                }
            }
        }
        let outputs = self.station.on_tick(self.dialogue_now().0);
        self.carry_out(outputs, writer).await?;
        if self.lanes.book_at().is_some_and(|at| at <= Instant::now()) {
            self.book().await?;
        }
        Ok(())
    }

    /// The next moment at which something is due whatever comes.
    fn timers(&self, session: &Session, began: Instant) -> Wake {
        let station = self.station.next_deadline_ms().map(|ms| {
            let at = Timestamp(ms).plus_ms(-self.kept.clock_ahead_ms);
            Instant::now() + self.ground.clock.until(at)
        });
        let session = session
            .next_deadline_ms()
            .filter(|ms| *ms < IDLE_MS)
            .map(|ms| began + Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        [station, session, self.lanes.book_at()]
            .into_iter()
            .flatten()
            .min()
            .map_or(Wake::Never, Wake::At)
    }

    /// Hands in what the line takes: new records, then what the centre has asked for, then
    /// history.
    async fn fill(&mut self, writer: &mut Writer) -> Result<Wake, Ending> {
        for _ in 0..ROUND_MAX {
            if !self.station.ready_for_more() {
                return Ok(Wake::Never);
            }
            let now = self.ground.clock.now();
            if let Next::Send { owed, late } = self.lanes.next_fresh(now).await? {
                self.upload(owed, late, writer).await?;
                continue;
            }
            if self.fetch_on(writer).await? {
                continue;
            }
            match self.lanes.next_old(now).await? {
                Next::Send { owed, late } => self.upload(owed, late, writer).await?,
                Next::At(at) => return Ok(Wake::At(at)),
                Next::Nothing => {
                    if !self.lanes.is_flying() {
                        self.ground.board.alive(self.lanes.mailbox());
                    }
                    return Ok(Wake::Never);
                }
            }
        }
        Ok(Wake::At(Instant::now()))
    }

    /// Sends one record, unless nothing of it goes to this centre.
    async fn upload(&mut self, owed: Owed, late: bool, writer: &mut Writer) -> Result<(), Ending> {
        let sent_at = self.ground.clock.now();
        if !self.is_wanted(owed) {
            let why = Settled::NotOwed;
            return Ok(self.lanes.pass_over(owed, why, sent_at).await?);
        }
        let readers = self.ground.readers.clone();
        let outlet = self.terms.outlet.clone();
        let row = blocking(move || readers.record(&outlet, owed.kind, owed.start)).await?;
        let Some(row) = row else {
            self.lanes.is_absent(owed);
            return Ok(());
        };
        let Some(frame) = self.frame(&row, late) else {
            let why = Settled::NotOwed;
            return Ok(self.lanes.pass_over(owed, why, sent_at).await?);
        };
        let key = self.lanes.takes_off(owed, sent_at);
        match self.station.upload(self.dialogue_now().0, key, frame) {
            Ok(outputs) => self.carry_out(outputs, writer).await,
            Err(error) => {
                // A text in the record that no frame can hold, as from a logger with odd flags.
                let what = format!("{} record of {}", owed.kind.as_str(), owed.start);
                let detail = format!("{what} cannot be sent to {}: {error}", self.uplink.id);
                self.ground.board.trouble(self.lanes.mailbox(), &detail);
                self.note(vec![self.audit("uplink.unsendable", detail)])
                    .await?;
                self.lanes.is_unsendable(key);
                let why = Settled::Unsendable;
                Ok(self.lanes.pass_over(owed, why, sent_at).await?)
            }
        }
    }

    /// Whether the centre still wants such records: it may have switched them off or asked for
    /// fewer (2012, 1062).
    fn is_wanted(&self, owed: Owed) -> bool {
        if owed.kind != RecordKind::Realtime {
            return true;
        }
        let settings = &self.kept.settings;
        let (formed, offset) = (&self.outlet.expectation, self.ground.offset);
        settings.realtime && feed::is_due(owed.start, settings.rtd_interval_s, formed, offset)
    }

    /// A record as a message; `None` when nothing of it goes to this centre.
    pub(super) fn frame(&self, row: &RecordRow, late: bool) -> Option<FrameBuilder> {
        let parcel = parcel(row, &self.uplink, &self.terms, self.ground.offset)?;
        let edition = self.station.config().edition;
        let frame = FrameBuilder::new(edition, &self.terms.st, parcel.kind.cn())
            .answer_wanted(self.uplink.answer)
            .rf(late && self.uplink.edition == UplinkEdition::V2025)
            .data_time(&parcel.data_time.digits14())
            .items(parcel.items);
        Some(frame)
    }

    /// A frame of the centre.
    async fn hear(
        &mut self,
        frame: &RawFrame,
        message: Message,
        writer: &mut Writer,
    ) -> Result<(), Ending> {
        let message = match &self.key {
            Some(key) => hj212::parse_with_key(frame, Some(key)),
            None => message,
        };
        self.heard = true;
        self.ground.board.alive(self.lanes.mailbox());
        let now = self.dialogue_now().0;
        let is_answer = matches!(message.cn(), "9013" | "9014");
        let outputs = self.station.on_message(now, &message);
        if is_answer {
            // The record of an acknowledgement is what was delivered.
            return self.carry_out(outputs, writer).await;
        }
        let outcome = outcome(&outputs);
        let mut events = vec![JournalEvent::FromCentre {
            uplink: self.uplink.id.clone(),
            peer: self.peer.clone(),
            raw: Raw(mask(&frame.bytes)),
            outcome,
        }];
        events.extend(
            outputs
                .iter()
                .filter_map(|output| self.sent(output, &message)),
        );
        self.note(events).await?;
        self.carry_out(outputs, writer).await
    }

    /// An answer to the centre, for the journal; records sent meanwhile are in it as delivered.
    fn sent(&self, output: &StationOutput, to: &Message) -> Option<JournalEvent> {
        match output {
            StationOutput::Send { cn, bytes } if cn.starts_with('9') || cn == to.cn() => {
                Some(self.sent_event(bytes))
            }
            _ => None,
        }
    }

    pub(super) fn sent_event(&self, bytes: &[u8]) -> JournalEvent {
        JournalEvent::Sent {
            peer: self.peer.clone(),
            outlet: self.terms.outlet.clone(),
            raw: Raw(bytes.to_vec()),
        }
    }

    pub(super) fn audit(&self, what: &str, detail: String) -> JournalEvent {
        JournalEvent::Audit {
            who: SmolStr::new_static("daemon"),
            what: SmolStr::new(what),
            object: format_smolstr!("uplink/{}/{}", self.uplink.id, self.terms.outlet),
            detail,
        }
    }

    pub(super) async fn note(&self, events: Vec<JournalEvent>) -> Result<(), Ending> {
        self.ground
            .recorder
            .record(events)
            .await
            .map_err(Ending::Cut)
    }

    /// Does what the dialogue asks for. What the centre has set is on disk before it is told so.
    pub(super) async fn carry_out(
        &mut self,
        outputs: Vec<StationOutput>,
        writer: &mut Writer,
    ) -> Result<(), Ending> {
        let mut queue = outputs;
        while !queue.is_empty() {
            let changed = queue
                .iter()
                .any(|o| matches!(o, StationOutput::SettingsChanged { .. }));
            if changed {
                self.settings_changed().await?;
            }
            let mut more = Vec::new();
            for output in queue {
                match output {
                    StationOutput::Send { cn, bytes } => self.send(&cn, &bytes, writer).await?,
                    StationOutput::Uploaded { key, answer } => {
                        self.lanes.lands(key, settled(answer));
                    }
                    StationOutput::SentAgain { key } => {
                        self.lanes.is_sent_again(key, self.ground.clock.now());
                    }
                    StationOutput::Lost { key } => {
                        self.lanes.is_lost(key, true);
                        return Err(Ending::Cut("the centre does not acknowledge".into()));
                    }
                    StationOutput::HeartbeatUnanswered => {
                        tracing::debug!(uplink = %self.uplink.id, "heartbeat without an answer");
                    }
                    StationOutput::Asked { token, request } => {
                        let done = self.execute(token, request).await?;
                        let answers = done.iter().filter_map(|output| match output {
                            StationOutput::Send { bytes, .. } => Some(self.sent_event(bytes)),
                            _ => None,
                        });
                        let events: Vec<JournalEvent> = answers.collect();
                        if !events.is_empty() {
                            self.note(events).await?;
                        }
                        more.extend(done);
                    }
                    StationOutput::Void { token } => {
                        self.fetches.retain(|fetch| fetch.token() != token);
                    }
                    StationOutput::SettingsChanged { .. } => {}
                    StationOutput::Refused { cn, result, .. } => {
                        let uplink = &self.uplink.id;
                        tracing::info!(%uplink, %cn, result, "a command of the centre was refused");
                    }
                }
            }
            queue = more;
        }
        Ok(())
    }

    /// Takes over and keeps what the dialogue has let the centre set.
    async fn settings_changed(&mut self) -> Result<(), Ending> {
        let stretched = self.kept.settings.over_time_s;
        let mut settings = self.station.settings().clone();
        // The dialogue has the time-out of the wire; another value is the centre's.
        let speed = self.ground.clock.speed();
        if settings.over_time_s == stretched.saturating_mul(speed) {
            settings.over_time_s = stretched;
        }
        self.kept.settings = settings;
        self.stretch_time_out();
        Ok(self.keep().await?)
    }

    async fn send(&self, cn: &str, bytes: &[u8], writer: &mut Writer) -> Result<(), Ending> {
        let enciphered = match &self.key {
            Some(key) if must_be_enciphered(cn) => encipher(bytes, key),
            _ => None,
        };
        let bytes = enciphered.as_deref().unwrap_or(bytes);
        let write = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        match tokio::time::timeout(WRITE_PATIENCE, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Ending::Cut(format!("writing failed: {error}"))),
            Err(_) => Err(Ending::Cut("the centre takes no bytes".into())),
        }
    }

    /// Journals and books what was acknowledged; books what went out.
    pub(super) async fn book(&mut self) -> Result<(), Ending> {
        let receipts = self.lanes.to_book();
        if receipts.is_empty() {
            return Ok(self.lanes.book(self.ground.clock.now()).await?);
        }
        let count = receipts.len();
        let records = receipts
            .iter()
            .map(|receipt| {
                (
                    self.terms.outlet.clone(),
                    receipt.owed.kind,
                    receipt.owed.start,
                )
            })
            .collect();
        // First the journal, which is the truth: a kill in between sends records once more.
        self.note(vec![JournalEvent::Delivered {
            uplink: self.uplink.id.clone(),
            records,
        }])
        .await?;
        self.lanes.book(self.ground.clock.now()).await?;
        self.ground.board.acknowledged(self.lanes.mailbox(), count);
        Ok(())
    }
}

/// How a record was acknowledged, by what came back.
fn settled(answer: Option<AnswerKind>) -> Settled {
    match answer {
        None => Settled::Unasked,
        Some(AnswerKind::Notice) => Settled::Notice,
        Some(_) => Settled::Data,
    }
}

/// What was done about a frame of the centre, as a code.
fn outcome(outputs: &[StationOutput]) -> SmolStr {
    let found = outputs.iter().find_map(|output| match output {
        StationOutput::SettingsChanged { .. } => Some(SmolStr::new_static("set")),
        StationOutput::Asked { .. } => Some(SmolStr::new_static("executing")),
        StationOutput::Refused { busy: true, .. } => Some(SmolStr::new_static("busy")),
        StationOutput::Refused { result, .. } => Some(format_smolstr!("refused {result}")),
        _ => None,
    });
    found.unwrap_or_else(|| {
        let answered = outputs
            .iter()
            .any(|o| matches!(o, StationOutput::Send { .. }));
        SmolStr::new_static(if answered { "answered" } else { "ignored" })
    })
}

async fn until(wake: Wake) {
    match wake {
        Wake::At(at) => tokio::time::sleep_until(at).await,
        Wake::Never => std::future::pending().await,
    }
}
