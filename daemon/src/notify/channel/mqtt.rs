//! An MQTT 3.1.1 broker.
//!
//! | topic | retained | what |
//! | --- | --- | --- |
//! | `<prefix>/status` | yes | `online`, or `offline` by the broker's own hand when we are gone |
//! | `<prefix>/alarms/<id>` | yes | the alarm as it stands; emptied when it is closed |
//! | `<prefix>/messages` | no | every message |
//!
//! The client keeps nothing over a lost connection (it drops what is not acknowledged when the
//! broker has forgotten the session), so each connection has an event loop of its own: whatever it
//! has not seen acknowledged when it ends is reported as not taken, and the outbox sends it again.

use super::super::parcel::{Parcel, Shown};
use super::{Channel, Delivered, Room, SendError, Sending, StateBoard, chain, mail, payload, tls};
use anyhow::Context;
use cems_config::Broker;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS,
    TlsConfiguration, Transport,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Messages that may be unacknowledged at a time.
const FLYING_MAX: u16 = 32;
/// Bytes of the largest packet we send: a message in two languages has some tens of thousands.
const PACKET_BYTES_MAX: usize = 512 * 1024;
/// How often a silent connection is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A publication must be acknowledged within this time.
const ACK_PATIENCE: Duration = Duration::from_secs(20);
/// First pause before a new connection; doubled up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest pause before a new connection.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Something to publish, and who waits for its acknowledgement.
struct Publication {
    topic: String,
    retain: bool,
    payload: Vec<u8>,
    done: oneshot::Sender<Result<(), SendError>>,
}

/// The channel.
pub(super) struct Mqtt {
    prefix: String,
    console: Option<String>,
    publish: mpsc::Sender<Publication>,
}

/// The side that keeps the connection.
struct Line {
    options: MqttOptions,
    status: String,
    wanted: mpsc::Receiver<Publication>,
    back: watch::Sender<u64>,
    stop: CancellationToken,
}

impl Mqtt {
    pub(super) fn open(
        broker: &Broker,
        room: &Room,
        back: &watch::Sender<u64>,
    ) -> anyhow::Result<Self> {
        let (publish, wanted) = mpsc::channel(usize::from(FLYING_MAX));
        let line = Line {
            options: options(broker)?,
            status: status(broker),
            wanted,
            back: back.clone(),
            stop: room.stop.clone(),
        };
        room.tasks.spawn(line.run());
        Ok(Self {
            prefix: broker.prefix.to_string(),
            console: room.console.clone(),
            publish,
        })
    }

    async fn publish(
        &self,
        topic: String,
        retain: bool,
        payload: Vec<u8>,
    ) -> Result<(), SendError> {
        if payload.len() > PACKET_BYTES_MAX / 2 {
            return Err(SendError::refused("the message is too large for a packet"));
        }
        let (done, answer) = oneshot::channel();
        let publication = Publication {
            topic,
            retain,
            payload,
            done,
        };
        let away = || SendError::trouble("the connection to the broker is gone");
        let wait = async {
            self.publish.send(publication).await.map_err(|_| away())?;
            answer.await.unwrap_or_else(|_| Err(away()))
        };
        match tokio::time::timeout(ACK_PATIENCE, wait).await {
            Ok(result) => result,
            Err(_) => {
                let patience = ACK_PATIENCE.as_secs();
                Err(SendError::trouble(format!(
                    "no acknowledgement within {patience} s"
                )))
            }
        }
    }

    async fn deliver(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let payload = payload::message(parcel).to_string().into_bytes();
        self.publish(format!("{}/messages", self.prefix), false, payload)
            .await?;
        Ok(Delivered {
            said: "PUBACK".into(),
        })
    }

    async fn show_all(&self, alarms: &[Shown]) -> Result<(), SendError> {
        for shown in alarms {
            let row = &shown.row;
            let topic = format!("{}/alarms/{}", self.prefix, row.id);
            let state = if row.closed.is_some() {
                // An empty retained message takes the one before it away (MQTT 3.1.1, 3.3.1.3).
                Vec::new()
            } else {
                let mut state = payload::alarm(row, shown.offset, self.console.as_deref());
                for words in &shown.words {
                    state["texts"][words.lang.code()] =
                        serde_json::json!({ "title": words.title, "text": words.text });
                }
                state.to_string().into_bytes()
            };
            self.publish(topic, true, state).await?;
        }
        Ok(())
    }
}

fn status(broker: &Broker) -> String {
    format!("{}/status", broker.prefix)
}

