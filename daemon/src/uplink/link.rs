//! One line: the connection of one outlet with one centre, kept up for ever.
//!
//! The dialogue is [`Station`]'s; here is the socket, the order of what is sent, and what is noted
//! where. A centre knows a logger by its MN, so every outlet has a connection of its own.

mod command;
mod fetch;
mod info;
mod serve;

use super::board::UplinkBoard;
use super::kept::Kept;
use super::lanes::Lanes;
use super::outbox::{Mailbox, Outbox};
use super::translate::edition;
use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::journal::{Draft, Journal};
use crate::keys::{DeviceKey, KeyOwner, KeyRing};
use crate::store::blocking;
use crate::store::{Readers, StoreError};
use cems_config::{CrcVariant, Uplink, UplinkOutlet};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{Outlet, Timestamp, UtcOffset};
use cems_protocols::hj212::dialogue::{Station, StationConfig};
use cems_protocols::hj212::{AcceptCrc, BuildOptions, CrcStyle, Sm4Key};
use fetch::Fetch;
use futures_util::future::BoxFuture;
use smol_str::{SmolStr, ToSmolStr};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a record counts as new; later it is history and marked as sent again in 2025.
pub(super) const FRESH_MS: i64 = 10 * MINUTE_MS;
/// How long making a connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(20);
/// First pause before the next attempt; doubled up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// Longest pause between attempts: a centre that is back has its stations back within a minute.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Commands that set something this daemon may refuse, or that it does not carry out.
const ASK_FIRST: &[&str] = &["1001", "1022", "1032", "1042", "1062", "1064", "2021"];

/// A connection, whatever it runs over.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Makes connections to one centre.
pub(super) trait Dial: Send + Sync {
    /// A connection and the peer's address.
    fn dial(&self) -> BoxFuture<'_, io::Result<(Box<dyn Duplex>, SmolStr)>>;
}

/// Connects over TCP; the name is looked up anew each time.
pub(super) struct TcpDial(pub(super) SmolStr);

impl Dial for TcpDial {
    fn dial(&self) -> BoxFuture<'_, io::Result<(Box<dyn Duplex>, SmolStr)>> {
        Box::pin(async {
            let stream = TcpStream::connect(self.0.as_str()).await?;
            // Frames are small and their answers are waited for.
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr()?.to_smolstr();
            let stream: Box<dyn Duplex> = Box::new(stream);
            Ok((stream, peer))
        })
    }
}

/// Where a line notes what happened.
pub(super) trait Recorder: Send + Sync {
    /// Notes events; they are on disk when it returns.
    fn record(&self, events: Vec<JournalEvent>) -> BoxFuture<'_, Result<(), String>>;
}

impl Recorder for Journal {
    fn record(&self, events: Vec<JournalEvent>) -> BoxFuture<'_, Result<(), String>> {
        let draft = |event: &JournalEvent| Draft {
            at_ms: None,
            body: event.to_line(),
        };
        let drafts = events.iter().map(draft).collect();
        Box::pin(async move {
            let done = self.append_many(drafts).await;
            done.map(drop).map_err(|error| format!("journal: {error}"))
        })
    }
}

/// What all lines share.
pub(super) struct Ground {
    pub(super) recorder: Arc<dyn Recorder>,
    pub(super) readers: Readers,
    pub(super) outbox: Arc<Outbox>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) clock: Clock,
    pub(super) offset: UtcOffset,
    pub(super) board: Arc<UplinkBoard>,
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// The daemon stops.
    Stop,
    /// Anything else, in words.
    Cut(String),
}

impl From<StoreError> for Ending {
    fn from(error: StoreError) -> Self {
        Self::Cut(error.to_string())
    }
}

/// One line.
pub(super) struct Link {
    ground: Arc<Ground>,
    uplink: Arc<Uplink>,
    /// The outlet as the centre knows it.
    terms: UplinkOutlet,
    /// The outlet as it is here.
    outlet: Outlet,
    dial: Box<dyn Dial>,
    news: Arc<Notify>,
    lanes: Lanes,
    station: Station,
    kept: Kept,
    key: Option<Sm4Key>,
    peer: SmolStr,
    /// Records the centre has asked for.
    fetches: VecDeque<Fetch>,
    /// Something came back on this connection.
    heard: bool,
    /// When the centre was last asked for a new key.
    key_asked: Option<Timestamp>,
}

impl Link {
    /// A line before its first connection.
    ///
    /// # Errors
    /// When `uplink.db` or the keys cannot be read.
    pub(super) fn new(
        ground: Arc<Ground>,
        uplink: Arc<Uplink>,
        terms: UplinkOutlet,
        outlet: Outlet,
        dial: Box<dyn Dial>,
        news: Arc<Notify>,
    ) -> anyhow::Result<Self> {
        let mailbox = Mailbox {
            uplink: uplink.id.to_string(),
            outlet: terms.outlet.clone(),
        };
        let kept =
            Kept::of_file(&uplink, &terms, &outlet.expectation).read(&ground.outbox, &mailbox)?;
        let mut link = Self {
            lanes: Lanes::new(
                Arc::clone(&ground.outbox),
                mailbox,
                // Simulated time may run fast, the wire does not.
                FRESH_MS * i64::from(ground.clock.speed()),
                uplink.history_per_min,
            ),
            station: Station::new(
                station_config(&ground, &uplink, &terms),
                kept.settings.clone(),
            ),
            kept,
            key: None,
            peer: SmolStr::default(),
            fetches: VecDeque::new(),
            heard: false,
            key_asked: None,
            ground,
            uplink,
            terms,
            outlet,
            dial,
            news,
        };
        if let Some(mn) = &link.kept.mn {
            link.station = Station::new(
                StationConfig {
                    mn: SmolStr::new(mn),
                    ..link.station.config().clone()
                },
                link.kept.settings.clone(),
            );
        }
        link.stretch_time_out();
        link.read_key()?;
        Ok(link)
    }

