//! Which registers are asked for together.

use super::Table;
use crate::instrument::{Map, Place};

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
    blocks
}

impl Block {
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
        let most = match table.is_bits() {
            true => limits.max_bits,
            false => limits.max_registers,
        };
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
