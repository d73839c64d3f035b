//! How each way out is doing: one form for centres, channels and destinations.

use crate::clock::Clock;
use crate::store::StoreError;
use cems_core::model::Timestamp;
use metrics::gauge;
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// What leaves by a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WayKind {
    /// Records to a centre.
    Uplink,
    /// Messages to people.
    Channel,
    /// Data and events to another program.
    Destination,
}

impl WayKind {
    /// Its name in metrics, alarms and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uplink => "uplink",
            Self::Channel => "channel",
            Self::Destination => "destination",
        }
    }

    /// What waits there, in English.
    const fn things(self) -> &'static str {
        match self {
            Self::Uplink => "records",
            Self::Channel => "messages",
            Self::Destination => "rows",
        }
    }
}

/// How one way out is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// What leaves by it.
    pub kind: WayKind,
    /// Its name in the settings.
    pub id: SmolStr,
    /// Things that wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Timestamp>,
    /// Things that the other side has taken.
    pub delivered: u64,
    /// The last time it did.
    pub last_sent: Option<Timestamp>,
    /// Things not sent because they were due too long ago.
    pub given_up: u64,
    /// Dead letters at hand: a person can look at them and send them again.
    pub dead: u64,
    /// Trouble that lasts: since when, and what is wrong in one English line, without addresses and
    /// secrets.
    pub trouble: Option<(Timestamp, String)>,
    /// It lasts for longer than this kind of way bears: a person must look.
    pub stuck: bool,
}

impl Way {
    /// What an alarm about it names.
    pub fn part(&self) -> SmolStr {
        format_smolstr!("{} {}", self.kind.as_str(), self.id)
    }

    /// What is wrong and what waits, in one English line.
    pub fn words(&self) -> String {
        let why = self.trouble.as_ref().map_or("", |(_, why)| why.as_str());
        let (waiting, things) = (self.waiting, self.kind.things());
        let colon = if why.is_empty() { "" } else { "; " };
        format!("{why}{colon}{waiting} {things} wait")
    }
}

/// Who knows how the ways of one kind are doing. Asked on a thread that may wait.
pub trait Board: Send + Sync {
    /// The file that it reads.
    fn book(&self) -> &'static str;

    /// Every way, in the order of the settings.
    ///
    /// # Errors
    /// Disk or damage of [`book`](Self::book).
    fn ways(&self) -> Result<Vec<Way>, StoreError>;
}

/// Every way out of the house. Clones ask the same boards.
#[derive(Clone)]
pub struct Delivery {
    boards: Vec<Arc<dyn Board>>,
    clock: Clock,
}

impl Delivery {
    /// The ways of these boards.
    pub fn new(boards: Vec<Arc<dyn Board>>, clock: Clock) -> Self {
        Self { boards, clock }
    }

    /// How every way is doing; those of a board that cannot be read are left out. Asks databases,
    /// and keeps the metrics.
    pub fn ways(&self) -> Vec<Way> {
        self.read().0
    }

    /// Ways that are stuck and books that cannot be read, one line each (English).
    pub fn problems(&self) -> Vec<String> {
        let (ways, mut problems) = self.read();
        problems.extend(stuck(&ways));
        problems
    }

    fn read(&self) -> (Vec<Way>, Vec<String>) {
        let (mut ways, mut unread) = (Vec::new(), Vec::new());
        for board in &self.boards {
            match board.ways() {
                Ok(some) => ways.extend(some),
                Err(error) => {
                    let book = board.book();
                    tracing::warn!(book, %error, "what leaves by it is unknown");
                    unread.push(format!("{book} cannot be read"));
                }
            }
        }
        let now = self.clock.now();
        ways.iter().for_each(|way| measure(way, now));
        (ways, unread)
    }
}

fn stuck(ways: &[Way]) -> impl Iterator<Item = String> {
    let stuck = ways.iter().filter(|way| way.stuck);
    stuck.map(|way| format!("{}: {}", way.part(), way.words()))
}

fn measure(way: &Way, now: Timestamp) {
    let count = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let lag_ms = way.waiting_since.map_or(0, |since| now.since_ms(since));
    let lag_s = (lag_ms.max(0) / 1_000).unsigned_abs();
    let (kind, to) = (way.kind.as_str(), way.id.to_string());
    gauge!("cems_outgoing_waiting", "way" => kind, "to" => to.clone()).set(count(way.waiting));
    gauge!("cems_outgoing_lag_seconds", "way" => kind, "to" => to.clone()).set(count(lag_s));
    gauge!("cems_outgoing_dead_letters", "way" => kind, "to" => to.clone()).set(count(way.dead));
    gauge!("cems_outgoing_stuck", "way" => kind, "to" => to).set(f64::from(u8::from(way.stuck)));
}

/// What [`Delivery::problems`] says of one board.
#[cfg(test)]
pub(crate) fn problems(board: &dyn Board) -> Vec<String> {
    let ways = board.ways().expect("a book that can be read");
    stuck(&ways).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Canned(Result<Vec<Way>, ()>);

    impl Board for Canned {
        fn book(&self) -> &'static str {
            "uplink.db"
        }

        fn ways(&self) -> Result<Vec<Way>, StoreError> {
            let read = self.0.clone();
            read.map_err(|()| StoreError::Damaged("torn".to_owned()))
        }
    }

    fn way(id: &str, why: &str, stuck: bool) -> Way {
        Way {
            kind: WayKind::Uplink,
            id: id.into(),
            waiting: 7,
            waiting_since: Some(Timestamp(0)),
            delivered: 0,
            last_sent: None,
            given_up: 0,
            dead: 0,
            trouble: (!why.is_empty()).then(|| (Timestamp(0), why.to_owned())),
            stuck,
        }
    }

    #[test]
    fn what_is_stuck_and_what_cannot_be_read_is_told_and_the_rest_all_the_same() {
        let works = Canned(Ok(vec![
            way("city", "", false),
            way("province", "nobody answers", true),
        ]));
        let boards: Vec<Arc<dyn Board>> = vec![Arc::new(Canned(Err(()))), Arc::new(works)];
        let delivery = Delivery::new(boards, Clock::Real);
        assert_eq!(delivery.ways().len(), 2);
        assert_eq!(
            delivery.problems(),
            [
                "uplink.db cannot be read",
                "uplink province: nobody answers; 7 records wait"
            ]
        );
    }
}
