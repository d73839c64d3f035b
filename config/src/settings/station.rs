//! Lines and instruments of a station, checked.

use super::source::MqttSource;
use cems_core::model::OutletId;
use cems_protocols::instrument::{Channel, Map};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;

/// Most lines of one station: a rack of serial servers has 32 ports, two of them fill it.
pub const BUSES_MAX: usize = 64;
/// Most instruments of one station.
pub const INSTRUMENTS_MAX: usize = 512;

/// What a station reads; empty at a pure centre.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StationSettings {
    /// Lines; ids are unique.
    pub buses: Vec<Bus>,
    /// Instruments; ids are unique, each is on one of the buses.
    pub instruments: Vec<Instrument>,
    /// Brokers from which readings come; ids are unique.
    pub sources: Vec<MqttSource>,
}

impl StationSettings {
    /// The instruments of a bus, in the order of the files.
    pub fn on_bus<'a>(&'a self, bus: &'a str) -> impl Iterator<Item = &'a Instrument> {
        self.instruments.iter().filter(move |i| i.bus == bus)
    }
}

/// A line with instruments on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Its name.
    pub id: SmolStr,
    /// What it is made of.
    pub line: Line,
    /// What is spoken on it.
    pub framing: Framing,
    /// How it is used.
    pub timing: BusTiming,
}

/// What a bus is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A connection to an instrument, a gateway or a serial server.
    Tcp {
        /// `host:port`, looked up at each connection.
        address: SmolStr,
    },
    /// A serial port of this machine.
    Serial(SerialLine),
}

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialLine {
    /// The device, such as `/dev/ttyS1`.
    pub device: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
    /// Two-wire: the port drives the line only while it sends.
    pub rs485: bool,
}

impl SerialLine {
    /// Bits that one byte takes on the line, start bit included.
    pub fn bits_per_byte(&self) -> u32 {
        let parity = u32::from(self.parity != Parity::None);
        1 + u32::from(self.data_bits) + parity + u32::from(self.stop_bits)
    }
}

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// What is spoken on a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Modbus with a TCP header.
    ModbusTcp,
    /// Modbus with address and checksum; over TCP when the line is a connection.
    ModbusRtu,
    /// Vendor text.
    Ascii,
}

/// How a bus is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusTiming {
    /// Wait this long for an answer, milliseconds.
    pub timeout_ms: u32,
    /// Leave the line quiet between an answer and the next request, milliseconds.
    pub pause_between_requests_ms: u32,
    /// Wait after connecting before the first request, milliseconds.
    pub pause_after_connect_ms: u32,
    /// Close the connection after each round of polls.
    pub close_after_cycle: bool,
    /// Ask for every point by itself.
    pub one_request_per_point: bool,
    /// Registers in one request at most; a map may say less.
    pub max_registers_per_request: u16,
    /// Registers nobody needs that may be read over to join two blocks; a map may say less.
    pub max_gap: u16,
    /// Repetitions of a request that a device answered with "busy".
    pub busy_retries: u32,
}

impl Default for BusTiming {
    fn default() -> Self {
        Self {
            timeout_ms: 1_000,
            pause_between_requests_ms: 0,
            pause_after_connect_ms: 0,
            close_after_cycle: false,
            one_request_per_point: false,
            max_registers_per_request: 125,
            max_gap: 12,
            busy_retries: 3,
        }
    }
}

/// One instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Instrument {
    /// Its name.
    pub id: SmolStr,
    /// The outlet it measures.
    pub outlet: OutletId,
    /// The bus it is on.
    pub bus: SmolStr,
    /// Its address on the bus (unit or slave id); 0 only over TCP or ASCII.
    pub unit: u8,
    /// How it is read.
    pub map: Arc<Map>,
    /// The file of the map; `None` for one that is built in.
    pub map_file: Option<PathBuf>,
    /// Polled this often, milliseconds.
    pub every_ms: u32,
    /// Which points feed which factors of the outlet; never empty.
    pub channels: Vec<Channel>,
}

impl Instrument {
    /// The bus's timing with what the instrument's map asks for: the longer wait and pause, the
    /// smaller request.
    pub fn timing(&self, bus: &BusTiming) -> BusTiming {
        let map = &self.map.timing;
        BusTiming {
            timeout_ms: bus.timeout_ms.max(map.timeout_ms.unwrap_or(0)),
            pause_between_requests_ms: bus
                .pause_between_requests_ms
                .max(map.pause_between_requests_ms.unwrap_or(0)),
            one_request_per_point: bus.one_request_per_point
                || map.one_request_per_point.unwrap_or(false),
            max_registers_per_request: bus
                .max_registers_per_request
                .min(map.max_registers_per_request.unwrap_or(u16::MAX)),
            max_gap: bus.max_gap.min(map.max_gap.unwrap_or(u16::MAX)),
            ..*bus
        }
    }
}
