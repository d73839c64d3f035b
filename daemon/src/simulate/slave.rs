//! Simulated instruments on a Modbus line: any register map, played by a plant.
//!
//! What the plant measures is put into the registers that the map names, in the map's units,
//! types and orders; the state of the analyser (fault, maintenance, calibration, stopped) becomes
//! the bits or codes from which the map's rules make that flag again.

use super::plant::Plant;
use crate::clock::Clock;
use cems_config::factors::FactorTable;
use cems_config::units::Unit;
use cems_core::model::Timestamp;
use cems_protocols::instrument::{Flag, Map, Place, Point, Role, Test, Value};
use cems_protocols::modbus::{self, Kind, Register, Table};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::prelude::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_modbus::server::Service;
use tokio_modbus::server::rtu;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_serial::SerialStream;
use tokio_util::sync::CancellationToken;

/// One simulated instrument.
#[derive(Debug, Clone)]
pub struct Device {
    map: Arc<Map>,
    plant: Plant,
    clock: Clock,
    /// What each state point says for each flag.
    states: Vec<StateWords>,
}

/// What one state point says.
#[derive(Debug, Clone)]
struct StateWords {
    point: usize,
    normal: State,
    flags: BTreeMap<Flag, State>,
}

/// A value of a state point.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Code(i64),
    Text(SmolStr),
}

/// Instruments on one line, by unit number. Units nobody has do not answer.
#[derive(Debug, Clone, Default)]
pub struct Line {
    devices: Arc<BTreeMap<u8, Device>>,
}

impl Line {
    /// A line with these instruments.
    pub fn new(devices: BTreeMap<u8, Device>) -> Self {
        Self {
            devices: Arc::new(devices),
        }
    }

    /// Answers Modbus TCP until told to stop.
    pub async fn serve_tcp(self, listener: TcpListener, stop: CancellationToken) {
        let connected = move |stream: TcpStream, peer: SocketAddr| {
            let line = self.clone();
            async move { accept_tcp_connection(stream, peer, |_| Ok(Some(line.clone()))) }
        };
        let failed = |error| tracing::debug!(%error, "simulated line: a connection ended");
        let ended = Server::new(listener)
            .serve_until(&connected, failed, async move { stop.cancelled().await })
            .await;
        if let Err(error) = ended {
            tracing::warn!(%error, "simulated line: no longer listening");
        }
    }

    /// Answers Modbus RTU on a serial line until told to stop.
    ///
    /// # Errors
    /// What the line says when it breaks.
    pub async fn serve_rtu(
        self,
        line: SerialStream,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let server = rtu::Server::new(line);
        tokio::select! {
            served = server.serve_forever(self) => served,
            () = stop.cancelled() => Ok(()),
        }
    }
}

impl Service for Line {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Option<Response>, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let answer = match self.devices.get(&request.slave) {
            Some(device) => device.answer(&request.request).map(Some),
            // Somebody else's, or nobody's: silence.
            None => Ok(None),
        };
        ready(answer)
    }
}

