//! What one connection has taken over and not seen acknowledged.

use super::line::{Bundle, FLYING_MAX, Publication, Torn};
use super::trouble::LineError;
use rumqttc::{Event, Outgoing, Packet};
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What becomes of a bundle.
pub(super) type Answer = Result<(), Torn>;

/// A publication under way: the bundle it belongs to, its place there, when it left.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    bundle: u64,
    place: usize,
    since: Instant,
}

/// A bundle that is not acknowledged whole.
struct Waiting {
    acknowledged: Vec<bool>,
    done: oneshot::Sender<Answer>,
}

/// What one connection has taken over and not seen acknowledged.
#[derive(Default)]
pub(super) struct Flying {
    bundles: BTreeMap<u64, Waiting>,
    next_bundle: u64,
    /// Not handed to the client yet, in order.
    ready: VecDeque<(u64, usize, Publication)>,
    /// Handed to the client, in order; it numbers them when it writes them.
    unnumbered: VecDeque<Ticket>,
    numbered: BTreeMap<u16, Ticket>,
}

impl Flying {
    /// Another bundle may be taken over: everything before it is at least under way.
    pub(super) fn has_room(&self) -> bool {
        self.ready.is_empty() && self.flying() < usize::from(FLYING_MAX)
    }

    fn flying(&self) -> usize {
        self.unnumbered.len() + self.numbered.len()
    }

    pub(super) fn take(&mut self, bundle: Bundle) {
        let id = self.next_bundle;
        self.next_bundle += 1;
        self.bundles.insert(
            id,
            Waiting {
                acknowledged: vec![false; bundle.items.len()],
                done: bundle.done,
            },
        );
        let items = bundle.items.into_iter().enumerate();
        self.ready
            .extend(items.map(|(place, item)| (id, place, item)));
    }

    /// The next publication to hand to the client, if one more may fly.
    pub(super) fn next(&mut self) -> Option<Publication> {
        if self.flying() >= usize::from(FLYING_MAX) {
            return None;
        }
        let (bundle, place, item) = self.ready.pop_front()?;
        self.unnumbered.push_back(Ticket {
            bundle,
            place,
            since: Instant::now(),
        });
        Some(item)
    }

    /// When what has waited longest for its acknowledgement left.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let all = self.unnumbered.iter().chain(self.numbered.values());
        all.map(|ticket| ticket.since).min()
    }

    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Outgoing(Outgoing::Publish(number)) => {
                if let Some(ticket) = self.unnumbered.pop_front() {
                    self.numbered.insert(*number, ticket);
                }
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                if let Some(ticket) = self.numbered.remove(&ack.pkid) {
                    self.acknowledged(ticket);
                }
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, ticket: Ticket) {
        let Some(waiting) = self.bundles.get_mut(&ticket.bundle) else {
            return;
        };
        if let Some(place) = waiting.acknowledged.get_mut(ticket.place) {
            *place = true;
        }
        if waiting.acknowledged.iter().all(|known| *known)
            && let Some(whole) = self.bundles.remove(&ticket.bundle)
        {
            // Who waited may have given up; then it is sent again.
            let _ = whole.done.send(Ok(()));
        }
    }

    pub(super) fn give_up(self, error: &LineError) {
        for waiting in self.bundles.into_values() {
            let reached = waiting.acknowledged.iter().take_while(|known| **known);
            let torn = Torn {
                acknowledged: reached.count(),
                error: error.clone(),
            };
            let _ = waiting.done.send(Err(torn));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::PubAck;

    fn bundle(n: usize) -> (Bundle, oneshot::Receiver<Answer>) {
        let (done, answer) = oneshot::channel();
        let item = |n: usize| Publication {
            topic: format!("t/{n}"),
            retain: false,
            payload: Vec::new(),
        };
        let items = (0..n).map(item).collect();
        let bundle = Bundle {
            items,
            follows: false,
            done,
        };
        (bundle, answer)
    }

    fn wrote(flying: &mut Flying, number: u16) {
        flying.note(&Event::Outgoing(Outgoing::Publish(number)));
    }

    fn acknowledged(flying: &mut Flying, number: u16) {
        flying.note(&Event::Incoming(Packet::PubAck(PubAck::new(number))));
    }

    #[test]
    fn a_bundle_torn_in_the_middle_says_how_far_it_was_acknowledged() {
        let mut flying = Flying::default();
        let (whole, mut first) = bundle(1);
        let (torn, mut second) = bundle(4);
        flying.take(whole);
        flying.take(torn);
        let topics: Vec<String> = std::iter::from_fn(|| flying.next())
            .map(|item| item.topic)
            .collect();
        assert_eq!(topics, ["t/0", "t/0", "t/1", "t/2", "t/3"]);
        for number in 1..=4 {
            wrote(&mut flying, number);
        }
        // The acknowledgement of the third of the second bundle is missing.
        for number in [1, 2, 4] {
            acknowledged(&mut flying, number);
        }
        assert_eq!(first.try_recv().unwrap(), Ok(()));
        let error = LineError::away("cut");
        flying.give_up(&error);
        let acknowledged = 1;
        assert_eq!(
            second.try_recv().unwrap(),
            Err(Torn {
                acknowledged,
                error
            })
        );
    }

    #[test]
    fn no_more_fly_than_may() {
        let mut flying = Flying::default();
        let (large, _answer) = bundle(usize::from(FLYING_MAX) + 5);
        flying.take(large);
        let flown = std::iter::from_fn(|| flying.next()).count();
        assert_eq!(flown, usize::from(FLYING_MAX));
        assert!(!flying.has_room());
        for number in 1..=FLYING_MAX {
            wrote(&mut flying, number);
        }
        acknowledged(&mut flying, 2);
        assert_eq!(flying.next().unwrap().topic, format!("t/{FLYING_MAX}"));
        assert!(flying.next().is_none());
    }
}
