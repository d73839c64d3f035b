//! A station at work: one TCP connection to a centre, by the rules of HJ 212-2017 6.7 and with
//! what goes wrong in the field.

use super::outbox::{Outbox, Patience, Retries};
use super::parcel::{Parcel, damaged, pieces};
use super::plant::Plant;
use super::reply;
use super::schedule::{Schedule, Task};
use super::script::Script;
use super::station::{Station, interval_before};
use super::tally::Tally;
use crate::clock::Clock;
use cems_core::model::{RecordKind, Timestamp};
use cems_protocols::hj212::{BuildError, Framer, Limits, Message, Step, parse};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// A connection attempt takes at most this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A centre that takes no bytes for this long loses the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// First pause after a lost connection; doubled up to [`Timing::back_off_max`].
const BACK_OFF_FIRST: Duration = Duration::from_millis(250);
/// Pause between the pieces of a frame on a slow modem.
const PIECE_PAUSE: Duration = Duration::from_millis(8);
/// Bytes read at a time: answers are about a hundred bytes.
const READ_BYTES: usize = 4_096;
/// Frames of a glued write at most; more follow in the next.
const GLUED_MAX: usize = 32;

/// Patience and memory of a station.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long to wait for an answer, how often to try again.
    pub retries: Retries,
    /// Longest pause between attempts to connect.
    pub back_off_max: Duration,
    /// Messages kept through an outage.
    pub buffer: usize,
}

impl Default for Timing {
    /// 10 s and 3 retries as on mobile networks (HJ 212-2017 6.6), a day of minute records.
    fn default() -> Self {
        Self {
            retries: Retries {
                over_time_ms: 10_000,
                re_count: 3,
            },
            back_off_max: Duration::from_secs(30),
            buffer: 1_500,
        }
    }
}

/// A station and what it works with.
pub struct Client {
    /// The logger.
    pub station: Station,
    /// What its instruments measure.
    pub plant: Plant,
    /// What it sends when.
    pub schedule: Schedule,
    /// What happens to it.
    pub script: Script,
    /// Where it sends to.
    pub centre: SocketAddr,
    /// By which time.
    pub clock: Clock,
    /// What fell due after this is said, though it be late.
    pub since: Timestamp,
    /// Its patience.
    pub timing: Timing,
    /// What it counts.
    pub tally: Arc<Tally>,
}

/// What a station waits for.
enum Event {
    Stop,
    Due(Timestamp, Task),
    Read(std::io::Result<usize>),
    Overdue,
    Connect,
    /// A silence has ended.
    Awake,
}

/// The working state of a [`Client`].
struct Work {
    client: Client,
    outbox: Outbox,
    link: Option<Link>,
    started: Instant,
    connect_at: Instant,
    back_off: Duration,
    /// Everything due up to here has been said.
    said_until: Timestamp,
    written: u32,
}

struct Link {
    stream: TcpStream,
    /// Packets written to it.
    packets: u32,
    framer: Framer,
    buffer: Vec<u8>,
}

impl Client {
    /// Works until told to stop.
    ///
    /// # Errors
    /// When MN or password hold characters that no frame can carry; nothing is sent then.
    pub async fn run(self, stop: CancellationToken) -> Result<(), BuildError> {
        let now = Instant::now();
        let said_until = self.since;
        let mut work = Work {
            outbox: Outbox::new(self.timing.retries, self.timing.buffer),
            client: self,
            link: None,
            started: now,
            connect_at: now,
            back_off: BACK_OFF_FIRST,
            said_until,
            written: 0,
        };
        // Built before any connection, so that an impossible password is noticed at once.
        work.introduce()?;
        loop {
            match work.wait(&stop).await {
                Event::Stop => return Ok(()),
                Event::Due(at, task) => work.say(at, task).await?,
                Event::Read(read) => work.read(read).await,
                Event::Overdue => work.overdue(),
                Event::Connect => work.connect().await,
                Event::Awake => work.wake_up()?,
            }
            if work.link.is_some() {
                work.send().await;
            }
            let lost = work.outbox.dropped();
            work.client.tally.dropped.fetch_max(lost, Ordering::Relaxed);
        }
    }
}

impl Work {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    async fn wait(&mut self, stop: &CancellationToken) -> Event {
        let clock = self.client.clock.clone();
        let now = clock.now();
        if self.client.script.silent(now) {
            self.link = None;
            self.outbox.disconnected();
            let awake = self.client.script.speaks_from(now);
            return tokio::select! {
                () = stop.cancelled() => Event::Stop,
                () = until(awake.map(|at| clock.until(at))) => Event::Awake,
            };
        }
        let due = self.client.schedule.next(self.said_until);
        let overdue = self
            .outbox
            .deadline_ms()
            .map(|at| milliseconds(at - self.now_ms()));
        let connect = self.connect_at.saturating_duration_since(Instant::now());
        tokio::select! {
            biased;
            () = stop.cancelled() => Event::Stop,
            read = read_some(&mut self.link) => Event::Read(read),
            () = until(overdue) => Event::Overdue,
            () = tokio::time::sleep(connect), if self.link.is_none() => Event::Connect,
            () = until(due.map(|(at, _)| clock.until(at))) => match due {
                Some((at, task)) => Event::Due(at, task),
                None => Event::Awake,
            },
        }
    }

