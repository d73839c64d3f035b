//! What happens to one message that is due, as a list of small stages (after Alertmanager's):
//! expired? → put into words, with an address → hand over → again later, or the end.
//!
//! That the same fact is told once is seen to when a message is taken ([`Outbox::take`]); pacing is
//! the channel's and stands in [`Pace`].
//!
//! [`Outbox::take`]: super::outbox::Outbox::take

use super::channel::SendError;
use super::outbox::Letter;
use cems_core::model::Timestamp;
use cems_core::model::time::{MINUTE_MS, SECOND_MS};
use std::collections::VecDeque;
use std::time::Duration;

/// First pause after an attempt that failed; doubled with each.
const PAUSE_FIRST_MS: i64 = 5 * SECOND_MS;
/// Longest pause.
const PAUSE_MAX_MS: i64 = 10 * MINUTE_MS;
/// A pause is up to a quarter longer or shorter, so that many do not come back at once.
const JITTER_SHARE: i64 = 4;

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

/// Capped exponential back-off with jitter; never sooner than the other side asked for.
pub(crate) fn pause_ms(attempts: u32, asked: Option<Duration>, chance: u32) -> i64 {
    let doublings = attempts.saturating_sub(1).min(16);
    let pause = PAUSE_FIRST_MS
        .saturating_mul(1_i64 << doublings)
        .min(PAUSE_MAX_MS);
    let span = pause / JITTER_SHARE;
    let jitter = i64::from(chance).rem_euclid(2 * span + 1) - span;
    let asked = asked.map_or(0, |asked| i64::try_from(asked.as_millis()).unwrap_or(0));
    (pause + jitter).max(asked)
}

/// Any number. Without randomness the jitter is gone, nothing else.
pub(crate) fn chance() -> u32 {
    getrandom::u32().unwrap_or(0)
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
    fn pauses_double_up_to_their_bound_and_differ_by_a_quarter() {
        let middle = |attempts| {
            let span = pause_ms(attempts, None, 0);
            // With `chance` 0 a pause is as short as it gets: three quarters.
            span * 4 / 3
        };
        assert_eq!([1, 2, 3, 4].map(middle), [5_000, 10_000, 20_000, 40_000]);
        assert_eq!(middle(40), PAUSE_MAX_MS);
        for chance in [0, 1, 777_777, u32::MAX] {
            let pause = pause_ms(1, None, chance);
            assert!((3_750..=6_250).contains(&pause), "{pause}");
        }
        let asked = Some(Duration::from_secs(90));
        assert_eq!(pause_ms(1, asked, 5), 90_000);
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
