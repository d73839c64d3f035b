//! What was not normal in an interval, and for how long.

use super::{FAULT, OUT_OF_RANGE, PRECEDENCE, SILENT};
use crate::model::{Profile, StoredValue};
use crate::validate;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Flags other than the normal ones that a factor may show within one interval. The standard has
/// seven letters; further ones of an instrument that invents some count as `D`.
const FLAGS_MAX: usize = 16;

/// Time under each abnormal flag: milliseconds of samples, minutes of records, hours of a day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Marks(BTreeMap<SmolStr, i64>);

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// No value was abnormal, though some may be missing.
    pub(super) fn only_silent(&self) -> bool {
        self.0.keys().all(|flag| flag == SILENT)
    }

    /// Time without an answer.
    pub(super) fn silent(&self) -> i64 {
        self.0.get(SILENT).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, flag: &str, time: i64) {
        if let Some(sum) = self.0.get_mut(flag) {
            *sum = sum.saturating_add(time);
            return;
        }
        let flag = if self.0.len() < FLAGS_MAX {
            flag
        } else {
            FAULT
        };
        let sum = self.0.entry(flag.into()).or_default();
        *sum = sum.saturating_add(time);
    }

    pub(super) fn total(&self) -> i64 {
        self.0
            .values()
            .fold(0, |sum, time| sum.saturating_add(*time))
    }

    /// The flag that lasted longest; `B` when there is none.
    pub(super) fn prevailing(&self) -> SmolStr {
        let longest = self.0.iter().max_by(|(a, a_time), (b, b_time)| {
            let first = rank(b).cmp(&rank(a)).then_with(|| b.cmp(a));
            a_time.cmp(b_time).then(first)
        });
        longest.map_or(SmolStr::new_static(SILENT), |(flag, _)| flag.clone())
    }
}

fn rank(flag: &str) -> usize {
    let known = PRECEDENCE.iter().position(|known| *known == flag);
    known.unwrap_or(PRECEDENCE.len())
}

/// The flag under which a stored value that does not count is summed up.
pub(super) fn flag_of(stored: &StoredValue, profile: &Profile) -> SmolStr {
    if let Some(flag) = &stored.value.flag
        && !flag.0.is_empty()
        && !profile.valid_flags.contains(&flag.0)
    {
        return flag.0.clone();
    }
    let range = [validate::ABOVE_RANGE, validate::BELOW_RANGE];
    let failed = |check: &validate::Check| stored.checks.iter().any(|c| c.0 == check.code);
    SmolStr::new_static(if range.iter().any(failed) {
        OUT_OF_RANGE
    } else {
        FAULT
    })
}