    /// A silence ends: nothing was measured meanwhile.
    fn wake_up(&mut self) -> Result<(), BuildError> {
        self.said_until = self.client.clock.now();
        self.connect_at = Instant::now();
        self.introduce()
    }

    /// Boot time and identity come first.
    fn introduce(&mut self) -> Result<(), BuildError> {
        let now = self.client.clock.now();
        if !self.client.schedule.housekeeping {
            // The station is checked all the same.
            return self.client.station.facilities(now, true).map(|_| ());
        }
        let station = &self.client.station;
        let mut parcels: Vec<Parcel> = station.boot(now)?.into_iter().collect();
        parcels.extend(station.time_request(now.plus_ms(10))?);
        parcels.extend(station.identity(now.plus_ms(20))?);
        for parcel in parcels {
            // Not late, though the connection is yet to be made.
            self.outbox.push(parcel, true);
        }
        Ok(())
    }

    async fn say(&mut self, at: Timestamp, task: Task) -> Result<(), BuildError> {
        self.said_until = at;
        let client = &mut self.client;
        if client.script.silent(at) {
            return Ok(());
        }
        let ahead = client.script.clock_offset_ms(at);
        let station = &client.station;
        let parcel = match task {
            Task::Data(RecordKind::Realtime) => {
                let readings = client.plant.sample(at);
                Some(station.realtime(at, ahead, &readings)?)
            }
            Task::Data(kind) => {
                let minutes = client.schedule.minute_min.unwrap_or(1);
                let span = interval_before(kind, at, minutes, station.offset);
                let means = client.plant.means(span.0, span.1);
                Some(station.interval(kind, span, (at, ahead), &means)?)
            }
            Task::Facilities => {
                let stopped = client.script.state(at).and_then(|state| state.flag()) == Some("F");
                Some(station.facilities(at, !stopped)?)
            }
            Task::Heartbeat => station.heartbeat(at)?,
            Task::TimeRequest => station.time_request(at)?,
        };
        if let Some(parcel) = parcel {
            self.outbox.push(parcel, self.link.is_some());
        }
        Ok(())
    }

