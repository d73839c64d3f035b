//! The periods in which rows recur.

use crate::model::{Day, Recurrence};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DutyPeriod {
    /// How long.
    pub every: Recurrence,
    /// First day.
    pub start: Day,
}

impl DutyPeriod {
    /// The period that contains `day`.
    pub fn containing(every: Recurrence, day: Day) -> Self {
        let first = |month| Day::new(day.year(), month, 1);
        let start = match every {
            Recurrence::Day => Some(day),
            Recurrence::Week => Some(day.minus(day.weekday0())),
            Recurrence::Month => first(day.month()),
            Recurrence::Quarter => first((day.month() - 1) / 3 * 3 + 1),
            Recurrence::Year => first(1),
        };
        Self {
            every,
            start: start.expect("every month of every year has a first day"),
        }
    }

    /// First day after it.
    pub fn end(self) -> Day {
        let days = match self.every {
            Recurrence::Day => 1,
            Recurrence::Week => 7,
            Recurrence::Month => 31,
            Recurrence::Quarter => 92,
            Recurrence::Year => 366,
        };
        // A period as long as the longest of its kind ends within the first days of the next.
        Self::containing(self.every, self.start.plus(days)).start
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            start: self.end(),
            ..self
        }
    }

    /// The one before it.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::containing(self.every, self.start.minus(1))
    }

    /// Its name: `2026-10-09`, `2026-W41` (ISO 8601), `2026-10`, `2026-Q4`, `2026`.
    pub fn label(self) -> SmolStr {
        let (year, month) = (self.start.year(), self.start.month());
        match self.every {
            Recurrence::Day => format_smolstr!("{}", self.start),
            Recurrence::Week => {
                let (year, week) = self.start.iso_week();
                format_smolstr!("{year:04}-W{week:02}")
            }
            Recurrence::Month => format_smolstr!("{year:04}-{month:02}"),
            Recurrence::Quarter => format_smolstr!("{year:04}-Q{}", (month - 1) / 3 + 1),
            Recurrence::Year => format_smolstr!("{year:04}"),
        }
    }
}
