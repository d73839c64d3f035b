//! A database of series as a destination of the outbox.

use super::{Batch, InfluxSink, Lines, Owner, SeriesSink, deliver};
use crate::outbox::{Destination, Item, Parcel, SendError, Sending, Sent};
use cems_config::InfluxServer;
use std::collections::BTreeMap;

/// Lines of a usual record: parcels are asked for in such numbers that they fill some requests.
const LINES_OF_A_PARCEL: usize = 4;
/// Reasons told of one parcel; further ones are counted.
const REASONS_MAX: usize = 3;

/// A database of series.
pub struct Influx<S> {
    sink: S,
    lines: Lines,
    batch: Batch,
    batch_lines: usize,
}

impl Influx<InfluxSink> {
    /// A server of the settings; nothing is connected yet.
    ///
    /// # Errors
    /// When the address, the token or the certificate cannot be used.
    pub fn open(server: &InfluxServer) -> anyhow::Result<Self> {
        Ok(Self::new(InfluxSink::new(server)?, server))
    }
}

impl<S: SeriesSink> Influx<S> {
    /// The same over any way to the server.
    pub fn new(sink: S, server: &InfluxServer) -> Self {
        Self {
            sink,
            lines: Lines::new(server.corrections),
            batch: Batch::default(),
            batch_lines: usize::try_from(server.batch_lines).unwrap_or(usize::MAX),
        }
    }

    async fn all(&mut self, parcels: &[Parcel]) -> Result<Sent, SendError> {
        let mut refused = Refused::default();
        let mut values = 0;
        self.batch.clear();
        for (at, parcel) in parcels.iter().enumerate() {
            for why in self.write(at, parcel) {
                refused.note(at, why);
            }
            if self.batch.is_full(self.batch_lines) {
                values += self.hand_over(&mut refused).await?;
            }
        }
        values += self.hand_over(&mut refused).await?;
        let refused = refused.told();
        Ok(Sent { values, refused })
    }

    /// Writes the lines of a parcel; says which it has not.
    fn write(&mut self, at: usize, parcel: &Parcel) -> Vec<String> {
        let Some(place) = &parcel.place else {
            return vec!["its outlet is not in the registry: nobody knows its region".to_owned()];
        };
        let owner = Owner {
            enterprise: place.enterprise.clone(),
            region: place.region.clone(),
        };
        match &parcel.item {
            Item::Record(row) => self.lines.record(at, &owner, row, &mut self.batch),
            Item::Aggregate(row) => self.lines.aggregate(at, &owner, row, &mut self.batch),
            Item::Event(..) => vec!["a database of series takes no events".to_owned()],
        }
    }

    async fn hand_over(&mut self, refused: &mut Refused) -> Result<u64, SendError> {
        let done = deliver(&self.sink, &self.batch).await;
        self.batch.clear();
        let done = done?;
        for (at, why) in done.refused {
            refused.note(at, why);
        }
        Ok(u64::try_from(done.lines).unwrap_or(u64::MAX))
    }
}

impl<S: SeriesSink> Destination for Influx<S> {
    fn send<'a>(&'a mut self, parcels: &'a [Parcel]) -> Sending<'a> {
        Box::pin(self.all(parcels))
    }

    fn batch_max(&self) -> usize {
        (self.batch_lines / LINES_OF_A_PARCEL).max(1)
    }
}

/// Reasons by parcel.
#[derive(Default)]
struct Refused(BTreeMap<usize, (Vec<String>, usize)>);

impl Refused {
    fn note(&mut self, at: usize, why: String) {
        let (told, more) = self.0.entry(at).or_default();
        if told.len() < REASONS_MAX {
            told.push(why);
        } else {
            *more += 1;
        }
    }

    fn told(self) -> Vec<(usize, String)> {
        let words = |(told, more): (Vec<String>, usize)| match more {
            0 => told.join("; "),
            more => format!("{}; and {more} more", told.join("; ")),
        };
        let all = self.0.into_iter();
        all.map(|(at, reasons)| (at, words(reasons))).collect()
    }
}
