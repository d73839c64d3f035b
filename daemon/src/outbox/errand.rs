//! What a lane sends next: lines of a log, dead letters that are asked for again, a step of a
//! replay; and what follows each.

use super::books::{Books, Done, Place as Line, Replay, Stream};
use super::parcel::{Key, Parcel};
use super::replaying;
use super::supply::{Batch, Supply};
use crate::store::{StoreError, blocking};
use cems_config::Destination as Settings;
use cems_core::model::time::DAY_MS;
use cems_core::model::{Seq, Timestamp};
use std::sync::Arc;

/// Where batches come from that follow one another.
#[derive(Debug, Clone)]
pub(super) enum Course {
    /// A log behind a line.
    Log(Stream, Line),
    /// A replay from where it is.
    Replay(Box<Replay>),
}

/// What is sent, for the books.
pub(super) enum What {
    /// Lines of a log.
    Log(Stream, Batch),
    /// Dead letters, by number.
    Again(Vec<i64>, Vec<Parcel>),
    /// A step of a replay.
    Replay(Box<Replay>, replaying::Step),
}

impl What {
    pub(super) fn parcels(&self) -> &[Parcel] {
        match self {
            Self::Log(_, batch) => &batch.parcels,
            Self::Again(_, parcels) => parcels,
            Self::Replay(_, step) => &step.parcels,
        }
    }

    /// What follows when this has been sent; `None` where nothing is known to follow.
    pub(super) fn next(&self) -> Option<Course> {
        match self {
            Self::Log(stream, batch) => batch.more.then_some(Course::Log(*stream, batch.until)),
            Self::Again(..) => None,
            Self::Replay(_, step) if step.cursor.over => None,
            Self::Replay(replay, step) => {
                let mut replay = replay.clone();
                replay.cursor.clone_from(&step.cursor);
                Some(Course::Replay(replay))
            }
        }
    }

    pub(super) fn done(&self, delivered: u64, refused: Vec<(Key, String)>) -> Done {
        let mut done = Done {
            delivered,
            refused,
            ..Done::default()
        };
        match self {
            Self::Log(stream, batch) => {
                done.given_up = batch.given_up;
                done.position = Some((*stream, batch.until));
            }
            Self::Again(ids, _) => done.revived.clone_from(ids),
            Self::Replay(replay, step) => done.replay = Some((replay.id, step.cursor.clone())),
        }
        done
    }
}

/// The questions of a lane, on a thread that may wait.
pub(super) struct Asker {
    pub(super) settings: Arc<Settings>,
    pub(super) books: Arc<Books>,
    pub(super) supply: Arc<Supply>,
    /// Things in one batch at most.
    pub(super) most: usize,
    pub(super) now: Timestamp,
}

impl Asker {
    /// Asks the databases on a thread that may wait.
    pub(super) async fn ask(
        self,
        ask: impl FnOnce(&Self) -> Result<Option<What>, StoreError> + Send + 'static,
    ) -> Result<Option<What>, StoreError> {
        blocking(move || ask(&self)).await
    }

    /// The batch that follows another.
    pub(super) async fn follow(self, course: Option<Course>) -> Result<Option<What>, StoreError> {
        match course {
            None => Ok(None),
            Some(Course::Log(stream, after)) => {
                self.ask(move |asker| asker.of_log_behind(stream, &after))
                    .await
            }
            Some(Course::Replay(replay)) => self.ask(move |asker| asker.step(replay)).await,
        }
    }

    fn oldest(&self) -> Timestamp {
        let days = i64::from(self.settings.give_up_after_days);
        self.now.plus_ms(-days.saturating_mul(DAY_MS))
    }

    pub(super) fn asked_again(&self) -> Result<Option<What>, StoreError> {
        let letters = self.books.asked_again(&self.settings.id, self.most)?;
        if letters.is_empty() {
            return Ok(None);
        }
        let mut parcels = Vec::new();
        for letter in &letters {
            // What is gone from the books cannot be sent; its letter ends with it.
            if let Some(key) = Key::parse(&letter.key) {
                parcels.extend(self.supply.parcel(&self.settings, &key)?);
            }
        }
        let ids = letters.iter().map(|letter| letter.id).collect();
        Ok(Some(What::Again(ids, parcels)))
    }

    pub(super) fn of_log(&self, stream: Stream) -> Result<Option<What>, StoreError> {
        let to = &self.settings;
        let wanted = match stream {
            Stream::Series => !to.series.is_empty(),
            Stream::Events => to.events,
        };
        if !wanted {
            return Ok(None);
        }
        let at = self.stands(stream)?;
        self.of_log_behind(stream, &at)
    }

    fn of_log_behind(&self, stream: Stream, at: &Line) -> Result<Option<What>, StoreError> {
        let limits = (self.most, self.oldest());
        let batch = self.supply.batch(&self.settings, stream, at, limits)?;
        Ok(batch.map(|batch| What::Log(stream, batch)))
    }

    /// Where the destination is in a log. A new one begins at the end; for one that the log no
    /// longer reaches back to, a replay of what is missing is booked.
    fn stands(&self, stream: Stream) -> Result<Line, StoreError> {
        let id = &self.settings.id;
        let bounds = self.supply.bounds(stream)?;
        let Some(at) = self.books.position(id, stream)? else {
            let end = bounds.map_or(
                Line {
                    seq: Seq(0),
                    n: 0,
                    at: self.now,
                },
                |bounds| Line {
                    seq: bounds.last.seq,
                    n: bounds.last.n,
                    at: bounds.last.at,
                },
            );
            self.books.begin(id, stream, end)?;
            return Ok(end);
        };
        let Some(bounds) = bounds else {
            return Ok(at);
        };
        let first = bounds.first;
        let forgets = bounds.last.at.plus_ms(-crate::store::OUTGOING_KEPT_MS);
        let gap =
            stream == Stream::Series && (at.seq, at.n) < (first.seq, first.n) && at.at < forgets;
        if !gap {
            return Ok(at);
        }
        // The replay is booked first: dying in between books it twice, which costs a repetition.
        let from = at.at.max(self.oldest());
        let until = first.at.plus_ms(1);
        if from < until {
            self.books
                .book_replay(id, (from, until), replaying::ENGINE, self.now)?;
            tracing::warn!(
                destination = %id, from = from.0, until = until.0,
                "the log does not reach back to where the destination stands; sending from the rows"
            );
        }
        let before = Line {
            seq: Seq(first.seq.0.saturating_sub(1)),
            n: u32::MAX,
            at: first.at,
        };
        self.books.begin(id, stream, before)?;
        Ok(before)
    }

    pub(super) fn replay(&self) -> Result<Option<What>, StoreError> {
        match self.books.open_replay(&self.settings.id)? {
            Some(replay) => self.step(Box::new(replay)),
            None => Ok(None),
        }
    }

    fn step(&self, replay: Box<Replay>) -> Result<Option<What>, StoreError> {
        let step = replaying::step(&self.supply, &self.settings, &replay, self.most)?;
        Ok(Some(What::Replay(replay, step)))
    }
}
