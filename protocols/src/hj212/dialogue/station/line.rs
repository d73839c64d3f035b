//! Frames on their way: a queue, and a window of frames that wait to be acknowledged.

use std::collections::VecDeque;

use smol_str::SmolStr;

use super::{PENDING_MAX, Token, UploadError};

/// Whose frame it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// An upload of the caller.
    Upload(u64),
    /// Data of a request.
    Request(Token),
    /// The 9012 of a request.
    Result(Token),
    /// Sign of life.
    Heartbeat,
}

/// A frame to send.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) owner: Owner,
    pub(super) cn: SmolStr,
    pub(super) qn: SmolStr,
    pub(super) bytes: Vec<u8>,
    /// It waits for an acknowledgement.
    pub(super) wants: bool,
    /// The last frame of its set.
    pub(super) last: bool,
}

#[derive(Clone, Debug)]
struct InFlight {
    frame: Outgoing,
    sends: u32,
    deadline_ms: i64,
}

/// What became of a frame whose time ran out.
pub(super) enum Overdue {
    /// Send it again.
    Again {
        /// Whose it is.
        owner: Owner,
        /// Command code.
        cn: SmolStr,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Every retry is spent.
    Lost(Owner),
}

/// The queue and the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    queue: VecDeque<Outgoing>,
    in_flight: Vec<InFlight>,
}

impl Line {
    pub(super) fn is_ready(&self, window: usize) -> bool {
        self.queue.is_empty() && self.in_flight.len() < window.max(1)
    }

    /// Appends frames, all or none.
    pub(super) fn extend(&mut self, frames: Vec<Outgoing>) -> Result<(), UploadError> {
        // A single upload is never refused for its size alone.
        if !self.queue.is_empty() && self.queue.len() + frames.len() > PENDING_MAX {
            return Err(UploadError::Full);
        }
        self.queue.extend(frames);
        Ok(())
    }

    /// Appends the end of an exchange, which needs no room of its own.
    pub(super) fn append(&mut self, frame: Outgoing) {
        self.queue.push_back(frame);
    }

    /// Whether something of this owner waits or is under way.
    pub(super) fn holds(&self, owner: Owner) -> bool {
        self.queue.iter().any(|frame| frame.owner == owner)
            || self.in_flight.iter().any(|sent| sent.frame.owner == owner)
    }

    /// The next frame to send now. The packets of one set go one after another.
    pub(super) fn next(
        &mut self,
        now_ms: i64,
        over_time_ms: i64,
        window: usize,
    ) -> Option<Outgoing> {
        let frame = self.queue.front()?;
        let same = |sent: &InFlight| match (sent.frame.owner, frame.owner) {
            // The result comes after the data.
            (Owner::Request(sent), Owner::Result(next)) => sent == next,
            (sent, next) => sent == next,
        };
        let blocked = if frame.wants {
            self.in_flight.len() >= window.max(1) || self.in_flight.iter().any(same)
        } else {
            self.in_flight.iter().any(same)
        };
        if blocked {
            return None;
        }
        let frame = self.queue.pop_front()?;
        if frame.wants {
            self.in_flight.push(InFlight {
                frame: frame.clone(),
                sends: 1,
                deadline_ms: now_ms.saturating_add(over_time_ms),
            });
        }
        Some(frame)
    }

    /// Takes the frame an acknowledgement is for: by number; without a usable number by command
    /// code, else the oldest. A number of no frame under way is an old one.
    pub(super) fn confirm(&mut self, qn: Option<&str>, cn: Option<&str>) -> Option<Outgoing> {
        let at = match qn.filter(|qn| is_number(qn)) {
            Some(qn) => self.in_flight.iter().position(|sent| {
                sent.frame.qn == qn || (qn.len() == 14 && sent.frame.qn.starts_with(qn))
            }),
            None => self
                .in_flight
                .iter()
                .position(|sent| cn.is_none_or(|cn| sent.frame.cn == cn)),
        }?;
        Some(self.in_flight.remove(at).frame)
    }

    /// Frames whose time ran out. What belongs to a lost frame leaves the queue.
    pub(super) fn overdue(
        &mut self,
        now_ms: i64,
        over_time_ms: i64,
        re_count: u32,
    ) -> Vec<Overdue> {
        let mut overdue = Vec::new();
        let mut lost = Vec::new();
        self.in_flight.retain_mut(|sent| {
            if now_ms < sent.deadline_ms {
                return true;
            }
            if sent.sends > re_count {
                lost.push(sent.frame.owner);
                return false;
            }
            sent.sends += 1;
            sent.deadline_ms = now_ms.saturating_add(over_time_ms);
            overdue.push(Overdue::Again {
                owner: sent.frame.owner,
                cn: sent.frame.cn.clone(),
                bytes: sent.frame.bytes.clone(),
            });
            true
        });
        for owner in lost {
            self.drop_owner(owner);
            overdue.push(Overdue::Lost(owner));
        }
        overdue
    }

    /// Removes everything of an owner.
    pub(super) fn drop_owner(&mut self, owner: Owner) {
        self.queue.retain(|frame| frame.owner != owner);
        self.in_flight.retain(|sent| sent.frame.owner != owner);
    }

    pub(super) fn deadline_ms(&self) -> Option<i64> {
        self.in_flight.iter().map(|sent| sent.deadline_ms).min()
    }

    /// Forgets everything; gives the uploads that were not through, oldest first.
    pub(super) fn clear(&mut self) -> Vec<u64> {
        let sent = self.in_flight.drain(..).map(|sent| sent.frame.owner);
        let waiting = self.queue.drain(..).map(|frame| frame.owner);
        let mut keys = Vec::new();
        for owner in sent.chain(waiting) {
            if let Owner::Upload(key) = owner
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
        keys
    }
}

/// Whether a text can be a request number, with or without milliseconds.
fn is_number(qn: &str) -> bool {
    matches!(qn.len(), 14 | 17) && qn.bytes().all(|byte| byte.is_ascii_digit())
}
