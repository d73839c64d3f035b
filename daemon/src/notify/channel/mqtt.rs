//! An MQTT 3.1.1 broker.
//!
//! | topic | retained | what |
//! | --- | --- | --- |
//! | `<prefix>/status` | yes | `online`, or `offline` by the broker's own hand when we are gone |
//! | `<prefix>/alarms/<id>` | yes | the alarm as it stands; emptied when it is closed |
//! | `<prefix>/messages` | no | every message |
//!
//! The connection is a [`Line`]: what it has not seen acknowledged when it ends is reported as not
//! taken, and the outbox sends it again.

use super::super::parcel::{Parcel, Shown};
use super::{Channel, Delivered, Room, SendError, Sending, StateBoard, payload};
use crate::links::mqtt::{FLYING_MAX, Line, PAYLOAD_BYTES_MAX, Publication};
use cems_config::Broker;
use std::time::Duration;
use tokio::sync::watch;

/// The channel.
pub(super) struct Mqtt {
    prefix: String,
    console: Option<String>,
    line: Line,
}

impl Mqtt {
    pub(super) fn open(
        broker: &Broker,
        room: &Room,
        back: &watch::Sender<u64>,
    ) -> anyhow::Result<Self> {
        let status = format!("{}/status", broker.prefix);
        let line = Line::open(broker, status, &room.tasks, room.stop.clone())?;
        room.tasks
            .spawn(tell(line.state(), back.clone(), room.stop.clone()));
        Ok(Self {
            prefix: broker.prefix.to_string(),
            console: room.console.clone(),
            line,
        })
    }

    async fn publish(
        &self,
        topic: String,
        retain: bool,
        payload: Vec<u8>,
    ) -> Result<(), SendError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(SendError::refused("the message is too large for a packet"));
        }
        let item = Publication {
            topic,
            retain,
            payload,
        };
        let sent = self.line.publish(vec![item]).await;
        // Whatever a broker has against us, another day it may take the message.
        sent.map_err(|torn| SendError::trouble(torn.error.said))
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

/// Counts the connections for the follower of alarms, who shows everything again on each.
async fn tell(
    mut state: watch::Receiver<crate::links::mqtt::LineState>,
    back: watch::Sender<u64>,
    stop: tokio_util::sync::CancellationToken,
) {
    let mut known = 0;
    loop {
        let connections = state.borrow_and_update().connections;
        if connections > known {
            known = connections;
            back.send_modify(|count| *count += 1);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = state.changed() => if changed.is_err() { return },
        }
    }
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
