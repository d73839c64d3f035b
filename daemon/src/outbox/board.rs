//! How the destinations are doing, for pages, metrics and health; and what people ask for.

use super::books::{Books, DeadLetter, Replay, Standing, Stream};
use super::news::News;
use super::supply::Supply;
use crate::clock::Clock;
use crate::delivery::{Board, Way, WayKind};
use crate::store::StoreError;
use cems_config::{Destination as Settings, DestinationKind};
use cems_core::lang::Lang;
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{Seq, Timestamp};
use smol_str::SmolStr;
use std::sync::Arc;

/// A destination in trouble for so long is an alarm: a restart of the other side or of a line in
/// between is none.
const TROUBLE_MS: i64 = 5 * MINUTE_MS;

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
        each.map(|to| self.of(to)).collect()
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
}

impl Board for OutboxBoard {
    fn book(&self) -> &'static str {
        "outbox.db"
    }

    fn ways(&self) -> Result<Vec<Way>, StoreError> {
        let now = self.clock.now();
        Ok(self.status()?.into_iter().map(|row| row.way(now)).collect())
    }
}

impl Status {
    fn way(self, now: Timestamp) -> Way {
        let standing = self.standing;
        let trouble = standing.trouble.map(|trouble| {
            let cause = trouble.cause.words(Lang::En);
            let words = match trouble.said.as_str() {
                "" => cause.to_owned(),
                said => format!("{cause} ({said})"),
            };
            (trouble.since, words)
        });
        let long = |since: Timestamp| now.since_ms(since) > TROUBLE_MS;
        Way {
            kind: WayKind::Destination,
            id: self.id,
            waiting: self.lag_rows,
            waiting_since: self.lag_since,
            delivered: standing.delivered,
            last_sent: standing.last_sent,
            given_up: standing.given_up,
            dead: standing.dead,
            stuck: trouble.as_ref().is_some_and(|(since, _)| long(*since)),
            trouble,
        }
    }
}
