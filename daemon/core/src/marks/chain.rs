//! Chains of marks (标记合并).

use super::spans::{Spans, instant, span};
use crate::model::profile::MarkRules;
use crate::model::time::MINUTE_MS;
use crate::model::{MarkRow, Seq, Timestamp};

/// Marks that touch or overlap, also of different kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// First instant, a whole minute.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// The marks, ascending.
    pub marks: Vec<Seq>,
}

impl Chain {
    /// Its length, minutes; saturates.
    pub fn minutes(&self) -> u32 {
        let minutes = self.until.since_ms(self.from).div_euclid(MINUTE_MS);
        u32::try_from(minutes).unwrap_or(u32::MAX)
    }

    /// Long enough for its marks to have an effect: `chain_min` minutes or more.
    pub fn is_kept(&self, rules: &MarkRules) -> bool {
        self.minutes() >= rules.chain_min
    }
}

/// The chains of the marks that count, ascending; marks that do not count join nothing.
///
/// Factors are not told apart here. What a mark does to a factor is decided by the chains of the
/// marks that concern the factor: see [`Effects`](super::Effects).
pub fn chains(rows: &[MarkRow]) -> Vec<Chain> {
    let counting = || rows.iter().filter(|row| row.counts);
    let of = |row: &MarkRow| span(row.mark.from, row.mark.until);
    Spans::of(counting().map(of))
        .iter()
        .map(|(from, until)| {
            let within = |row: &&MarkRow| {
                let (first, last) = of(row);
                from <= first && first < last && last <= until
            };
            let mut marks: Vec<Seq> = counting().filter(within).map(|row| row.id).collect();
            marks.sort_unstable();
            Chain {
                from: instant(from),
                until: instant(until),
                marks,
            }
        })
        .collect()
}

/// The stretch that the counting marks among `rows` cover together with the period from `from`
/// until `until`: the period, grown by every chain that touches it.
///
/// Whoever asks for effects fetches the marks that touch a period (begin at or before its end, end
/// at or after its beginning), and again those that touch the stretch this gives, until it grows no
/// more. Then whole chains are at hand.
pub fn reach(rows: &[MarkRow], from: Timestamp, until: Timestamp) -> (Timestamp, Timestamp) {
    chains(rows)
        .iter()
        .filter(|chain| chain.from <= until && from <= chain.until)
        .fold((from, until), |(first, last), chain| {
            (first.min(chain.from), last.max(chain.until))
        })
}
