//! Modbus as far as it needs no line: which registers to ask for together, and what an answer
//! means. Sending is somebody else's work.
//!
//! An answer is believed only when it has exactly the length that was asked for. Blocks of one
//! device differ in length where the map allows it, so a late answer to another block fails that
//! check instead of passing for this one.

mod answer;
mod decode;
mod plan;

#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerError, Exception, check_answer, request};
pub use decode::{decode, encode};
pub use plan::{Block, Limits, plan};

/// Bits and registers of a Modbus device live in four tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Bits that can be written, function 1.
    Coil,
    /// Bits, function 2.
    Discrete,
    /// Registers that can be written, function 3.
    Holding,
    /// Registers, function 4.
    Input,
}

impl Table {
    /// Every table with its name in maps.
    pub const NAMES: [(&'static str, Table); 4] = [
        ("coil", Table::Coil),
        ("discrete", Table::Discrete),
        ("holding", Table::Holding),
        ("input", Table::Input),
    ];

    /// The function code that reads it.
    pub fn function(self) -> u8 {
        match self {
            Self::Coil => 1,
            Self::Discrete => 2,
            Self::Holding => 3,
            Self::Input => 4,
        }
    }

    /// Whether its entries are single bits.
    pub fn is_bits(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }
}

/// Where a point lives in a Modbus device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register {
    /// The table.
    pub table: Table,
    /// Address on the wire, from 0 (whatever the manual counts from).
    pub address: u16,
    /// What is there.
    pub kind: Kind,
    /// How the bytes of a number are ordered.
    pub order: Order,
}

/// What registers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A bit of a bit table.
    Bit,
    /// Unsigned, one register.
    U16,
    /// Two's complement, one register.
    I16,
    /// Unsigned, two registers.
    U32,
    /// Two's complement, two registers.
    I32,
    /// IEEE 754 single, two registers.
    F32,
    /// IEEE 754 double, four registers.
    F64,
    /// Four decimal digits, one register.
    Bcd16,
    /// Eight decimal digits, two registers.
    Bcd32,
    /// Some bits of one register: `count` (1..=16) from bit `first` (0 is the least).
    Bits {
        /// The least bit.
        first: u8,
        /// How many.
        count: u8,
    },
    /// ASCII, two characters a register, NUL and blanks at the end taken off.
    Text {
        /// Registers (1..=32).
        registers: u8,
    },
}

impl Kind {
    /// Registers it takes (bits, of a bit table).
    pub fn len(self) -> u16 {
        match self {
            Self::Bit | Self::U16 | Self::I16 | Self::Bcd16 | Self::Bits { .. } => 1,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd32 => 2,
            Self::F64 => 4,
            Self::Text { registers } => u16::from(registers),
        }
    }

    /// Never: what is read takes at least one register. Here because `len` is.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Order of the bytes of a number over its registers; `A` is the most significant byte and
/// registers travel high byte first. Numbers of four registers follow the same two habits: words
/// reversed, bytes within words swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Order {
    /// Most significant word first, high byte first.
    #[default]
    Abcd,
    /// Least significant word first, high byte first.
    Cdab,
    /// Most significant word first, low byte first.
    Badc,
    /// Least significant word first, low byte first.
    Dcba,
}

impl Order {
    /// Every order with its name in maps.
    pub const NAMES: [(&'static str, Order); 4] = [
        ("ABCD", Order::Abcd),
        ("CDAB", Order::Cdab),
        ("BADC", Order::Badc),
        ("DCBA", Order::Dcba),
    ];

    /// Words come least significant first.
    pub fn swaps_words(self) -> bool {
        matches!(self, Self::Cdab | Self::Dcba)
    }

    /// The bytes of each word are swapped.
    pub fn swaps_bytes(self) -> bool {
        matches!(self, Self::Badc | Self::Dcba)
    }
}
