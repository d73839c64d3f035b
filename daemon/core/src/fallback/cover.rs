//! Whether the valid automatic values of a pollutant reach from one to the next.

use super::{Sighting, Terms};
use crate::model::{FactorCode, FallbackReason, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Flags and checks remembered per factor for the reasons; HJ 212 has eight letters and the
/// catalogue ten checks, further ones of a misbehaving logger are left out.
const SEEN_MAX: usize = 24;

/// Flags of a state in which the equipment does not measure (HJ 212-2017, table of data flags):
/// no communication, fault, out of operation, maintenance. Where a profile reads one as "the source
/// is stopped", its values cover the time and never come here.
const EQUIPMENT_FLAGS: [&str; 4] = ["B", "D", "F", "M"];

/// One pollutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cover {
    /// Valid (or excused) until.
    pub(super) until: Timestamp,
    /// Latest valid value.
    valid_at: Option<Timestamp>,
    /// First value of the unbroken run of valid ones.
    run: Option<Timestamp>,
    /// Latest value that did not count.
    broken_at: Option<Timestamp>,
    /// Flags and checks since the last valid value.
    seen: BTreeSet<SmolStr>,
    /// Among the reasons of the open fallback.
    pub(super) listed: bool,
}

impl Cover {
    pub(super) fn from(at: Timestamp) -> Self {
        Self {
            until: at,
            valid_at: None,
            run: None,
            broken_at: None,
            seen: BTreeSet::new(),
            listed: false,
        }
    }

    /// When the lack of valid values opens a fallback, unless it has.
    pub(super) fn starves_at(&self, terms: &Terms<'_>) -> Option<Timestamp> {
        (!self.listed).then(|| self.until.plus_ms(terms.opens_after_ms))
    }

    /// Becomes a reason.
    pub(super) fn list(&mut self, factor: &FactorCode) -> FallbackReason {
        self.listed = true;
        self.run = None;
        let (factor, since) = (factor.clone(), self.until);
        let seen: Vec<SmolStr> = self.seen.iter().cloned().collect();
        let of_equipment = |code: &SmolStr| EQUIPMENT_FLAGS.contains(&code.as_str());
        if seen.iter().any(of_equipment) {
            FallbackReason::EquipmentState {
                factor,
                since,
                seen,
            }
        } else {
            FallbackReason::NoValidData {
                factor,
                since,
                seen,
            }
        }
    }

    /// A value measured at `t` came.
    pub(super) fn sees(&mut self, sighting: Sighting, t: Timestamp, terms: &Terms<'_>) {
        let covers = !matches!(sighting, Sighting::Invalid(_));
        if covers && t >= self.until.plus_ms(terms.opens_after_ms) {
            self.run = None;
        }
        match sighting {
            Sighting::Stopped => self.until = self.until.max(t),
            Sighting::Invalid(codes) => {
                for code in codes {
                    if self.seen.len() < SEEN_MAX {
                        self.seen.insert(code);
                    }
                }
                if self.run.is_some_and(|run| t >= run) {
                    self.run = None;
                }
                self.broken_at = self.broken_at.max(Some(t));
            }
            Sighting::Valid => {
                if self.broken_at.is_none_or(|broken| t > broken) {
                    self.run.get_or_insert(t);
                }
                if t >= self.until {
                    self.seen.clear();
                }
                self.until = self.until.max(t);
                self.valid_at = self.valid_at.max(Some(t));
            }
        }
    }

    /// Valid values have run for as long as it takes. A factor that has fallen silent meanwhile has
    /// no run, however long it was before.
    pub(super) fn runs(&self, at: Timestamp, terms: &Terms<'_>) -> bool {
        at.since_ms(self.until) < terms.opens_after_ms
            && self
                .run
                .zip(self.valid_at)
                .is_some_and(|(run, last)| last.since_ms(run) >= terms.closes_after_ms)
    }
}
