//! What a logger still has to send: new data first, then what an outage left, one message at a
//! time, each until it is answered. Pure: times come in, nothing is sent here.

use super::parcel::{Packet, Parcel};
use std::collections::VecDeque;

/// Rules of retries (CN 1000 of HJ 212-2017).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How long to wait for an answer, ms (OverTime).
    pub over_time_ms: i64,
    /// How often to send again before the connection counts as unusable (ReCount).
    pub re_count: u32,
}

/// What a timeout leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Nothing is overdue.
    Waiting,
    /// Send the same packet again.
    SendAgain,
    /// All retries are spent: the connection is unusable.
    GiveUp,
}

/// A message on its way, or waiting.
#[derive(Debug, Clone)]
pub struct Entry {
    parcel: Parcel,
    late: bool,
}

impl Entry {
    /// The packets to send.
    pub fn packets(&self) -> &[Packet] {
        if self.late {
            self.parcel.packets_resent()
        } else {
            self.parcel.packets()
        }
    }

    /// True when it is sent later than it should have been.
    pub fn is_late(&self) -> bool {
        self.late
    }
}

#[derive(Debug)]
struct Flight {
    entry: Entry,
    packet: usize,
    tries: u32,
    sent_ms: Option<i64>,
}

/// The queues of a logger.
#[derive(Debug)]
pub struct Outbox {
    retries: Retries,
    limit: usize,
    fresh: VecDeque<Entry>,
    late: VecDeque<Entry>,
    flight: Option<Flight>,
    dropped: u64,
}

impl Outbox {
    /// Empty queues that hold at most `limit` messages of an outage; the oldest are dropped, and
    /// counted, when more come.
    pub fn new(retries: Retries, limit: usize) -> Self {
        Self {
            retries,
            limit: limit.max(1),
            fresh: VecDeque::new(),
            late: VecDeque::new(),
            flight: None,
            dropped: 0,
        }
    }

    /// A new message. Without a connection it will be late.
    pub fn push(&mut self, parcel: Parcel, connected: bool) {
        self.fresh.push_back(Entry {
            parcel,
            late: false,
        });
        if !connected {
            self.all_late();
        }
        // A centre that answers too slowly makes new data late.
        while self.fresh.len() > self.limit {
            let moved = self.fresh.pop_front();
            self.late.extend(moved.map(|entry| Entry {
                late: true,
                ..entry
            }));
        }
        self.cut();
    }

    /// Messages waiting, the one on its way included.
    pub fn len(&self) -> usize {
        self.fresh.len() + self.late.len() + usize::from(self.flight.is_some())
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Messages lost so far because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The next message of those that want no answer: handed over for good. Not while another
    /// waits for its answer.
    pub fn take_unanswered(&mut self) -> Option<Entry> {
        if self.flight.is_some() {
            return None;
        }
        self.pop(false)
    }

    /// Takes back a message that could not be written.
    pub fn put_back(&mut self, entry: Entry) {
        self.late.push_front(Entry {
            late: true,
            ..entry
        });
        self.cut();
    }

    /// The packet to send now and wait for; `None` when one is waiting or nothing is there. Follow
    /// with [`Outbox::sent`].
    pub fn next_answered(&mut self) -> Option<(Packet, bool)> {
        if self.flight.is_none() {
            let entry = self.pop(true)?;
            self.flight = Some(Flight {
                entry,
                packet: 0,
                tries: 0,
                sent_ms: None,
            });
        }
        let flight = self
            .flight
            .as_ref()
            .filter(|flight| flight.sent_ms.is_none())?;
        let packet = flight.entry.packets().get(flight.packet)?;
        Some((packet.clone(), flight.entry.late))
    }

    /// The packet was written.
    pub fn sent(&mut self, now_ms: i64) {
        if let Some(flight) = &mut self.flight {
            flight.sent_ms = Some(now_ms);
            flight.tries += 1;
        }
    }

    /// An answer came; how long it took, ms, or `None` when nothing waited for it.
    pub fn answered(&mut self, qn: Option<&str>, now_ms: i64) -> Option<i64> {
        let flight = self.flight.as_mut()?;
        let sent_ms = flight.sent_ms?;
        let packets = flight.entry.packets();
        if packets.get(flight.packet)?.qn.as_deref() != qn {
            return None;
        }
        if flight.packet + 1 < packets.len() {
            flight.packet += 1;
            flight.tries = 0;
            flight.sent_ms = None;
        } else {
            self.flight = None;
        }
        Some(now_ms - sent_ms)
    }

    /// When patience ends, ms.
    pub fn deadline_ms(&self) -> Option<i64> {
        self.flight
            .as_ref()?
            .sent_ms
            .map(|sent| sent.saturating_add(self.retries.over_time_ms))
    }

    /// Looks at the clock.
    pub fn on_time(&mut self, now_ms: i64) -> Patience {
        let overdue = self
            .deadline_ms()
            .is_some_and(|deadline| now_ms >= deadline);
        match &mut self.flight {
            Some(flight) if overdue => {
                if flight.tries > self.retries.re_count {
                    return Patience::GiveUp;
                }
                flight.sent_ms = None;
                Patience::SendAgain
            }
            _ => Patience::Waiting,
        }
    }

    /// The connection is gone: everything will be late.
    pub fn disconnected(&mut self) {
        self.all_late();
        if let Some(flight) = self.flight.take() {
            self.late.push_front(Entry {
                late: true,
                ..flight.entry
            });
        }
        self.cut();
    }

    /// The first message of the queue that goes first, if it wants an answer or not, as asked.
    fn pop(&mut self, answer: bool) -> Option<Entry> {
        let queue = if self.fresh.is_empty() {
            &mut self.late
        } else {
            &mut self.fresh
        };
        queue
            .front()
            .filter(|entry| entry.parcel.answer == answer)?;
        queue.pop_front()
    }

    fn all_late(&mut self) {
        let moved = self.fresh.drain(..).map(|entry| Entry {
            late: true,
            ..entry
        });
        self.late.extend(moved);
    }

    fn cut(&mut self) {
        while self.late.len() > self.limit {
            self.late.pop_front();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests;
