//! A multi-component analyser behind Modbus TCP, and the logger's side of the line.
//!
//! Registers (16 bits, high word first):
//!
//! | holding | meaning |
//! | --- | --- |
//! | 0-1 | start of the interval asked for, minutes since 1970-01-01 UTC |
//! | 2 | its length in minutes; 0: no interval, present values only |
//!
//! | input | meaning |
//! | --- | --- |
//! | 0-2 | the holding registers the answer belongs to |
//! | 3 | number of channels |
//! | 4 + 9 (n - 1) | channel n: present value, min, mean, max, state as `i12001` |
//!
//! Values are signed, 32 bits each, in units of 10^-decimals.
//!
//! A logger selects with function 16 and reads with function 4; the analyser keeps its averages,
//! as analysers with an archive do, so a logger that was away can fetch what it missed.

use super::channels::Channel;
use super::plant::{Means, Plant, Reading};
use crate::clock::Clock;
use cems_core::model::Timestamp;
use cems_core::model::time::MINUTE_MS;
use rust_decimal::Decimal;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::client::Context;
use tokio_modbus::prelude::{ExceptionCode, Reader, Request, Response, Writer};
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_util::sync::CancellationToken;

/// How long a logger waits for any answer; afterwards the connection is rebuilt, because a late
/// answer could be taken for the answer to the next question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Registers before those of the channels.
const HEAD: u16 = 4;
/// Registers of one channel.
const CHANNEL: u16 = 9;
/// Longest interval served: a day.
const MINUTES_MAX: u16 = 24 * 60;
/// States of an instrument (HJ 212-2017 `i12001`) and the data flags loggers make of them.
const STATES: [(u16, &str); 5] = [(0, "N"), (1, "M"), (2, "D"), (3, "C"), (9, "F")];

/// The analyser.
pub struct Instrument {
    listener: TcpListener,
    model: Arc<Model>,
}

struct Model {
    plant: Plant,
    clock: Clock,
}

impl Instrument {
    /// Binds a free port on loopback.
    ///
    /// # Errors
    /// When none is free.
    pub async fn bind(plant: Plant, clock: Clock) -> std::io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            listener,
            model: Arc::new(Model { plant, clock }),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let model = self.model;
        let connected = move |stream: TcpStream, peer: SocketAddr| {
            let model = Arc::clone(&model);
            async move {
                accept_tcp_connection(stream, peer, |_| {
                    Ok(Some(Registers {
                        model: Arc::clone(&model),
                        selected: Mutex::default(),
                    }))
                })
            }
        };
        let server = Server::new(self.listener);
        let failed = |error| tracing::debug!(%error, "instrument: a connection ended");
        let ended = server
            .serve_until(&connected, failed, async move { stop.cancelled().await })
            .await;
        if let Err(error) = ended {
            tracing::warn!(%error, "instrument: no longer listening");
        }
    }
}

/// One connection: what it selected is its own.
struct Registers {
    model: Arc<Model>,
    selected: Mutex<[u16; 3]>,
}

