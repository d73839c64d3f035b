//! What an instrument offers and how it is read: the checked form of a register map.
//!
//! A [`Map`] names points: registers of a Modbus device ([`crate::modbus`]) or fields of an answer
//! text ([`crate::ascii`]). A poll gives [`Reading`]s, and [`to_samples`] makes of them the values
//! of factors with their flags. Nothing here does IO; an answer that does not fit exactly what was
//! asked yields an error, never a value.

mod sample;
mod value;

#[cfg(test)]
mod tests;

pub use sample::{Channel, FactorSample, to_samples, without_answer};
pub use value::{Reading, Unreadable, Value};

use crate::{ascii, modbus};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// One family of instruments, as its register map describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Short name by which settings choose it.
    pub id: SmolStr,
    /// Name shown, Chinese.
    pub title_zh: String,
    /// Name shown, English.
    pub title_en: String,
    /// The public manual the map was made from, with its section.
    pub source: String,
    /// How sure the entries are.
    pub certainty: Certainty,
    /// What the device asks of whoever polls it; what a bus says itself goes first.
    pub timing: Timing,
    /// Points polled together; never empty. [`Point::group`] is an index into it.
    pub groups: Vec<Group>,
    /// Everything that can be read; names are unique.
    pub points: Vec<Point>,
    /// From state to flag; the first that applies wins.
    pub rules: Vec<StateRule>,
    /// How it is spoken to.
    pub protocol: Protocol,
}

impl Map {
    /// The index of a point by its name.
    pub fn point(&self, name: &str) -> Option<usize> {
        self.points.iter().position(|point| point.name == name)
    }
}

/// How sure the entries of a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Copied from the manual named.
    Manual,
    /// Taken from public software or listings that quote the manual.
    Secondary,
    /// From memory: check against the manual of your firmware before use.
    Recalled,
}

/// How a map's device is spoken to.
#[derive(Debug, Clone, PartialEq)]
pub enum Protocol {
    /// Registers; the points say which.
    Modbus,
    /// Question and answer in text, or text sent unasked.
    Ascii(Vec<ascii::Exchange>),
}

/// Limits of a family of devices; `None` leaves it to the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Wait this long for an answer, milliseconds.
    pub timeout_ms: Option<u32>,
    /// Leave the line quiet between an answer and the next request, milliseconds.
    pub pause_between_requests_ms: Option<u32>,
    /// Registers in one request at most.
    pub max_registers_per_request: Option<u16>,
    /// Registers nobody needs may be read over to join two blocks: this many at most.
    pub max_gap: Option<u16>,
    /// Ask for every point by itself.
    pub one_request_per_point: Option<bool>,
}

/// Points polled together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name in the map.
    pub name: SmolStr,
    /// Polled this often, milliseconds; `None`: with every poll of the instrument.
    pub every_ms: Option<u32>,
}

/// One thing that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Name in the map; of an ASCII point also the name of its field.
    pub name: SmolStr,
    /// What it is for.
    pub role: Role,
    /// Where it is read.
    pub place: Place,
    /// Unit of the value after `scale` and `offset`, as settings write it; `None` for states.
    pub unit: Option<SmolStr>,
    /// The raw value is multiplied by this first.
    pub scale: Decimal,
    /// Then this is added.
    pub offset: Decimal,
    /// Then it is rounded to so many decimals (half away from zero); `None`: as it comes.
    pub decimals: Option<u32>,
    /// What is plausible.
    pub range: Option<Range>,
    /// Index of its group in [`Map::groups`].
    pub group: usize,
}

/// What a point is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Measures a factor; the code is what the family usually measures there, and settings may
    /// bind the point to another.
    Factor(SmolStr),
    /// State bits or codes that rules look at.
    State,
    /// For people: temperatures of the cell, flow of the pump.
    Info,
}

/// Where a point is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Registers or a bit of a Modbus device.
    Register(modbus::Register),
    /// A field of the answer of an ASCII exchange; the group says which exchange.
    Field,
}

/// What is plausible for a point, in its unit, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Least.
    pub min: Decimal,
    /// Most.
    pub max: Decimal,
    /// What a value outside is.
    pub outside: Outside,
}

/// What a value outside its plausible range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Over the measuring range: the value is kept with flag T.
    OverRange,
    /// Nonsense: no value, flag D.
    Invalid,
}

/// Data flag of HJ 212-2017 table 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Normal.
    N,
    /// Instrument stopped.
    F,
    /// Maintenance.
    M,
    /// Entered by hand.
    S,
    /// Fault.
    D,
    /// Calibration.
    C,
    /// Over the measuring range.
    T,
    /// No link between instrument and logger.
    B,
}

impl Flag {
    /// Every flag with its letter.
    pub const ALL: [(&'static str, Flag); 8] = [
        ("N", Flag::N),
        ("F", Flag::F),
        ("M", Flag::M),
        ("S", Flag::S),
        ("D", Flag::D),
        ("C", Flag::C),
        ("T", Flag::T),
        ("B", Flag::B),
    ];

    /// The letter on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::N => "N",
            Self::F => "F",
            Self::M => "M",
            Self::S => "S",
            Self::D => "D",
            Self::C => "C",
            Self::T => "T",
            Self::B => "B",
        }
    }
}

/// When a state point says this, values carry that flag.
#[derive(Debug, Clone, PartialEq)]
pub struct StateRule {
    /// Index of the state point in [`Map::points`].
    pub point: usize,
    /// What it must say.
    pub test: Test,
    /// The flag given; [`Flag::N`] ends the search without one.
    pub flag: Flag,
    /// Indices of the points it concerns; empty: every point that feeds a factor.
    pub concerns: Vec<usize>,
}

/// What a state point must say.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// At least one of these bits is set.
    AnyBit(u64),
    /// At least one of these bits is not set.
    AnyBitClear(u64),
    /// One of these values, before scaling.
    OneOf(Vec<i64>),
    /// None of these values.
    NoneOf(Vec<i64>),
    /// One of these texts, without regard to ASCII case.
    Text(Vec<SmolStr>),
    /// None of these texts.
    NotText(Vec<SmolStr>),
}
