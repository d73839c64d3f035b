//! HJ 212 over TCP: one listener, one task per connection.
//!
//! A connection reads, hands the bytes to the sans-IO session, writes every frame to the journal,
//! and answers only after the commit that holds the frame is on disk. While the journal does not
//! take anything (disk full) the task waits and stops reading: TCP tells the logger to wait too.

use crate::events::{GARBAGE_KEPT_BYTES_MAX, JournalEvent, Raw, Verdict};
use crate::intake::{Admission, Directory};
use crate::journal::{Draft, Journal};
use crate::telemetry;
use arc_swap::ArcSwap;
use cems_protocols::hj212::{self, Action, CloseReason, CrcStyle, Session, SessionConfig};
use smol_str::{SmolStr, format_smolstr};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bytes taken from a socket at a time: a few dozen frames, one group commit.
const READ_BYTES: usize = 16 * 1024;
/// A peer that does not take its answers for this long loses the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after `accept` fails (out of file descriptors), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What every connection shares.
pub struct Gate {
    /// Where frames go.
    pub journal: Journal,
    /// Which loggers are known now.
    pub directory: ArcSwap<Directory>,
    /// What counts as a right frame.
    pub admission: Admission,
    /// Timers and limits of a session.
    pub session: SessionConfig,
    /// Connections at once; one more is closed at once and counted.
    pub connections_max: usize,
}

/// Accepts connections until told to stop, then waits for them to finish what they have read.
pub async fn listen(listener: TcpListener, gate: Arc<Gate>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(gate.connections_max));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(pair) => pair,
            Err(error) => {
                telemetry::accept_failed(&error);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            telemetry::connection_refused(peer);
            continue;
        };
        let gate = Arc::clone(&gate);
        let stop = stop.clone();
        tasks.spawn(async move {
            let connected = telemetry::Connected::new(peer);
            let reason = Connection::new(stream, peer, gate).serve(&stop).await;
            connected.closed(&reason);
            drop(place);
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// Why a connection ended, in words for the log.
pub type Ending = SmolStr;

/// What a connection woke up for.
enum Read {
    Done(std::io::Result<usize>),
    Timer,
    Stop,
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    peer_text: SmolStr,
    gate: Arc<Gate>,
    session: Session,
    started: Instant,
}

impl Connection {
    fn new(stream: TcpStream, peer: SocketAddr, gate: Arc<Gate>) -> Self {
        let session = Session::new(gate.session);
        Self {
            stream,
            peer,
            peer_text: format_smolstr!("{peer}"),
            gate,
            session,
            started: Instant::now(),
        }
    }

    /// Session time: real milliseconds since the connection began, whatever the daemon's clock.
    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    async fn serve(mut self, stop: &CancellationToken) -> Ending {
        // Answers are small and the device waits for them.
        let _ = self.stream.set_nodelay(true);
        let mut buffer = vec![0; READ_BYTES];
        // Starts the idle timer: a peer that never says anything must not hold its place.
        let _ = self.session.on_tick(self.now_ms());
        loop {
            let wait = self.session.next_deadline_ms().map(|deadline| {
                Duration::from_millis(u64::try_from(deadline - self.now_ms()).unwrap_or(0))
            });
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => Read::Stop,
                read = self.stream.read(&mut buffer) => Read::Done(read),
                () = pause(wait) => Read::Timer,
            };
            let now = self.now_ms();
            let (actions, ending) = match read {
                Read::Done(Ok(n)) if n > 0 => (self.session.on_bytes(now, &buffer[..n]), None),
                Read::Timer => (self.session.on_tick(now), None),
                // However the connection ends, what came before is kept: a whole frame may stand
                // there that only waited for its line end.
                Read::Done(Ok(_)) => (self.session.on_close(), Some("closed by the peer".into())),
                Read::Done(Err(error)) => (
                    self.session.on_close(),
                    Some(format_smolstr!("read failed: {error}")),
                ),
                Read::Stop => (self.session.on_close(), Some("the daemon stops".into())),
            };
            if let Err(ending) = self.carry_out(actions).await {
                return ending;
            }
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    /// Journals everything in one commit, then answers what wants an answer.
    async fn carry_out(&mut self, actions: Vec<Action>) -> Result<(), Ending> {
        let mut drafts = Vec::with_capacity(actions.len());
        let mut answers = Vec::new();
        let mut close = None;
        for action in actions {
            match action {
                Action::Frame(frame, message) => {
                    let verdict = self.gate.admission.decide(
                        &message,
                        self.peer.ip(),
                        &self.gate.directory.load(),
                    );
                    telemetry::frame(&verdict, &message);
                    if matches!(verdict, Verdict::Accepted { .. })
                        && let Some(answer) =
                            hj212::answer_as(&message, CrcStyle::mirror(message.crc))
                    {
                        answers.extend_from_slice(&answer.bytes);
                    }
                    drafts.push(Self::draft(&JournalEvent::Frame {
                        peer: self.peer_text.clone(),
                        verdict,
                        raw: Raw(frame.bytes),
                    }));
                }
                Action::Garbage(mut bytes) => {
                    let all = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    telemetry::garbage(all);
                    bytes.truncate(GARBAGE_KEPT_BYTES_MAX);
                    drafts.push(Self::draft(&JournalEvent::Garbage {
                        peer: self.peer_text.clone(),
                        bytes: all,
                        raw: Raw(bytes),
                    }));
                }
                Action::Close(reason) => close = Some(reason),
            }
        }
        if !drafts.is_empty() {
            self.gate
                .journal
                .append_many(drafts)
                .await
                .map_err(|error| format_smolstr!("journal: {error}"))?;
        }
        if !answers.is_empty() {
            match tokio::time::timeout(WRITE_TIMEOUT, self.stream.write_all(&answers)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(format_smolstr!("write failed: {error}")),
                Err(_) => return Err("the peer does not take its answers".into()),
            }
        }
        close.map_or(Ok(()), |reason| Err(ending(reason)))
    }

    fn draft(event: &JournalEvent) -> Draft {
        Draft {
            at_ms: None,
            body: event.to_line(),
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
