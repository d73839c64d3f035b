//! A connection that publishes.
//!
//! The client library keeps nothing over a lost connection (it drops what is not acknowledged when
//! the broker has forgotten the session), so each connection has an event loop of its own. What is
//! handed over as one [`Bundle`] goes out in its order and over one connection; when that ends, the
//! owner hears how far the acknowledgements reached without a gap, and hands the rest over again.
//! Delivery is the owner's: the line has no memory.

use super::flying::{Answer, Flying};
use super::options::{self, Open, PAUSE_FIRST, PAUSE_MAX, Seen};
use super::trouble::{Cause, LineError};
use cems_config::Broker;
use rumqttc::{AsyncClient, Event, LastWill, MqttOptions, Outgoing, QoS};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages that may be unacknowledged at a time; brokers of clouds take no more than a hundred.
pub const FLYING_MAX: u16 = 64;
/// Bytes of the largest packet we send: a message in two languages has some tens of thousands.
const PACKET_BYTES_MAX: usize = 512 * 1024;
/// Bytes of the largest payload we send.
pub const PAYLOAD_BYTES_MAX: usize = PACKET_BYTES_MAX / 2;
/// A publication must be acknowledged within this time, or the connection counts as dead.
const ACK_PATIENCE: Duration = Duration::from_secs(20);
/// Bundles that may wait for the line; those who hand them over wait when it is full.
const BUNDLES_WAITING_MAX: usize = FLYING_MAX as usize;

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic: String,
    /// The broker keeps it as the last state of its topic.
    pub retain: bool,
    /// What.
    pub payload: Vec<u8>,
}

/// A bundle that was not acknowledged whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Torn {
    /// The first so many publications were acknowledged.
    pub acknowledged: usize,
    /// Why the others were not.
    pub error: LineError,
}

/// Publications that go out together, and who waits for them.
pub(super) struct Bundle {
    pub(super) items: Vec<Publication>,
    /// It follows another bundle of its owner: torn is torn for what follows, too.
    pub(super) follows: bool,
    pub(super) done: oneshot::Sender<Answer>,
}

/// A bundle that was handed over.
#[derive(Debug)]
pub struct UnderWay(oneshot::Receiver<Answer>);

impl UnderWay {
    /// Resolves when the broker has acknowledged all of it, or the connection ended before.
    ///
    /// # Errors
    /// With the number of publications that were acknowledged without a gap.
    pub async fn answer(self) -> Result<(), Torn> {
        self.0.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> Torn {
    Torn {
        acknowledged: 0,
        error: LineError::away("the connection to the broker is gone"),
    }
}

/// How the line is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineState {
    /// Connections so far.
    pub connections: u64,
    /// Why there is none; `None` while there is one, and before the first attempt has ended.
    pub trouble: Option<LineError>,
}

/// The end of a line that hands publications over; clones use the same connection.
#[derive(Clone)]
pub struct Line {
    bundles: mpsc::Sender<Bundle>,
    state: watch::Receiver<LineState>,
}

impl Line {
    /// Sets a connection to a broker to work. `status` is the topic of the last will.
    ///
    /// # Errors
    /// When the settings hold an address, a certificate or a key that cannot be used.
    pub fn open(
        broker: &Broker,
        status: String,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let mut options = options::options(broker)?;
        let offline = LastWill::new(&status, "offline", QoS::AtLeastOnce, true);
        options
            .set_clean_session(true)
            .set_inflight(FLYING_MAX)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_last_will(offline);
        let (bundles, wanted) = mpsc::channel(BUNDLES_WAITING_MAX);
        let (told, state) = watch::channel(LineState::default());
        let keeper = Keeper {
            options,
            status,
            wanted,
            state: told,
            stop,
            torn: false,
        };
        tasks.spawn(keeper.run());
        Ok(Self { bundles, state })
    }

    /// How the line is, and when that changes.
    pub fn state(&self) -> watch::Receiver<LineState> {
        self.state.clone()
    }

    /// Publishes in the order given; resolves when the broker has acknowledged all of it, or the
    /// connection ended before.
    ///
    /// # Errors
    /// With the number of publications that were acknowledged without a gap.
    pub async fn publish(&self, items: Vec<Publication>) -> Result<(), Torn> {
        if items.is_empty() {
            return Ok(());
        }
        self.hand_over(items, false).await?.answer().await
    }

