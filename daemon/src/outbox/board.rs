//! How the destinations are doing, for pages, metrics and health; and what people ask for.

use super::books::{Books, DeadLetter, Replay, Standing, Stream};
use super::news::News;
use super::supply::Supply;
use crate::clock::Clock;
use crate::store::StoreError;
use cems_config::{Destination as Settings, DestinationKind};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{Seq, Timestamp};
use metrics::gauge;
use smol_str::SmolStr;
use std::sync::Arc;

/// A destination in trouble for so long is an alarm: a restart of the other side or of a line in
/// between is none.
pub const TROUBLE_MS: i64 = 5 * MINUTE_MS;

/// How a destination is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub id: SmolStr,
    /// Its kind.
    pub kind: DestinationKind,
    /// Counts and trouble.
    pub standing: Standing,
    /// The line of the log of data up to which it is served, or of events where it gets only those.
    pub position: Option<(Seq, Timestamp)>,
    /// Lines of the logs behind that.
    pub lag_rows: u64,
    /// When the oldest of them was written.
    pub lag_since: Option<Timestamp>,
    /// Its replays, newest first.
    pub replays: Vec<Replay>,
}

/// The destinations as they are now. Methods ask databases: call them on a thread that may wait.
pub struct OutboxBoard {
    destinations: Vec<Arc<Settings>>,
    books: Arc<Books>,
    supply: Arc<Supply>,
    news: Arc<News>,
    clock: Clock,
}

impl OutboxBoard {
    pub(super) fn new(
        destinations: Vec<Arc<Settings>>,
        books: Arc<Books>,
        supply: Arc<Supply>,
        news: Arc<News>,
        clock: Clock,
    ) -> Self {
        Self {
            destinations,
            books,
            supply,
            news,
            clock,
        }
    }

    /// Whether the settings have such a destination.
    pub fn knows(&self, destination: &str) -> bool {
        self.destinations.iter().any(|to| to.id == destination)
    }

    /// Every destination, in the order of the settings.
    ///
    /// # Errors
    /// Disk or damage of the books.
    pub fn status(&self) -> Result<Vec<Status>, StoreError> {
        let each = self.destinations.iter();
        let all: Vec<Status> = each.map(|to| self.of(to)).collect::<Result<_, _>>()?;
        let now = self.clock.now();
        let count = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        for status in &all {
            let name = status.id.to_string();
            let seconds = status
                .lag_since
                .map_or(0, |since| now.since_ms(since).max(0) / 1_000);
            gauge!("cems_outbox_lag_rows", "destination" => name.clone())
                .set(count(status.lag_rows));
            gauge!("cems_outbox_lag_seconds", "destination" => name.clone())
                .set(count(seconds.unsigned_abs()));
            gauge!("cems_outbox_dead_letters", "destination" => name)
                .set(count(status.standing.dead));
        }
        Ok(all)
    }

    fn of(&self, to: &Settings) -> Result<Status, StoreError> {
        let (mut position, mut lag_rows, mut lag_since) = (None, 0, None::<Timestamp>);
        for stream in Stream::ALL {
            let wanted = match stream {
                Stream::Series => !to.series.is_empty(),
                Stream::Events => to.events,
            };
            let at = self.books.position(&to.id, stream)?.filter(|_| wanted);
            let Some(at) = at else {
                continue;
            };
            position = position.or(Some((at.seq, at.at)));
            let (rows, since) = self.supply.lag(stream, &at)?;
            lag_rows += rows;
            lag_since = match (lag_since, since) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        Ok(Status {
            id: to.id.clone(),
            kind: to.means.kind(),
            standing: self.books.standing(&to.id)?,
            position,
            lag_rows,
            lag_since,
            replays: self.books.replays(&to.id)?,
        })
    }

    /// Dead letters of a destination, newest first.
    ///
    /// # Errors
    /// Disk or damage of `outbox.db`.
    pub fn dead(&self, destination: &str) -> Result<Vec<DeadLetter>, StoreError> {
        self.books.dead(destination)
    }

    /// One dead letter.
    ///
    /// # Errors
    /// Disk or damage of `outbox.db`.
    pub fn dead_letter(&self, id: i64) -> Result<Option<DeadLetter>, StoreError> {
        self.books.dead_letter(id)
    }

    /// Sends a dead letter again.
    ///
    /// # Errors
    /// Disk.
    pub fn send_again(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        self.books.send_again(letter.id)?;
        self.news.wake(&letter.destination);
        Ok(())
    }

    /// Books a replay of what began in `from <= t < until`.
    ///
    /// # Errors
    /// Disk.
    pub fn replay(
        &self,
        destination: &str,
        (from, until): (Timestamp, Timestamp),
        by: &str,
    ) -> Result<i64, StoreError> {
        let now = self.clock.now();
        let id = self
            .books
            .book_replay(destination, (from, until), by, now)?;
        self.news.wake(destination);
        Ok(id)
    }

    /// Destinations in trouble for longer than [`TROUBLE_MS`], one line each (English).
    pub fn problems(&self) -> Vec<String> {
        let Ok(all) = self.status() else {
            return vec!["outbox.db cannot be read".to_owned()];
        };
        let now = self.clock.now();
        let of = all.iter().filter_map(|status| {
            let trouble = status.standing.trouble.as_ref()?;
            let long = now.since_ms(trouble.since) > TROUBLE_MS;
            long.then(|| format!("destination {}: {}", status.id, status.words(trouble)))
        });
        of.collect()
    }
}

impl Status {
    /// What is wrong, in one English line.
    pub fn words(&self, trouble: &super::books::Trouble) -> String {
        let cause = trouble.cause.words(cems_core::lang::Lang::En);
        let (rows, said) = (self.lag_rows, &trouble.said);
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(" ({said})")
        };
        format!("{cause}{said}; {rows} rows wait")
    }
}
