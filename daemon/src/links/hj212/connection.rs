//! One connection of a logger, from its first byte to its last.

use super::Gate;
use super::desk::{Desk, Work, key_taken};
use super::repeats::Repeats;
use crate::events::{GARBAGE_KEPT_BYTES_MAX, JournalEvent, Raw, Verdict};
use crate::intake::{Opened, clock_offset_ms, open};
use crate::journal::Draft;
use crate::keys::DatedKey;
use crate::switchboard::Wish;
use crate::telemetry;
use cems_core::model::OutletId;
use cems_protocols::hj212::{
    self, Action, CloseReason, Content, CrcStyle, Message, RawFrame, Session,
};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bytes taken from a socket at a time: a few dozen frames, one group commit.
const READ_BYTES: usize = 16 * 1024;
/// A peer that does not take its answers for this long loses the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Outlets whose dialogues one connection may carry: a forwarder sends for some dozens. Frames of
/// further ones are taken in as well, but they get no orders on this connection.
const DESKS_MAX: usize = 64;

/// Why a connection ended, in words for the log.
pub(super) type Ending = SmolStr;

/// What a connection woke up for.
enum Woken {
    Read(std::io::Result<usize>),
    Timer,
    /// The switchboard has an order.
    Call,
    Stop,
}

pub(super) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    peer_text: SmolStr,
    gate: Arc<Gate>,
    session: Session,
    started: Instant,
    /// Dialogues by outlet.
    desks: BTreeMap<OutletId, Desk>,
    wake: Arc<Notify>,
    repeats: Repeats,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, gate: Arc<Gate>) -> Self {
        let session = Session::new(gate.session);
        Self {
            stream,
            peer,
            peer_text: format_smolstr!("{peer}"),
            gate,
            session,
            started: Instant::now(),
            desks: BTreeMap::new(),
            wake: Arc::new(Notify::new()),
            repeats: Repeats::default(),
        }
    }

    /// Session time: real milliseconds since the connection began, whatever the daemon's clock.
    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    pub(super) async fn serve(mut self, stop: &CancellationToken) -> Ending {
        // Answers are small and the device waits for them.
        let _ = self.stream.set_nodelay(true);
        let ending = self.talk(stop).await;
        self.hang_up().await;
        ending
    }

    async fn talk(&mut self, stop: &CancellationToken) -> Ending {
        let mut buffer = vec![0; READ_BYTES];
        // Starts the idle timer: a peer that never says anything must not hold its place.
        let _ = self.session.on_tick(self.now_ms());
        loop {
            let wait = self.next_wait();
            let woken = tokio::select! {
                biased;
                () = stop.cancelled() => Woken::Stop,
                read = self.stream.read(&mut buffer) => Woken::Read(read),
                () = self.wake.notified() => Woken::Call,
                () = pause(wait) => Woken::Timer,
            };
            let now = self.now_ms();
            let (actions, ending) = match woken {
                Woken::Read(Ok(n)) if n > 0 => (self.session.on_bytes(now, &buffer[..n]), None),
                Woken::Timer => (self.session.on_tick(now), None),
                Woken::Call => (Vec::new(), None),
                // However the connection ends, what came before is kept: a whole frame may stand
                // there that only waited for its line end.
                Woken::Read(Ok(_)) => (self.session.on_close(), Some("closed by the peer".into())),
                Woken::Read(Err(error)) => (
                    self.session.on_close(),
                    Some(format_smolstr!("read failed: {error}")),
                ),
                Woken::Stop => (self.session.on_close(), Some("the daemon stops".into())),
            };
            if let Err(ending) = self.carry_out(actions, ending.is_none()).await {
                return ending;
            }
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    /// How long nothing needs doing unless something comes.
    fn next_wait(&self) -> Option<Duration> {
        let session = self.session.next_deadline_ms().map(|deadline| {
            Duration::from_millis(u64::try_from(deadline - self.now_ms()).unwrap_or(0))
        });
        let desks = self.desks.values().filter_map(Desk::deadline).min();
        let desks = desks.map(|at| self.gate.clock.until(at));
        [session, desks].into_iter().flatten().min()
    }

    /// Journals everything in one commit, then answers what wants an answer, then sends what the
    /// dialogues say. `goes_on`: orders may still be taken.
    async fn carry_out(&mut self, actions: Vec<Action>, goes_on: bool) -> Result<(), Ending> {
        let mut work = Work::default();
        let mut answers = Vec::new();
        let mut close = None;
        for action in actions {
            match action {
                Action::Frame(frame, message) => {
                    answers.extend(self.frame(frame, message, &mut work));
                }
                Action::Garbage(mut bytes) => {
                    let all = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    telemetry::garbage(all);
                    bytes.truncate(GARBAGE_KEPT_BYTES_MAX);
                    work.events.push(JournalEvent::Garbage {
                        peer: self.peer_text.clone(),
                        bytes: all,
                        raw: Raw(bytes),
                    });
                }
                Action::Close(reason) => close = Some(reason),
            }
        }
        let now = self.gate.clock.now();
        for desk in self.desks.values_mut() {
            if desk.deadline().is_some_and(|at| at <= now) {
                desk.tick(&mut work);
            }
            if goes_on && close.is_none() {
                desk.pick_up(&mut work);
            }
        }
        self.journal(work.events).await?;
        answers.extend_from_slice(&work.bytes);
        self.write(&answers).await?;
        self.repeats.answered();
        close.map_or(Ok(()), |reason| Err(ending(reason)))
    }

    /// Takes one frame in; gives the answer it waits for.
    fn frame(&mut self, frame: RawFrame, message: Message, work: &mut Work) -> Vec<u8> {
        let directory = self.gate.directory.load_full();
        let Opened {
            message,
            clear,
            with,
        } = open(&frame, message, &directory, &self.gate.keys);
        let decided = self
            .gate
            .admission
            .decide(&message, self.peer.ip(), &directory);
        let verdict = self.attributed(decided, &message);
        telemetry::frame(&verdict, &message);
        let mut noted = Vec::new();
        let mut answer = Vec::new();
        // The frame stands in the journal before what follows from it.
        let mut after = Work::default();
        if let Verdict::Accepted { outlet } = &verdict {
            if let Some(reply) = hj212::answer_as(&message, CrcStyle::mirror(message.crc)) {
                noted.extend(self.repeats.see(&frame.bytes));
                answer = reply.bytes;
            }
            let now = self.gate.clock.now();
            if let Some(ahead) = clock_offset_ms(&message, now, directory.offset()) {
                noted.extend(self.gate.switchboard.see_clock(outlet, ahead).noted);
            }
            self.tell(outlet, &message, with.map(|(_, key)| key), &mut after);
        }
        work.events.push(JournalEvent::Frame {
            peer: self.peer_text.clone(),
            verdict,
            raw: Raw(frame.bytes),
            clear: clear.map(Raw),
            noted: noted.into_iter().map(SmolStr::new_static).collect(),
        });
        work.events.append(&mut after.events);
        work.bytes.append(&mut after.bytes);
        answer
    }

    /// Some loggers leave their number out of answers; a connection that speaks for one outlet
    /// only knows whose they are.
    fn attributed(&self, verdict: Verdict, message: &Message) -> Verdict {
        let is_answer = || matches!(hj212::content(message), Content::Answer { .. });
        match (&verdict, self.desks.first_key_value()) {
            (Verdict::Unreadable, Some((outlet, _)))
                if self.desks.len() == 1 && message.header.mn.is_none() && is_answer() =>
            {
                Verdict::Accepted {
                    outlet: outlet.clone(),
                }
            }
            _ => verdict,
        }
    }

    /// An accepted message, for the dialogue with its logger and for the steward.
    fn tell(
        &mut self,
        outlet: &OutletId,
        message: &Message,
        key: Option<DatedKey>,
        work: &mut Work,
    ) {
        if let Some(dated) = key.filter(|dated| dated.offered) {
            key_taken(&self.gate, outlet, &dated.key, work);
        }
        if !self.desks.contains_key(outlet) && self.desks.len() < DESKS_MAX {
            let desk = Desk::open(outlet, message, &self.gate, &self.peer_text, &self.wake);
            self.desks.insert(outlet.clone(), desk);
        }
        if let Some(desk) = self.desks.get_mut(outlet) {
            desk.hear(message, work);
        }
        match hj212::content(message) {
            Content::TimeRequest { pol_id } => {
                let wish = Wish::AsksTime(outlet.clone(), pol_id);
                self.gate.switchboard.wish(wish);
            }
            Content::KeyRequest { .. } => {
                self.gate.switchboard.wish(Wish::NewKey(outlet.clone()));
            }
            // Its content is not read where a key exchange is enciphered.
            _ if message.cn() == "1014" => {
                self.gate.switchboard.wish(Wish::NewKey(outlet.clone()));
            }
            _ => {}
        }
    }

    async fn journal(&self, events: Vec<JournalEvent>) -> Result<(), Ending> {
        if events.is_empty() {
            return Ok(());
        }
        let draft = |event: &JournalEvent| Draft {
            at_ms: None,
            body: event.to_line(),
        };
        self.gate
            .journal
            .append_many(events.iter().map(draft).collect())
            .await
            .map(|_| ())
            .map_err(|error| format_smolstr!("journal: {error}"))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        if bytes.is_empty() {
            return Ok(());
        }
        match tokio::time::timeout(WRITE_TIMEOUT, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format_smolstr!("write failed: {error}")),
            Err(_) => Err("the peer does not take its answers".into()),
        }
    }

    /// Ends every dialogue; what was open is journalled as unknown.
    async fn hang_up(&mut self) {
        let mut work = Work::default();
        for desk in std::mem::take(&mut self.desks).into_values() {
            desk.close(&mut work);
        }
        if let Err(error) = self.journal(work.events).await {
            tracing::warn!(%error, "open exchanges could not be ended");
        }
    }
}

async fn pause(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn ending(reason: CloseReason) -> Ending {
    SmolStr::new_static(reason.as_str())
}
