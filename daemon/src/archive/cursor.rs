//! Rows of a row group, one after the other.

use super::cells::{Group, Values, unscaled};
use rust_decimal::Decimal;

/// Stands on a row of a group; columns that were not read look like columns of nulls.
pub(super) struct Cursor<'g> {
    group: &'g Group,
    /// The columns that have values at all.
    columns: Vec<usize>,
    /// Rows behind it, the present one included.
    passed: usize,
    /// For each column the value of this row, if it has one.
    here: Vec<Option<usize>>,
    /// For each column how many values were passed.
    next: Vec<usize>,
}

impl<'g> Cursor<'g> {
    /// Before the first row.
    pub(super) fn of(group: &'g Group) -> Self {
        let chunks = group.chunks.iter().enumerate();
        let filled = chunks.filter(|(_, chunk)| !chunk.values.is_empty());
        Self {
            group,
            columns: filled.map(|(column, _)| column).collect(),
            passed: 0,
            here: vec![None; group.chunks.len()],
            next: vec![0; group.chunks.len()],
        }
    }

    /// Goes to the next row; false behind the last.
    pub(super) fn step(&mut self) -> bool {
        if self.passed == self.group.rows {
            return false;
        }
        for &column in &self.columns {
            let chunk = &self.group.chunks[column];
            // A column that is never null has no levels.
            let there = chunk
                .levels
                .get(self.passed)
                .is_none_or(|level| *level == 1);
            self.here[column] = there.then_some(self.next[column]);
            self.next[column] += usize::from(there);
        }
        self.passed += 1;
        true
    }

    /// The row has a value in a column.
    pub(super) fn has(&self, column: usize) -> bool {
        self.here[column].is_some()
    }

    pub(super) fn text(&self, column: usize) -> Option<&str> {
        match &self.group.chunks[column].values {
            Values::Text(all) => std::str::from_utf8(all.get(self.here[column]?)?.data()).ok(),
            _ => None,
        }
    }

    pub(super) fn decimal(&self, column: usize, places: u32, scale: u32) -> Option<Decimal> {
        match &self.group.chunks[column].values {
            Values::Decimal(all) => unscaled(all.get(self.here[column]?)?.data(), places, scale),
            _ => None,
        }
    }

    pub(super) fn long(&self, column: usize) -> Option<i64> {
        match &self.group.chunks[column].values {
            Values::Long(all) => all.get(self.here[column]?).copied(),
            _ => None,
        }
    }

    pub(super) fn small(&self, column: usize) -> Option<i32> {
        match &self.group.chunks[column].values {
            Values::Small(all) => all.get(self.here[column]?).copied(),
            _ => None,
        }
    }

    pub(super) fn truth(&self, column: usize) -> Option<bool> {
        match &self.group.chunks[column].values {
            Values::Truth(all) => all.get(self.here[column]?).copied(),
            _ => None,
        }
    }
}
