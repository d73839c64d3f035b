//! Whether a serial line can carry what its instruments are asked.

use crate::report::{At, Report, say};
use crate::settings::{Bus, Instrument, Line, SerialLine};
use cems_protocols::instrument::Protocol;
use cems_protocols::modbus::{Limits, plan};

/// Time a device takes before it answers, milliseconds; 10 to 50 are usual.
const TURNAROUND_MS: u64 = 20;
/// Bytes of a field in an ASCII answer.
const FIELD_BYTES: u64 = 10;
/// Silence around Modbus RTU frames, in thousandths of a byte: 3.5 bytes before each of two.
const SILENCE_MILLI_BYTES: u64 = 7_000;

/// Warns of a line that is asked for more than it can carry. An estimate: lines over TCP are not
/// looked at.
pub(super) fn warn(bus: &Bus, at: At, instruments: &[Instrument], r: &mut Report) {
    let Line::Serial(serial) = &bus.line else {
        return;
    };
    // Thousandths of the line's time.
    let mut used: u64 = 0;
    for instrument in instruments.iter().filter(|i| i.bus == bus.id) {
        for (group, ms) in requests(instrument, bus, serial) {
            let every = instrument.map.groups.get(group).and_then(|g| g.every_ms);
            let every = u64::from(every.unwrap_or(0).max(instrument.every_ms)).max(1);
            used += ms.saturating_mul(1_000) / every;
        }
    }
    if used <= 1_000 {
        return;
    }
    let percent = used / 10;
    let id = &bus.id;
    let (device, baud) = (super::shown(&bus.line), serial.baud);
    r.warn(
        at,
        say!(
            "the instruments on {id} need about {percent} % of the time of {device} at {baud} baud",
            "总线 {id} 上的仪表约需 {device}（{baud} 波特）{percent} % 的时间"
        ),
        say!(
            "raise `baud` or `every_ms`, put points into a slower group, or use another line",
            "请提高 `baud` 或 `every_ms`，将部分测点放入较慢的轮询组，或分到其他线路"
        ),
    );
}

/// Group and milliseconds of each request.
fn requests(instrument: &Instrument, bus: &Bus, serial: &SerialLine) -> Vec<(usize, u64)> {
    let timing = instrument.timing(&bus.timing);
    let pause = u64::from(timing.pause_between_requests_ms) + TURNAROUND_MS;
    let ms = |milli_bytes: u64| {
        let bits = milli_bytes * u64::from(serial.bits_per_byte());
        bits / u64::from(serial.baud.max(1)) + pause
    };
    match &instrument.map.protocol {
        Protocol::Ascii(exchanges) => exchanges
            .iter()
            .map(|exchange| {
                let asked = exchange.request.as_ref().map_or(0, |request| {
                    u64::try_from(request.bytes(instrument.unit).len()).unwrap_or(u64::MAX)
                });
                let fields = u64::try_from(exchange.response.fields().len()).unwrap_or(u64::MAX);
                (exchange.group, ms((asked + fields * FIELD_BYTES) * 1_000))
            })
            .collect(),
        Protocol::Modbus => {
            let limits = Limits {
                max_registers: timing.max_registers_per_request,
                max_gap: timing.max_gap,
                one_request_per_point: timing.one_request_per_point,
                ..Limits::default()
            };
            let bytes = |block: &cems_protocols::modbus::Block| {
                let answer = match block.table.is_bits() {
                    true => u64::from(block.count.div_ceil(8)),
                    false => u64::from(block.count) * 2,
                };
                // Request of 8 bytes; answer with address, function, count and checksum.
                (8 + 5 + answer) * 1_000 + SILENCE_MILLI_BYTES
            };
            plan(&instrument.map, limits)
                .iter()
                .map(|block| (block.group, ms(bytes(block))))
                .collect()
        }
    }
}