fn options(broker: &Broker) -> anyhow::Result<MqttOptions> {
    let (host, port) = mail::split(&broker.server)?;
    let mut options = MqttOptions::new(broker.client_id.as_str(), host, port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(true)
        .set_inflight(FLYING_MAX)
        .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
        .set_last_will(LastWill::new(
            status(broker),
            "offline",
            QoS::AtLeastOnce,
            true,
        ));
    if let Some(login) = &broker.login {
        options.set_credentials(login.username.clone(), login.password.0.clone());
    }
    if broker.tls {
        let config = tls::client(broker.ca.as_deref(), broker.certificate.as_ref())
            .context("TLS of the broker")?;
        let config = TlsConfiguration::Rustls(Arc::new(config));
        options.set_transport(Transport::Tls(config));
    }
    Ok(options)
}

/// What one connection has sent and not seen acknowledged.
#[derive(Default)]
struct Flying {
    /// Handed to the client, in order; it numbers them when it writes them.
    unnumbered: VecDeque<oneshot::Sender<Result<(), SendError>>>,
    numbered: BTreeMap<u16, oneshot::Sender<Result<(), SendError>>>,
}

impl Flying {
    fn len(&self) -> usize {
        self.unnumbered.len() + self.numbered.len()
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Outgoing(Outgoing::Publish(number)) => {
                if let Some(done) = self.unnumbered.pop_front() {
                    self.numbered.insert(*number, done);
                }
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                if let Some(done) = self.numbered.remove(&ack.pkid) {
                    // Who waited may have given up; then it is sent again.
                    let _ = done.send(Ok(()));
                }
            }
            _ => {}
        }
    }

    fn give_up(self, why: &str) {
        for done in self
            .unnumbered
            .into_iter()
            .chain(self.numbered.into_values())
        {
            let _ = done.send(Err(SendError::trouble(why)));
        }
    }
}

impl Line {
    async fn run(mut self) {
        let mut pause = PAUSE_FIRST;
        while !self.stop.is_cancelled() {
            let why = match self.connect().await {
                Ok((client, events)) => {
                    pause = PAUSE_FIRST;
                    self.back.send_modify(|connections| *connections += 1);
                    self.serve(client, events).await
                }
                Err(error) => chain(&error),
            };
            if !self.stop.is_cancelled() {
                tracing::debug!(%why, "the connection to the broker ended");
                self.refuse_for(pause, &why).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// A connection that the broker has accepted.
    async fn connect(&self) -> Result<(AsyncClient, EventLoop), ConnectionError> {
        let (client, mut events) = AsyncClient::new(self.options.clone(), usize::from(FLYING_MAX));
        loop {
            if let Event::Incoming(Packet::ConnAck(_)) = events.poll().await? {
                return Ok((client, events));
            }
        }
    }

    /// Publishes what is wanted until the connection ends; gives why it ended.
    async fn serve(&mut self, client: AsyncClient, events: EventLoop) -> String {
        let mut flying = Flying::default();
        let (seen, mut events) = follow(events);
        let online = client.try_publish(self.status.clone(), QoS::AtLeastOnce, true, "online");
        if online.is_ok() {
            // Nobody waits for it, but it is numbered like the others.
            flying.unnumbered.push_back(oneshot::channel().0);
        }
        let why = loop {
            let room = flying.len() < usize::from(FLYING_MAX);
            tokio::select! {
                () = self.stop.cancelled() => {
                    say_goodbye(&client, &mut events, &self.status).await;
                    break "the daemon stops".to_owned();
                }
                event = events.recv() => match event {
                    Some(Ok(event)) => flying.take(&event),
                    Some(Err(error)) => break chain(&error),
                    None => break "the connection ended".to_owned(),
                },
                wanted = self.wanted.recv(), if room => {
                    let Some(wanted) = wanted else { break "the channel is closed".to_owned() };
                    let Publication { topic, retain, payload, done } = wanted;
                    match client.try_publish(topic, QoS::AtLeastOnce, retain, payload) {
                        Ok(()) => flying.unnumbered.push_back(done),
                        Err(error) => {
                            let _ = done.send(Err(SendError::trouble(error.to_string())));
                        }
                    }
                }
            }
        };
        seen.abort();
        flying.give_up(&why);
        why
    }

    /// Waits before the next connection; what is wanted meanwhile is told at once that there is
    /// none.
    async fn refuse_for(&mut self, pause: Duration, why: &str) {
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = &mut over => return,
                wanted = self.wanted.recv() => match wanted {
                    Some(wanted) => {
                        let _ = wanted.done.send(Err(SendError::trouble(why)));
                    }
                    None => return,
                },
            }
        }
    }
}

type Seen = Result<Event, ConnectionError>;

/// Runs the event loop in a task of its own: a step of it must not be cut short in the middle of
/// writing.
fn follow(mut events: EventLoop) -> (JoinHandle<()>, mpsc::Receiver<Seen>) {
    let (out, seen) = mpsc::channel(usize::from(FLYING_MAX));
    let task = tokio::spawn(async move {
        loop {
            let event = events.poll().await;
            let over = event.is_err();
            if out.send(event).await.is_err() || over {
                return;
            }
        }
    });
    (task, seen)
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

impl Channel for Mqtt {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.deliver(parcel))
    }

    fn board(&self) -> Option<&dyn StateBoard> {
        Some(self)
    }

    fn at_once(&self) -> usize {
        usize::from(FLYING_MAX / 2)
    }
}

impl StateBoard for Mqtt {
    fn show<'a>(&'a self, alarms: &'a [Shown]) -> Sending<'a, ()> {
        Box::pin(self.show_all(alarms))
    }

    fn again_every(&self) -> Option<Duration> {
        None
    }

    fn batch(&self) -> usize {
        // One after the other, each acknowledged: a small batch keeps what is told twice small.
        8
    }
}