impl Device {
    /// An instrument of this family that measures this plant. What the plant does not have reads
    /// a tenth of its plausible range.
    pub fn new(map: Arc<Map>, plant: Plant, clock: Clock) -> Self {
        let states = state_words(&map);
        Self {
            map,
            plant,
            clock,
            states,
        }
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, ExceptionCode> {
        let bits = |table, from, count| {
            let words = self.registers(table, from, count)?;
            Ok(words.into_iter().map(|word| word != 0).collect())
        };
        match *request {
            Request::ReadCoils(from, count) => {
                bits(Table::Coil, from, count).map(Response::ReadCoils)
            }
            Request::ReadDiscreteInputs(from, count) => {
                bits(Table::Discrete, from, count).map(Response::ReadDiscreteInputs)
            }
            Request::ReadHoldingRegisters(from, count) => self
                .registers(Table::Holding, from, count)
                .map(Response::ReadHoldingRegisters),
            Request::ReadInputRegisters(from, count) => self
                .registers(Table::Input, from, count)
                .map(Response::ReadInputRegisters),
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }

    /// Registers (or bits as words) of a table; those between points are 0, those beyond the last
    /// point do not exist.
    fn registers(&self, table: Table, from: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
        let (from, until) = (usize::from(from), usize::from(from) + usize::from(count));
        let points = || {
            let mine = self.map.points.iter().enumerate();
            mine.filter_map(|(index, point)| match point.place {
                Place::Register(register) if register.table == table => {
                    Some((index, point, register))
                }
                _ => None,
            })
        };
        let end = |r: Register| usize::from(r.address) + usize::from(r.kind.len());
        let last = points().map(|(_, _, register)| end(register)).max();
        if count == 0 || last.is_none_or(|last| until > last) {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        let mut words = vec![0; until - from];
        let now = self.clock.now();
        for (index, point, register) in points() {
            let start = usize::from(register.address);
            if start >= until || end(register) <= from {
                continue;
            }
            let own = self.words(index, point, &register, now);
            for (offset, word) in own.into_iter().enumerate() {
                if let Some(slot) = (start + offset).checked_sub(from)
                    && let Some(slot) = words.get_mut(slot)
                {
                    // Bit fields share a register.
                    *slot |= word;
                }
            }
        }
        Ok(words)
    }

    fn words(&self, index: usize, point: &Point, register: &Register, now: Timestamp) -> Vec<u16> {
        let written = match &point.role {
            Role::State => match self.state(index, now) {
                Some(State::Text(text)) => Some(text_words(&text, register.kind.len())),
                Some(State::Code(code)) => modbus::encode(*register, Decimal::from(code)),
                None => None,
            },
            Role::Factor(code) => self.raw(point, self.reading(point, code, now), register),
            Role::Info => self.raw(point, middle(point), register),
        };
        written.unwrap_or_else(|| vec![0; usize::from(register.kind.len())])
    }

    /// The number a register holds for a value in the point's unit.
    fn raw(&self, point: &Point, value: Decimal, register: &Register) -> Option<Vec<u16>> {
        let raw = value.checked_sub(point.offset)?.checked_div(point.scale)?;
        let whole = !matches!(register.kind, Kind::F32 | Kind::F64);
        let raw = if whole { raw.round() } else { raw };
        modbus::encode(*register, raw)
    }

    /// What the plant measures of a factor, in the unit of the point.
    fn reading(&self, point: &Point, code: &str, now: Timestamp) -> Decimal {
        let sample = self.plant.sample(now);
        let Some(reading) = sample.iter().find(|reading| reading.code == code) else {
            return middle(point);
        };
        let own = FactorTable::builtin()
            .get(code)
            .and_then(|factor| Unit::named(&factor.unit));
        let shown = point.unit.as_deref().and_then(Unit::named);
        match (own, shown) {
            (Some(own), Some(shown)) => own
                .multiplier_to(shown)
                .and_then(|multiplier| reading.value.checked_mul(multiplier))
                .unwrap_or(reading.value),
            _ => reading.value,
        }
    }

    fn state(&self, index: usize, now: Timestamp) -> Option<State> {
        let words = self.states.iter().find(|words| words.point == index)?;
        let sample = self.plant.sample(now);
        let flag = sample
            .iter()
            .map(|reading| reading.flag)
            .find(|flag| *flag != "N");
        let flag = Flag::ALL
            .iter()
            .find(|(letter, _)| Some(*letter) == flag)
            .map(|(_, flag)| *flag);
        let abnormal = flag.and_then(|flag| words.flags.get(&flag));
        Some(abnormal.unwrap_or(&words.normal).clone())
    }
}

/// Two characters a register, NUL behind the end.
fn text_words(text: &str, registers: u16) -> Vec<u16> {
    let mut bytes = text.bytes().chain(std::iter::repeat(0));
    (0..registers)
        .map(|_| {
            let (high, low) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
            u16::from_be_bytes([high, low])
        })
        .collect()
}

/// A tenth of the plausible range, or 10 of whatever it is.
fn middle(point: &Point) -> Decimal {
    point.range.map_or(Decimal::TEN, |range| {
        let tenth = (range.max - range.min) / Decimal::TEN;
        range.min + tenth
    })
}

/// For each state point: a value by which no rule fires, and one for each flag a rule of its own
/// gives.
fn state_words(map: &Map) -> Vec<StateWords> {
    let states = map
        .points
        .iter()
        .enumerate()
        .filter(|(_, point)| point.role == Role::State);
    states
        .map(|(point, _)| {
            let candidates = candidates(map, point);
            let fires = |state: &State| {
                let value = value_of(state);
                map.rules
                    .iter()
                    .filter(|rule| rule.point == point)
                    .find(|rule| rule.test.holds(&value))
                    .map(|rule| rule.flag)
            };
            let quiet = candidates
                .iter()
                .find(|state| fires(state).is_none_or(|flag| flag == Flag::N));
            let flags = Flag::ALL.iter().filter_map(|(_, flag)| {
                let state = candidates
                    .iter()
                    .find(|state| *flag != Flag::N && fires(state) == Some(*flag))?;
                Some((*flag, state.clone()))
            });
            StateWords {
                point,
                normal: quiet.cloned().unwrap_or(State::Code(0)),
                flags: flags.collect(),
            }
        })
        .collect()
}

/// Values that could make a difference to the rules of a state point: what they name, and values
/// beside it.
fn candidates(map: &Map, point: usize) -> Vec<State> {
    let mut all = vec![State::Code(0)];
    for rule in map.rules.iter().filter(|rule| rule.point == point) {
        match &rule.test {
            Test::AnyBit(mask) | Test::AnyBitClear(mask) => {
                let mask = mask.cast_signed();
                all.extend([mask, mask & mask.wrapping_neg()].map(State::Code));
            }
            Test::OneOf(list) | Test::NoneOf(list) => {
                all.extend(list.iter().copied().map(State::Code));
                let beside = list.iter().max().map_or(1, |most| most.saturating_add(1));
                all.push(State::Code(beside));
            }
            Test::Text(list) | Test::NotText(list) => {
                all.extend(list.iter().cloned().map(State::Text));
                all.push(State::Text("OK".into()));
            }
        }
    }
    // Several rules about clear bits are quiet only when all of them are set.
    let every_bit = all.iter().fold(0, |bits, state| match state {
        State::Code(code) => bits | code,
        State::Text(_) => bits,
    });
    all.push(State::Code(every_bit));
    all
}

fn value_of(state: &State) -> Value {
    match state {
        State::Code(code) => Value::Number {
            value: Decimal::from(*code),
            code: Some(*code),
            over_range: false,
        },
        State::Text(text) => Value::Text(text.clone()),
    }
}

#[cfg(test)]
mod tests;
