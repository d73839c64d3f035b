//! What happens to one message that is due, as a list of small stages (after Alertmanager's):
//! expired? → put into words, with an address → hand over → again later, or the end.
//!
//! That the same fact is told once is seen to when a message is taken ([`Outbox::take`]); pacing is
//! the channel's and stands in [`Pace`].
//!
//! [`Outbox::take`]: super::outbox::Outbox::take

use super::channel::SendError;
use super::outbox::Letter;
use crate::delivery::pause_ms;
use cems_core::model::Timestamp;
use cems_core::model::time::MINUTE_MS;
use std::collections::VecDeque;

/// What becomes of a message after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then.
    Again {
        /// When.
        at: Timestamp,
        /// What was wrong.
        why: String,
    },
    /// It is given up.
    Dead {
        /// What was wrong.
        why: String,
    },
}

/// A message whose deadline has passed helps nobody.
pub(super) fn expired(letter: &Letter, now: Timestamp) -> Option<Next> {
    if now < letter.message.deadline {
        return None;
    }
    let why = if letter.detail.is_empty() {
        "the deadline passed before it could be sent".to_owned()
    } else {
        format!("the deadline passed; last: {}", letter.detail)
    };
    Some(Next::Dead { why })
}

/// After a failure: again by the channel's own word, or the end. `attempts` counts this one,
/// `chance` is any number.
pub(super) fn after(
    error: &SendError,
    attempts: u32,
    letter: &Letter,
    now: Timestamp,
    chance: u32,
) -> Next {
    if !error.recoverable {
        return Next::Dead {
            why: error.text.clone(),
        };
    }
    let pause = pause_ms(attempts, error.after, chance);
    Next::Again {
        // At the deadline it is looked at once more, to be given up.
        at: now.plus_ms(pause).min(letter.message.deadline),
        why: error.text.clone(),
    }
}

/// How many messages went through a channel in the last minute.
#[derive(Debug, Default)]
pub struct Pace {
    went: VecDeque<Timestamp>,
}

impl Pace {
    /// Until when the next message waits, where a minute has `most`.
    pub fn full_until(&mut self, now: Timestamp, most: u32) -> Option<Timestamp> {
        let minute_ago = now.plus_ms(-MINUTE_MS);
        while self.went.front().is_some_and(|at| *at <= minute_ago) {
            self.went.pop_front();
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let full = self.went.len() >= most;
        full.then(|| self.went.front().map(|at| at.plus_ms(MINUTE_MS)))
            .flatten()
    }

    /// One goes.
    pub fn goes(&mut self, now: Timestamp) {
        self.went.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::outbox::LetterState;
    use cems_core::model::{MessageId, MessageReason, MessageRow, Priority, Recipient, Seq};

    const NOW: Timestamp = Timestamp(1_773_815_530_000);

    fn letter() -> Letter {
        Letter {
            message: MessageRow {
                id: MessageId(1),
                key: "key".into(),
                reason: MessageReason::AlarmRaised,
                channel: "mail".into(),
                to: Recipient::Channel,
                priority: Priority::Urgent,
                enterprise: None,
                about: Vec::new(),
                more: 0,
                at: NOW,
                deadline: NOW.plus_ms(60_000),
                seq: Seq(1),
            },
            state: LetterState::Waiting,
            attempts: 0,
            next_at: NOW,
            ended_at: None,
            detail: String::new(),
        }
    }

    #[test]
    fn a_refusal_ends_it_and_trouble_is_tried_until_the_deadline() {
        let letter = letter();
        let refused = after(&SendError::refused("550 no such user"), 1, &letter, NOW, 0);
        assert_eq!(
            refused,
            Next::Dead {
                why: "550 no such user".into()
            }
        );
        let Next::Again { at, .. } = after(&SendError::busy("451"), 1, &letter, NOW, 0) else {
            panic!("again");
        };
        assert_eq!(at, NOW.plus_ms(3_750));
        let Next::Again { at, .. } = after(&SendError::busy("451"), 9, &letter, NOW, 0) else {
            panic!("again");
        };
        assert_eq!(at, letter.message.deadline, "to be given up then");
    }

    #[test]
    fn a_deadline_that_passed_names_the_last_trouble() {
        let mut letter = letter();
        assert_eq!(expired(&letter, NOW), None);
        let later = NOW.plus_ms(60_000);
        assert!(matches!(expired(&letter, later), Some(Next::Dead { .. })));
        letter.detail = "451 busy".into();
        let Some(Next::Dead { why }) = expired(&letter, later) else {
            panic!("given up");
        };
        assert!(why.ends_with("451 busy"), "{why}");
    }

    #[test]
    fn a_minute_has_so_many_messages() {
        let mut pace = Pace::default();
        for n in 0..18 {
            assert_eq!(pace.full_until(NOW.plus_ms(n * 100), 18), None);
            pace.goes(NOW.plus_ms(n * 100));
        }
        let free = NOW.plus_ms(60_000);
        assert_eq!(pace.full_until(NOW.plus_ms(5_000), 18), Some(free));
        assert_eq!(pace.full_until(free, 18), None);
    }
}
