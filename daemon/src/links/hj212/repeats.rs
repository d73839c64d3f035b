//! Whether a logger reads its answers: one that repeats, byte for byte, what was answered does
//! not.

use crate::events::{NOTED_READS_ANSWERS, NOTED_REPEATED};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Answered frames remembered: a logger repeats its last one, or the packets of its last set.
const REMEMBERED: usize = 16;

/// Answered frames of one connection.
#[derive(Default)]
pub(super) struct Repeats {
    answered: VecDeque<u64>,
    /// Answered in the batch under way: what stands beside it was sent before the answer.
    fresh: Vec<u64>,
    reads: Option<bool>,
}

impl Repeats {
    /// A frame that is answered has come. Gives what is news about the logger.
    pub(super) fn see(&mut self, bytes: &[u8]) -> Option<&'static str> {
        let mark = mark(bytes);
        let known = !self.answered.is_empty();
        let repeated = self.answered.contains(&mark);
        self.fresh.push(mark);
        let reads = !repeated;
        if !known || self.reads == Some(reads) {
            return None;
        }
        self.reads = Some(reads);
        Some(if reads {
            NOTED_READS_ANSWERS
        } else {
            NOTED_REPEATED
        })
    }

    /// The answers to everything seen were written.
    pub(super) fn answered(&mut self) {
        self.answered.extend(self.fresh.drain(..));
        while self.answered.len() > REMEMBERED {
            self.answered.pop_front();
        }
    }
}

fn mark(bytes: &[u8]) -> u64 {
    // The same for equal bytes within one run, which is all that is asked of it.
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_comes_again_after_its_answer_was_not_read() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.see(b"one"), None);
        // In the same batch: it had no chance to read.
        assert_eq!(repeats.see(b"one"), None);
        repeats.answered();
        assert_eq!(repeats.see(b"one"), Some(NOTED_REPEATED));
        repeats.answered();
        assert_eq!(repeats.see(b"one"), None, "no news");
        repeats.answered();
        assert_eq!(repeats.see(b"two"), Some(NOTED_READS_ANSWERS));
    }
}
