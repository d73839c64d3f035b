//! Looking back upon amounts that were measured.

use crate::model::Timestamp;
use crate::model::profile::Take;
use crate::quantity::internal;
use rust_decimal::Decimal;
use std::ops::Range;

/// Units of a block. Maxima and sums of whole blocks are kept once somebody asked for them, so
/// that looking back costs the square root of the window, and a quarter without gaps nothing.
const BLOCK: usize = 64;

/// Valid hours (days) with their amounts, ascending.
pub(super) struct History {
    units: Vec<(Timestamp, Decimal)>,
    unit_ms: i64,
    greatest: Vec<Option<usize>>,
    sums: Vec<Option<Decimal>>,
}

/// What was taken.
pub(super) struct Taken {
    /// The amount, kg; `None` when it cannot be computed.
    pub(super) kg: Option<Decimal>,
    /// Where it stands, where it is one unit.
    pub(super) from: Option<Timestamp>,
    /// Units looked back upon.
    pub(super) looked_back: u32,
    /// The oldest and the newest of them.
    pub(super) window: (Timestamp, Timestamp),
}

impl History {
    /// Of units of `unit_ms`, ascending by start.
    pub(super) fn new(units: Vec<(Timestamp, Decimal)>, unit_ms: i64) -> Self {
        let blocks = units.len() / BLOCK;
        Self {
            units,
            unit_ms,
            greatest: vec![None; blocks],
            sums: vec![None; blocks],
        }
    }

    /// Takes of the last `most` units that were over at `until`; `None` when there is none.
    pub(super) fn take(&mut self, until: Timestamp, most: u32, take: Take) -> Option<Taken> {
        let end = self
            .units
            .partition_point(|(start, _)| start.plus_ms(self.unit_ms) <= until);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let range = end.saturating_sub(most)..end;
        let oldest = self.units.get(range.start).filter(|_| !range.is_empty())?.0;
        let newest = self.units.get(range.end - 1)?.0;
        let looked_back = u32::try_from(range.len()).unwrap_or(u32::MAX);
        let (kg, from) = match take {
            Take::Maximum => {
                let place = self.maximum(range);
                let (at, kg) = self.units[place];
                (Some(internal(kg)), Some(at))
            }
            Take::Mean => {
                let sum = self.sum(range);
                let mean = sum.and_then(|sum| sum.checked_div(Decimal::from(looked_back)));
                (mean.map(internal), None)
            }
        };
        Some(Taken {
            kg,
            from,
            looked_back,
            window: (oldest, newest),
        })
    }

    /// Where the greatest of a range stands that is not empty; the newest of equals.
    fn maximum(&mut self, range: Range<usize>) -> usize {
        let mut best = range.start;
        for part in parts(range) {
            let place = match part {
                Part::One(place) => place,
                Part::Block(block) => match self.greatest[block] {
                    Some(known) => known,
                    None => {
                        let found = greatest_of(&self.units, block);
                        self.greatest[block] = Some(found);
                        found
                    }
                },
            };
            if self.units[place].1 >= self.units[best].1 {
                best = place;
            }
        }
        best
    }

    /// Sum of a range; `None` on overflow.
    fn sum(&mut self, range: Range<usize>) -> Option<Decimal> {
        let mut total = Decimal::ZERO;
        for part in parts(range) {
            let kg = match part {
                Part::One(place) => self.units[place].1,
                Part::Block(block) => match self.sums[block] {
                    Some(known) => known,
                    None => {
                        let of = &self.units[block * BLOCK..(block + 1) * BLOCK];
                        let found = crate::formula::sum(of.iter().map(|(_, kg)| *kg))?;
                        self.sums[block] = Some(found);
                        found
                    }
                },
            };
            total = total.checked_add(kg)?;
        }
        Some(total)
    }
}

/// A unit, or a block of them.
enum Part {
    One(usize),
    Block(usize),
}

/// A range as whole blocks and what is left at its ends.
fn parts(range: Range<usize>) -> impl Iterator<Item = Part> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        if at >= range.end {
            return None;
        }
        if at.is_multiple_of(BLOCK) && range.end - at >= BLOCK {
            at += BLOCK;
            return Some(Part::Block(at / BLOCK - 1));
        }
        at += 1;
        Some(Part::One(at - 1))
    })
}

fn greatest_of(units: &[(Timestamp, Decimal)], block: usize) -> usize {
    let first = block * BLOCK;
    (first..first + BLOCK).fold(first, |best, place| {
        if units[place].1 >= units[best].1 {
            place
        } else {
            best
        }
    })
}