    /// Hands publications over, in the order given, without waiting for their acknowledgement;
    /// waits while too many are under way. What `follows` is published only if nothing was torn
    /// since the last bundle that did not: so an owner may have several under way and still has
    /// its order. Nobody else may publish over that line.
    ///
    /// # Errors
    /// When the line is gone or a publication is too large.
    pub async fn hand_over(
        &self,
        items: Vec<Publication>,
        follows: bool,
    ) -> Result<UnderWay, Torn> {
        if items.iter().any(|p| p.payload.len() > PAYLOAD_BYTES_MAX) {
            return Err(Torn {
                acknowledged: 0,
                error: LineError::refused("the message is too large for a packet"),
            });
        }
        let (done, answer) = oneshot::channel();
        let bundle = Bundle {
            items,
            follows,
            done,
        };
        self.bundles.send(bundle).await.map_err(|_| gone())?;
        Ok(UnderWay(answer))
    }
}

/// The side that keeps the connection.
struct Keeper {
    options: MqttOptions,
    status: String,
    wanted: mpsc::Receiver<Bundle>,
    state: watch::Sender<LineState>,
    stop: CancellationToken,
    /// A bundle was torn, and none has come since that begins anew.
    torn: bool,
}

impl Keeper {
    async fn run(mut self) {
        let mut pause = PAUSE_FIRST;
        while !self.stop.is_cancelled() {
            let requests = usize::from(FLYING_MAX) + 2;
            let connecting = options::connect(self.options.clone(), requests);
            let connected = tokio::select! {
                () = self.stop.cancelled() => return,
                connected = connecting => connected,
            };
            let error = match connected {
                Ok(open) => {
                    pause = PAUSE_FIRST;
                    self.state.send_modify(|state| {
                        state.connections += 1;
                        state.trouble = None;
                    });
                    self.serve(open).await
                }
                Err(error) => error,
            };
            if !self.stop.is_cancelled() {
                tracing::debug!(why = %error, "the connection to the broker ended");
                self.state
                    .send_modify(|state| state.trouble = Some(error.clone()));
                self.refuse_for(pause, &error).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// Publishes what is wanted until the connection ends; gives why it ended.
    async fn serve(&mut self, open: Open) -> LineError {
        let Open { client, events, .. } = open;
        let mut flying = Flying::default();
        let (seen, mut events) = options::follow(events);
        // Nobody waits for it, but it is numbered like the others.
        flying.take(Bundle {
            items: vec![Publication {
                topic: self.status.clone(),
                retain: true,
                payload: b"online".to_vec(),
            }],
            follows: false,
            done: oneshot::channel().0,
        });
        let error = loop {
            if let Some(error) = launch(&client, &mut flying) {
                break error;
            }
            let patience = flying.oldest().map(|at| at + ACK_PATIENCE);
            tokio::select! {
                () = self.stop.cancelled() => {
                    say_goodbye(&client, &mut events, &self.status).await;
                    break LineError::away("the daemon stops");
                }
                event = events.recv() => match event {
                    Some(Ok(event)) => flying.note(&event),
                    Some(Err(error)) => break LineError::of(&error),
                    None => break LineError::away("the connection ended"),
                },
                () = until(patience) => {
                    let patience = ACK_PATIENCE.as_secs();
                    break LineError::slow(format!("no acknowledgement within {patience} s"));
                }
                wanted = self.wanted.recv(), if flying.has_room() => match wanted {
                    Some(bundle) if bundle.follows && self.torn => {
                        // Who waited may have given up.
                        let _ = bundle.done.send(Err(gone()));
                    }
                    Some(bundle) => {
                        self.torn = false;
                        flying.take(bundle);
                    }
                    None => break LineError::away("nobody publishes any more"),
                },
            }
        };
        seen.abort();
        self.torn = true;
        flying.give_up(&error);
        error
    }

    /// Waits before the next connection; what is wanted meanwhile is told at once that there is
    /// none.
    async fn refuse_for(&mut self, pause: Duration, error: &LineError) {
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = &mut over => return,
                wanted = self.wanted.recv() => match wanted {
                    Some(bundle) => {
                        let torn = Torn { acknowledged: 0, error: error.clone() };
                        // Who waited may have given up.
                        let _ = bundle.done.send(Err(torn));
                    }
                    None => return,
                },
            }
        }
    }
}

/// Hands the client what may fly; an error when it does not take it.
fn launch(client: &AsyncClient, flying: &mut Flying) -> Option<LineError> {
    while let Some(item) = flying.next() {
        let Publication {
            topic,
            retain,
            payload,
        } = item;
        if let Err(error) = client.try_publish(topic, QoS::AtLeastOnce, retain, payload) {
            return Some(LineError {
                cause: Cause::Slow,
                said: error.to_string(),
            });
        }
    }
    None
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Says `offline` and takes leave, so that the broker need not find out.
async fn say_goodbye(client: &AsyncClient, events: &mut mpsc::Receiver<Seen>, status: &str) {
    const PATIENCE: Duration = Duration::from_secs(1);
    let said = client.try_publish(status, QoS::AtLeastOnce, true, "offline");
    if said.and_then(|()| client.try_disconnect()).is_err() {
        return;
    }
    let leave = async {
        while let Some(Ok(event)) = events.recv().await {
            if event == Event::Outgoing(Outgoing::Disconnect) {
                return;
            }
        }
    };
    // A broker that hangs learns of it by the last will.
    let _ = tokio::time::timeout(PATIENCE, leave).await;
}