    async fn connect(&mut self) {
        let tally = Arc::clone(&self.client.tally);
        let made =
            tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(self.client.centre)).await;
        let Ok(Ok(stream)) = made else {
            Tally::one(&tally.connect_failed);
            self.later();
            return;
        };
        Tally::one(&tally.connected);
        // Frames are small and answers are waited for.
        let _ = stream.set_nodelay(true);
        self.link = Some(Link {
            stream,
            packets: 0,
            framer: Framer::new(Limits::default()),
            buffer: vec![0; READ_BYTES],
        });
        let greeting = self.client.station.quirks.greeting.bytes();
        if !greeting.is_empty() && !self.write(greeting).await {
            self.lose();
        }
    }

    /// Next attempt after a pause that grows.
    fn later(&mut self) {
        self.connect_at = Instant::now() + self.back_off;
        self.back_off = (self.back_off * 2).min(self.client.timing.back_off_max);
    }

    fn lose(&mut self) {
        if self.link.take().is_some() {
            Tally::one(&self.client.tally.disconnected);
        }
        self.outbox.disconnected();
        self.later();
    }

    fn overdue(&mut self) {
        let now = self.now_ms();
        match self.outbox.on_time(now) {
            Patience::Waiting => {}
            Patience::SendAgain => Tally::one(&self.client.tally.retried),
            Patience::GiveUp => {
                Tally::one(&self.client.tally.gave_up);
                self.lose();
            }
        }
    }

    /// Sends what may be sent now.
    async fn send(&mut self) {
        if self.client.station.quirks.glued {
            return self.send_glued().await;
        }
        loop {
            if let Some(entry) = self.outbox.take_unanswered() {
                for packet in entry.packets().to_vec() {
                    if !self.transmit(&packet.bytes, entry.is_late()).await {
                        self.outbox.put_back(entry);
                        return self.lose();
                    }
                }
            } else if let Some((packet, late)) = self.outbox.next_answered() {
                if !self.transmit(&packet.bytes, late).await {
                    return self.lose();
                }
                let now = self.now_ms();
                self.outbox.sent(now);
            } else {
                return;
            }
        }
    }

    /// Everything that waits for no answer in one write.
    async fn send_glued(&mut self) {
        let mut entries = Vec::new();
        while entries.len() < GLUED_MAX
            && let Some(entry) = self.outbox.take_unanswered()
        {
            entries.push(entry);
        }
        let packets: Vec<_> = entries.iter().flat_map(|entry| entry.packets()).collect();
        let bytes: Vec<u8> = packets
            .iter()
            .flat_map(|packet| packet.bytes.clone())
            .collect();
        let count = packets.len();
        if bytes.is_empty() {
            return;
        }
        if self.write(&bytes).await {
            Tally::add(&self.client.tally.sent, count);
            return;
        }
        for entry in entries.into_iter().rev() {
            self.outbox.put_back(entry);
        }
        self.lose();
    }

    /// Writes one packet with the habits of the station; false when the connection is gone.
    async fn transmit(&mut self, bytes: &[u8], late: bool) -> bool {
        if self.is_cut() {
            Tally::one(&self.client.tally.cut);
            return false;
        }
        self.written = self.written.wrapping_add(1);
        let quirks = self.client.station.quirks;
        let bytes = &*self.on_the_line(bytes);
        let written = if quirks.piece_bytes_max == 0 {
            self.write(bytes).await
        } else {
            self.write_pieces(bytes, quirks.piece_bytes_max).await
        };
        if !written {
            return false;
        }
        Tally::one(&self.client.tally.sent);
        if late {
            Tally::one(&self.client.tally.resent);
        }
        let twice =
            quirks.duplicate_every > 0 && self.written.is_multiple_of(quirks.duplicate_every);
        if twice {
            Tally::one(&self.client.tally.duplicated);
            return self.write(bytes).await;
        }
        true
    }

    /// Whether the script cuts the connection before the next packet.
    fn is_cut(&mut self) -> bool {
        let now = self.client.clock.now();
        let (Some(link), Some(limit)) = (&mut self.link, self.client.script.cuts_after(now)) else {
            return false;
        };
        link.packets = link.packets.saturating_add(1);
        link.packets > limit
    }

    /// The bytes as they reach the other end: the script may damage one.
    fn on_the_line<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let every = self.client.script.damages_every(self.client.clock.now());
        if every.is_none_or(|every| !self.written.is_multiple_of(every)) {
            return Cow::Borrowed(bytes);
        }
        Tally::one(&self.client.tally.damaged);
        Cow::Owned(damaged(bytes, u64::from(self.written)))
    }

    async fn write_pieces(&mut self, bytes: &[u8], bytes_max: usize) -> bool {
        let pause = self.client.clock.shorten(PIECE_PAUSE);
        for piece in pieces(bytes, u64::from(self.written), bytes_max) {
            if !self.write(piece).await {
                return false;
            }
            tokio::time::sleep(pause).await;
        }
        true
    }

    async fn write(&mut self, bytes: &[u8]) -> bool {
        let Some(link) = &mut self.link else {
            return false;
        };
        let written = tokio::time::timeout(WRITE_TIMEOUT, link.stream.write_all(bytes)).await;
        matches!(written, Ok(Ok(())))
    }

    async fn read(&mut self, read: std::io::Result<usize>) {
        let Some(link) = &mut self.link else { return };
        let Ok(count @ 1..) = read else {
            return self.lose();
        };
        link.framer
            .push(link.buffer.get(..count).unwrap_or_default());
        let mut messages = Vec::new();
        loop {
            match link.framer.next() {
                Step::Frame(frame) => messages.push(parse(&frame)),
                Step::Garbage(bytes) => {
                    Tally::add(&self.client.tally.garbage_bytes, bytes.len());
                }
                Step::Incomplete => break,
            }
        }
        for message in messages {
            self.hear(&message).await;
        }
    }

    async fn hear(&mut self, message: &Message) {
        if !message.crc.is_known() {
            Tally::one(&self.client.tally.garbage_bytes);
            return;
        }
        if let Some(qn) = reply::answered_qn(message) {
            let now = self.now_ms();
            match self.outbox.answered(qn, now) {
                Some(latency_ms) => {
                    // The centre works: next time the first attempt is soon again.
                    self.back_off = BACK_OFF_FIRST;
                    Tally::one(&self.client.tally.acked);
                    self.client.tally.latencies.record(milliseconds(latency_ms));
                }
                None => Tally::one(&self.client.tally.stray_answers),
            }
            return;
        }
        let answers = reply::to_request(message, &self.client.station);
        if answers.is_empty() {
            return;
        }
        Tally::one(&self.client.tally.requests);
        for answer in answers {
            if !self.write(&answer).await {
                return self.lose();
            }
        }
    }
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

async fn until(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn read_some(link: &mut Option<Link>) -> std::io::Result<usize> {
    match link {
        Some(link) => link.stream.read(&mut link.buffer).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