    /// Keeps a connection until the daemon stops.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut pause = PAUSE_FIRST;
        loop {
            let connected = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                made = tokio::time::timeout(CONNECT_PATIENCE, self.dial.dial()) => made,
            };
            let board = Arc::clone(&self.ground.board);
            match connected {
                Ok(Ok((stream, peer))) => {
                    board.connected(self.lanes.mailbox(), &peer);
                    self.peer = peer;
                    let ending = self.serve(stream, &stop).await;
                    self.hang_up().await;
                    let why = match ending {
                        Ending::Stop => return,
                        Ending::Cut(why) => why,
                    };
                    board.disconnected(self.lanes.mailbox(), &why);
                    if self.heard {
                        pause = PAUSE_FIRST;
                    }
                }
                Ok(Err(error)) => {
                    let why = format!("connecting to {} failed: {error}", self.uplink.address);
                    board.trouble(self.lanes.mailbox(), &why);
                }
                Err(_) => {
                    let why = format!("connecting to {} takes too long", self.uplink.address);
                    board.trouble(self.lanes.mailbox(), &why);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(jittered(pause)) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Books what was acknowledged and what went out, and forgets what was under way.
    async fn hang_up(&mut self) {
        let _void = self.station.on_disconnect();
        self.fetches.clear();
        self.lanes.ground_all();
        if let Err(Ending::Cut(why)) = self.book().await {
            // They stay acknowledged here and are booked with the next ones; a kill before that
            // sends them again.
            self.ground.board.trouble(self.lanes.mailbox(), &why);
        }
    }

    /// The clock of the dialogue: the machine's, or as the centre has set it.
    fn dialogue_now(&self) -> Timestamp {
        self.ground.clock.now().plus_ms(self.kept.clock_ahead_ms)
    }

    /// Simulated time may run fast, the wire does not: time-outs are those of the wire.
    fn stretch_time_out(&mut self) {
        let speed = self.ground.clock.speed();
        let seconds = self.kept.settings.over_time_s.saturating_mul(speed);
        self.station.settings_mut().over_time_s = seconds;
    }

    /// Writes down what the centre has set.
    async fn keep(&self) -> Result<(), StoreError> {
        let (outbox, mailbox) = (
            Arc::clone(&self.ground.outbox),
            self.lanes.mailbox().clone(),
        );
        let settings = self.kept.to_keep();
        blocking(move || outbox.keep(&mailbox, &settings)).await
    }

    /// Whose key it is that enciphers this line.
    fn key_owner(&self) -> KeyOwner {
        KeyOwner::Uplink {
            uplink: self.uplink.id.to_string(),
            outlet: self.terms.outlet.clone(),
        }
    }

    /// Takes the key in force. The one of the settings file comes into force when it is new.
    fn read_key(&mut self) -> anyhow::Result<()> {
        let Some(configured) = &self.uplink.key else {
            return Ok(());
        };
        let (owner, configured) = (self.key_owner(), DeviceKey::new(configured.0));
        let known = self.ground.keys.all(&owner)?;
        if !known.iter().any(|dated| dated.key == configured) {
            let since = self.ground.clock.now();
            self.ground.keys.put(&owner, &configured, since)?;
        }
        let in_force = self.ground.keys.in_force(&owner)?;
        self.key = in_force.map(|dated| Sm4Key::new(*dated.key.bytes()));
        Ok(())
    }
}

fn station_config(ground: &Ground, uplink: &Uplink, terms: &UplinkOutlet) -> StationConfig {
    let speed = i64::from(ground.clock.speed());
    let heartbeat = uplink.heartbeat_s.map(|s| i64::from(s) * 1_000 * speed);
    StationConfig {
        heartbeat_ms: heartbeat,
        utc_offset_min: ground.offset.minutes(),
        build: BuildOptions {
            crc: crc_style(uplink.crc),
            ..BuildOptions::default()
        },
        // A centre that wants an odd check code writes it, too.
        accept: AcceptCrc::ALL,
        ask_first: ASK_FIRST,
        ..StationConfig::new(edition(uplink.edition), &terms.st, &terms.mn)
    }
}

fn crc_style(variant: CrcVariant) -> CrcStyle {
    match variant {
        CrcVariant::Hj212 => CrcStyle::Hj212,
        CrcVariant::Lowercase => CrcStyle::Hj212Lower,
        CrcVariant::Swapped => CrcStyle::Hj212Swapped,
        CrcVariant::Modbus => CrcStyle::Modbus,
        CrcVariant::ModbusSwapped => CrcStyle::ModbusSwapped,
    }
}

/// A pause up to a quarter longer or shorter, so that the stations of a centre that comes back do
/// not all arrive in one moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [128_u8];
    // Without randomness the pause is as it is.
    let _ = getrandom::fill(&mut byte);
    pause * (192 + u32::from(byte[0]) / 2) / 256
}

#[cfg(test)]
mod tests;
