//! A broker as a destination: topics and messages of `docs/mqtt.md`.
//!
//! One line, so that what belongs to an outlet arrives in the order of the log. A batch that was
//! torn is handed over again by the outbox; what of it was acknowledged is not published again
//! unless it has changed meanwhile. States that the broker keeps for us are published again after
//! every new connection, because a broker may come back without its memory.

mod latest;
mod message;

use super::destination::{self, Cause, Room, SendError, Sending, Sent};
use super::parcel::{Item, Parcel};
use crate::links::mqtt::{
    self as links, Line, LineError, PAYLOAD_BYTES_MAX, Publication, UnderWay,
};
use cems_config::Broker;
use latest::Latest;
use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;

/// Parcels in one batch. The last acknowledgements of a batch come late from a broker that saves
/// packets (mosquitto, as it comes), 40 ms; so a batch is many of them.
const BATCH_MAX: usize = 1_024;
/// Messages handed to the line together,
const BUNDLE_ITEMS: usize = 128;
/// and how many such bundles at a time, so that the line never waits for us.
const BUNDLES_MAX: usize = 3;

/// The destination.
pub struct Mqtt {
    prefix: String,
    line: Line,
    latest: Latest,
    /// Connections of the line when the kept states were last published.
    shown_at: u64,
    /// Keys of messages of the torn batch that were acknowledged.
    taken: BTreeSet<String>,
}

/// What a batch becomes.
#[derive(Default)]
struct Batch {
    items: Vec<Publication>,
    /// Beside `items`: the key of each.
    keys: Vec<String>,
    values: u64,
    refused: Vec<(usize, String)>,
}

impl Mqtt {
    /// Sets the connection to work.
    ///
    /// # Errors
    /// When a certificate, a key or an address in the settings cannot be used.
    pub fn open(broker: &Broker, room: &Room) -> anyhow::Result<Self> {
        let status = format!("{}/status", broker.prefix);
        Ok(Self {
            prefix: broker.prefix.to_string(),
            line: Line::open(broker, status, &room.tasks, room.stop.clone())?,
            latest: Latest::default(),
            shown_at: 0,
            taken: BTreeSet::new(),
        })
    }

    async fn hand_over(&mut self, parcels: &[Parcel]) -> Result<Sent, SendError> {
        let connections = self.line.state().borrow().connections;
        let (mut keys, mut items) = (Vec::new(), Vec::new());
        if connections != self.shown_at {
            (keys, items) = self.latest.all().unzip();
        }
        let batch = self.batch(parcels);
        for (key, item) in batch.keys.into_iter().zip(batch.items) {
            if !self.taken.contains(&key) {
                keys.push(key);
                items.push(item);
            }
        }
        let (values, refused) = (batch.values, batch.refused);
        self.publish(keys, items).await?;
        self.taken.clear();
        self.shown_at = connections;
        Ok(Sent { values, refused })
    }

    /// Publishes in order, some bundles at a time, and remembers how far the broker acknowledged
    /// them: whoever hands the batch over again goes on there.
    async fn publish(
        &mut self,
        keys: Vec<String>,
        items: Vec<Publication>,
    ) -> Result<(), SendError> {
        let mut rest = keys.into_iter().zip(items).peekable();
        let mut under_way: VecDeque<(Vec<String>, UnderWay)> = VecDeque::new();
        let mut follows = false;
        loop {
            while under_way.len() < BUNDLES_MAX && rest.peek().is_some() {
                let (keys, items) = rest.by_ref().take(BUNDLE_ITEMS).unzip();
                let bundle = self.line.hand_over(items, follows).await;
                under_way.push_back((keys, bundle.map_err(|torn| of(&torn.error))?));
                follows = true;
            }
            let Some((keys, bundle)) = under_way.pop_front() else {
                return Ok(());
            };
            let answer = bundle.answer().await;
            let acknowledged = answer
                .as_ref()
                .map_or_else(|torn| torn.acknowledged, |()| keys.len());
            self.taken.extend(keys.into_iter().take(acknowledged));
            answer.map_err(|torn| of(&torn.error))?;
        }
    }

    fn batch(&mut self, parcels: &[Parcel]) -> Batch {
        let mut batch = Batch::default();
        for (n, parcel) in parcels.iter().enumerate() {
            let (key, item) = message::of(&self.prefix, parcel);
            if item.payload.len() > PAYLOAD_BYTES_MAX {
                batch
                    .refused
                    .push((n, format!("{} bytes are no message", item.payload.len())));
                continue;
            }
            batch.values += message::values(parcel);
            batch.keys.push(key);
            batch.items.push(item);
            if let (Item::Record(row), Some(place)) = (&parcel.item, &parcel.place) {
                for (key, item) in self.latest.take(&self.prefix, place, row) {
                    batch.keys.push(key);
                    batch.items.push(item);
                }
            }
        }
        batch
    }
}

impl destination::Destination for Mqtt {
    fn send<'a>(&'a mut self, parcels: &'a [Parcel]) -> Sending<'a> {
        Box::pin(self.hand_over(parcels))
    }

    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    fn close<'a>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        // The line says good-bye by itself when the daemon stops.
        Box::pin(std::future::ready(()))
    }
}

/// A trouble of the line as the outbox knows it. None is final: a broker that does not want us
/// today may be set up for us tomorrow.
fn of(error: &LineError) -> SendError {
    let cause = match error.cause {
        links::Cause::Unauthorised => Cause::Unauthorised,
        links::Cause::Unreachable => Cause::Unreachable,
        links::Cause::Certificate => Cause::Certificate,
        links::Cause::Slow => Cause::Slow,
        links::Cause::Refused => Cause::NoEndpoint,
    };
    SendError::new(cause, &error.said)
}

#[cfg(test)]
mod tests;
