//! Which registers are asked for together.

use super::Table;
use crate::instrument::{Map, Place};
use std::collections::BTreeSet;

/// Bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Registers in one request at most (1..=125).
    pub max_registers: u16,
    /// Bits in one request at most (1..=2000).
    pub max_bits: u16,
    /// Entries nobody needs that may be read over to join two blocks.
    pub max_gap: u16,
    /// Ask for every point by itself.
    pub one_request_per_point: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Most that fits a 253-byte PDU (Modbus application protocol 1.1b3, 6.1 to 6.4).
            max_registers: 125,
            max_bits: 2_000,
            // A dozen registers cost less time on a 9600 baud line than another request.
            max_gap: 12,
            one_request_per_point: false,
        }
    }
}

impl Limits {
    /// Entries of a table in one request.
    fn most(self, table: Table) -> u16 {
        match table.is_bits() {
            true => self.max_bits,
            false => self.max_registers,
        }
    }
}

/// One request and the points its answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The table.
    pub table: Table,
    /// First address on the wire.
    pub start: u16,
    /// Registers or bits.
    pub count: u16,
    /// Index of the poll group in [`Map::groups`].
    pub group: usize,
    /// Indices of the points in [`Map::points`], by address.
    pub points: Vec<usize>,
}

/// The requests that read every register point of a map: per group, in the order of tables and
/// addresses. Points that overlap share a block. A point longer than `max_registers` gets a block
/// of its own all the same.
///
/// Where two blocks of one table would have answers of equal length, one is widened into the gap
/// beside it, as far as `max_gap` allows: a late answer to one of them is then recognised by its
/// length when the other waits for its own. Never past the first and the last point of a table,
/// where the device may have no registers.
pub fn plan(map: &Map, limits: Limits) -> Vec<Block> {
    let mut places: Vec<(usize, Table, u16, u16, usize)> = Vec::new();
    for (index, point) in map.points.iter().enumerate() {
        if let Place::Register(register) = point.place {
            let len = register.kind.len();
            places.push((point.group, register.table, register.address, len, index));
        }
    }
    places.sort_unstable();
    let mut blocks: Vec<Block> = Vec::new();
    for (group, table, address, len, index) in places {
        let joined = !limits.one_request_per_point
            && blocks
                .last_mut()
                .is_some_and(|block| block.join(group, table, (address, len), index, limits));
        if !joined {
            blocks.push(Block {
                table,
                start: address,
                count: len,
                group,
                points: vec![index],
            });
        }
    }
    if !limits.one_request_per_point {
        for table in Table::NAMES.map(|(_, table)| table) {
            separate(&mut blocks, table, limits);
        }
    }
    blocks
}

/// Makes the lengths of the answers of one table differ.
fn separate(blocks: &mut [Block], table: Table, limits: Limits) {
    let spans: Vec<(u32, u32)> = blocks
        .iter()
        .filter(|block| block.table == table)
        .map(Block::span)
        .collect();
    let mut taken = BTreeSet::new();
    let mut alike = Vec::new();
    for (index, block) in blocks.iter().enumerate().filter(|(_, b)| b.table == table) {
        if !taken.insert(block.answer_bytes()) {
            alike.push(index);
        }
    }
    for index in alike {
        let Some(block) = blocks.get_mut(index) else {
            continue;
        };
        let wider = (1..=limits.max_gap)
            .flat_map(|extra| block.widened(extra, &spans, limits))
            .find(|wider| !taken.contains(&wider.answer_bytes()));
        if let Some(wider) = wider {
            taken.insert(wider.answer_bytes());
            *block = wider;
        }
    }
}

impl Block {
    /// First address and the one after the last.
    fn span(&self) -> (u32, u32) {
        let start = u32::from(self.start);
        (start, start + u32::from(self.count))
    }

    /// Bytes of data in its answer.
    pub fn answer_bytes(&self) -> u16 {
        match self.table.is_bits() {
            true => self.count.div_ceil(8),
            false => self.count.saturating_mul(2),
        }
    }

    /// The block with `extra` entries of the gap after it, and with those of the gap before it,
    /// where there is such a gap before the next of `spans`.
    fn widened(&self, extra: u16, spans: &[(u32, u32)], limits: Limits) -> Vec<Block> {
        let (start, end) = self.span();
        let Some(count) = self
            .count
            .checked_add(extra)
            .filter(|count| *count <= limits.most(self.table))
        else {
            return Vec::new();
        };
        let (first, last) = (start.saturating_sub(extra.into()), end + u32::from(extra));
        let gap_after = spans.iter().any(|(s, _)| *s >= last)
            && !spans.iter().any(|(s, e)| *s < last && *e > end);
        let gap_before = spans.iter().any(|(_, e)| *e <= first)
            && !spans.iter().any(|(s, e)| *e > first && *s < start);
        let mut out = Vec::new();
        if gap_after {
            out.push(Block {
                count,
                ..self.clone()
            });
        }
        if let (true, Some(start)) = (gap_before, self.start.checked_sub(extra)) {
            out.push(Block {
                start,
                count,
                ..self.clone()
            });
        }
        out
    }

    fn join(
        &mut self,
        group: usize,
        table: Table,
        (address, len): (u16, u16),
        index: usize,
        limits: Limits,
    ) -> bool {
        let end = u32::from(self.start) + u32::from(self.count);
        let new_end = end.max(u32::from(address) + u32::from(len));
        let most = limits.most(table);
        let count = new_end - u32::from(self.start);
        let fits = self.group == group
            && self.table == table
            && u32::from(address) <= end + u32::from(limits.max_gap)
            && count <= u32::from(most);
        let Some(count) = u16::try_from(count).ok().filter(|_| fits) else {
            return false;
        };
        self.count = count;
        self.points.push(index);
        true
    }
}