impl Registers {
    fn answer(&self, request: &Request<'_>) -> Result<Response, ExceptionCode> {
        let mut selected = self.selected.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::WriteMultipleRegisters(0, words) => {
                let words: [u16; 3] = words
                    .as_ref()
                    .try_into()
                    .map_err(|_| ExceptionCode::IllegalDataAddress)?;
                if words[2] > MINUTES_MAX {
                    return Err(ExceptionCode::IllegalDataValue);
                }
                *selected = words;
                Ok(Response::WriteMultipleRegisters(0, 3))
            }
            Request::ReadHoldingRegisters(from, count) => {
                cut(selected.as_slice(), *from, *count).map(Response::ReadHoldingRegisters)
            }
            Request::ReadInputRegisters(from, count) => {
                let block = self.model.block(*selected);
                cut(&block, *from, *count).map(Response::ReadInputRegisters)
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

impl Service for Registers {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(self.answer(&request))
    }
}

fn cut(registers: &[u16], from: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
    let from = usize::from(from);
    let end = from + usize::from(count);
    registers
        .get(from..end)
        .map(<[u16]>::to_vec)
        .ok_or(ExceptionCode::IllegalDataAddress)
}

impl Model {
    fn block(&self, selected: [u16; 3]) -> Vec<u16> {
        let [high, low, minutes] = selected;
        let start = Timestamp(i64::from(u32::from(high) << 16 | u32::from(low)) * MINUTE_MS);
        let now = self.plant.sample(self.clock.now());
        let means = (minutes > 0).then(|| self.plant.means(start, u32::from(minutes)));
        let channels = self.plant.channels();
        let mut block = vec![
            high,
            low,
            minutes,
            u16::try_from(channels.len()).unwrap_or(0),
        ];
        for (index, (channel, reading)) in channels.iter().zip(&now).enumerate() {
            let mean = means.as_ref().and_then(|means| means.get(index));
            let figures = mean.map_or([Decimal::ZERO; 3], |m| [m.min, m.avg, m.max]);
            block.extend(words(reading.value, channel));
            block.extend(figures.into_iter().flat_map(|value| words(value, channel)));
            block.push(state(mean.map_or(reading.flag, |mean| mean.flag)));
        }
        block
    }
}

fn words(value: Decimal, channel: &Channel) -> [u16; 2] {
    let mut scaled = value;
    scaled.rescale(channel.decimals);
    // Measuring ranges end far below 2^31 units; anything beyond shows as full scale.
    let number = i32::try_from(scaled.mantissa())
        .unwrap_or(i32::MAX)
        .cast_unsigned();
    let [a, b, c, d] = number.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

fn number(words: &[u16], channel: &Channel) -> Option<Decimal> {
    let [high, low] = *words else { return None };
    let number = (u32::from(high) << 16 | u32::from(low)).cast_signed();
    Some(Decimal::new(i64::from(number), channel.decimals))
}

fn state(flag: &str) -> u16 {
    STATES
        .iter()
        .find(|(_, own)| *own == flag)
        .map_or(2, |(state, _)| *state)
}

fn flag(state: u16) -> &'static str {
    STATES
        .iter()
        .find(|(own, _)| *own == state)
        .map_or("D", |(_, flag)| *flag)
}

/// Why a poll gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// No connection.
    #[error("cannot connect to the instrument at {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    /// The line failed.
    #[error("modbus: {0}")]
    Modbus(#[from] tokio_modbus::Error),
    /// The instrument refused.
    #[error("the instrument refuses: {0}")]
    Refused(#[from] ExceptionCode),
    /// No answer in time.
    #[error("no answer within {} ms", ANSWER_TIMEOUT.as_millis())]
    Timeout,
    /// An answer of another length, or to another question.
    #[error("an answer that does not belong to the question: {0} registers")]
    Foreign(usize),
}

/// The logger's side: one connection, rebuilt after any failure.
pub struct Poller {
    address: SocketAddr,
    channels: &'static [Channel],
    line: Option<Context>,
}

impl Poller {
    /// A poller of an instrument with these channels; connects when first asked.
    pub fn new(address: SocketAddr, channels: &'static [Channel]) -> Self {
        Self {
            address,
            channels,
            line: None,
        }
    }

    /// What the instrument shows now.
    ///
    /// # Errors
    /// See [`PollError`]; the next call connects anew.
    pub async fn sample(&mut self) -> Result<Vec<Reading>, PollError> {
        let block = self.poll([0, 0, 0]).await?;
        Ok(self.decode(&block, |channel, registers| {
            Some(Reading {
                code: channel.code,
                value: number(registers.get(..2)?, channel)?,
                flag: flag(*registers.get(8)?),
            })
        }))
    }

    /// The instrument's averages of an interval.
    ///
    /// # Errors
    /// As [`Poller::sample`].
    pub async fn means(&mut self, start: Timestamp, minutes: u32) -> Result<Vec<Means>, PollError> {
        let minute = u32::try_from(start.0.div_euclid(MINUTE_MS)).unwrap_or(0);
        let [a, b, c, d] = minute.to_be_bytes();
        let minutes = u16::try_from(minutes)
            .unwrap_or(MINUTES_MAX)
            .min(MINUTES_MAX);
        let select = [
            u16::from_be_bytes([a, b]),
            u16::from_be_bytes([c, d]),
            minutes,
        ];
        let block = self.poll(select).await?;
        Ok(self.decode(&block, |channel, registers| {
            Some(Means {
                code: channel.code,
                min: number(registers.get(2..4)?, channel)?,
                avg: number(registers.get(4..6)?, channel)?,
                max: number(registers.get(6..8)?, channel)?,
                flag: flag(*registers.get(8)?),
            })
        }))
    }

    fn decode<T>(
        &self,
        block: &[u16],
        one: impl Fn(&'static Channel, &[u16]) -> Option<T>,
    ) -> Vec<T> {
        let registers = block.get(usize::from(HEAD)..).unwrap_or_default();
        let pairs = self
            .channels
            .iter()
            .zip(registers.chunks_exact(usize::from(CHANNEL)));
        pairs
            .filter_map(|(channel, registers)| one(channel, registers))
            .collect()
    }

    async fn poll(&mut self, select: [u16; 3]) -> Result<Vec<u16>, PollError> {
        let asked = tokio::time::timeout(ANSWER_TIMEOUT, self.ask(select)).await;
        let answer = asked.unwrap_or(Err(PollError::Timeout));
        if answer.is_err() {
            self.line = None;
        }
        answer
    }

    async fn ask(&mut self, select: [u16; 3]) -> Result<Vec<u16>, PollError> {
        let count = HEAD + CHANNEL * u16::try_from(self.channels.len()).unwrap_or(0);
        let line = match &mut self.line {
            Some(line) => line,
            None => {
                let made = tokio_modbus::client::tcp::connect(self.address).await;
                self.line
                    .insert(made.map_err(|error| PollError::Connect(self.address, error))?)
            }
        };
        line.write_multiple_registers(0, &select).await??;
        let block = line.read_input_registers(0, count).await??;
        // The library checks the length in development builds only.
        if block.len() != usize::from(count) || block[..3] != select {
            return Err(PollError::Foreign(block.len()));
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::plant::PlantKind;
    use crate::simulate::script::{Incident, Script};

    /// 2026-11-20 00:00 in China.
    const MIDNIGHT: Timestamp = Timestamp(1_795_104_000_000);

    async fn start(plant: &Plant) -> (Poller, CancellationToken, tokio::task::JoinHandle<()>) {
        let clock = Clock::simulated(MIDNIGHT, 1);
        let instrument = Instrument::bind(plant.clone(), clock)
            .await
            .expect("a free port");
        let poller = Poller::new(instrument.address().expect("bound"), plant.channels());
        let stop = CancellationToken::new();
        let task = tokio::spawn(instrument.run(stop.clone()));
        (poller, stop, task)
    }

    #[tokio::test]
    async fn what_the_line_delivers_is_what_the_plant_measures() {
        let until = MIDNIGHT.plus_ms(-30 * MINUTE_MS);
        let script =
            Script::default().with(Incident::Fault, until.plus_ms(-20 * MINUTE_MS), Some(until));
        for kind in PlantKind::ALL {
            let plant = Plant::new(kind, 3).with_script(script.clone());
            let (mut poller, stop, task) = start(&plant).await;
            for (back, minutes) in [(1, 1), (31, 1), (60, 60)] {
                let from = MIDNIGHT.plus_ms(-back * MINUTE_MS);
                let polled = poller.means(from, minutes).await.expect("answers");
                assert_eq!(polled, plant.means(from, minutes), "{kind:?}");
            }
            let now = poller.sample().await.expect("answers");
            let codes: Vec<&str> = now.iter().map(|reading| reading.code).collect();
            let expected: Vec<&str> = plant.channels().iter().map(|c| c.code).collect();
            assert_eq!(codes, expected);
            stop.cancel();
            task.await.expect("ends in order");
        }
    }

    #[tokio::test]
    async fn a_line_that_broke_is_rebuilt() {
        let plant = Plant::new(PlantKind::CoalBoiler, 3);
        let (mut poller, stop, task) = start(&plant).await;
        assert!(poller.sample().await.is_ok());
        let address = poller.address;
        poller.address = SocketAddr::from(([127, 0, 0, 1], 1));
        poller.line = None;
        assert!(matches!(poller.sample().await, Err(PollError::Connect(..))));
        poller.address = address;
        assert!(poller.sample().await.is_ok());
        stop.cancel();
        task.await.expect("ends in order");
    }

    #[tokio::test]
    async fn questions_the_instrument_does_not_know_are_refused() {
        let plant = Plant::new(PlantKind::CoalBoiler, 3);
        let (poller, stop, task) = start(&plant).await;
        let mut line = tokio_modbus::client::tcp::connect(poller.address)
            .await
            .expect("connects");
        let beyond = line.read_input_registers(0, 120).await.expect("answers");
        assert_eq!(beyond, Err(ExceptionCode::IllegalDataAddress));
        let wrong = line
            .write_multiple_registers(0, &[0, 0, 2_000])
            .await
            .expect("answers");
        assert_eq!(wrong, Err(ExceptionCode::IllegalDataValue));
        let coils = line.read_coils(0, 1).await.expect("answers");
        assert_eq!(coils, Err(ExceptionCode::IllegalFunction));
        stop.cancel();
        task.await.expect("ends in order");
    }

    #[test]
    fn a_negative_pressure_survives_the_registers() {
        let pressure = Plant::new(PlantKind::CoalBoiler, 1).channels()[6];
        let value = Decimal::new(-245, 3);
        assert_eq!(number(&words(value, &pressure), &pressure), Some(value));
    }
}
