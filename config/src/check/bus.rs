//! `[[bus]]`: lines with instruments on them.

use super::{Taken, host_port, id};
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::settings::{BUSES_MAX, Bus, BusTiming, Framing, Line, Parity, SerialLine};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Keys that only a serial line has.
const SERIAL_KEYS: [&str; 5] = ["baud", "data_bits", "parity", "stop_bits", "rs485"];

/// Reads every `[[bus]]`, with its place.
pub(super) fn buses(docs: &[&Section<'_>], r: &mut Report) -> Vec<(Bus, At)> {
    let mut ids = Taken::default();
    let mut devices: BTreeMap<PathBuf, At> = BTreeMap::new();
    let mut out = Vec::new();
    let listed: Vec<Section<'_>> = docs.iter().flat_map(|d| d.sections(r, "bus")).collect();
    for (n, s) in listed.into_iter().enumerate() {
        if n == BUSES_MAX {
            r.error(
                s.at,
                say!("more than {BUSES_MAX} buses", "总线超过 {BUSES_MAX} 条"),
                say!("use several stations", "请拆分为多个站点"),
            );
        }
        let id = id(&s, r);
        if let Some(id) = &id {
            ids.claim(r, ("bus", "总线"), id);
        }
        let Some((line, at)) = line(&s, r) else {
            continue;
        };
        if let Line::Serial(serial) = &line
            && let Some(first) = devices.insert(serial.device.clone(), at)
        {
            let shown = serial.device.display();
            let place = r.place(first);
            r.error(
                at,
                say!("{shown} is on two buses", "{shown} 被两条总线使用"),
                say!("the other one is at {place}", "另一处在 {place}"),
            );
        }
        let framing = framing(&s, &line, r);
        let timing = timing(&s, &line, framing, r);
        let at = s.at;
        s.finish(r);
        if let Some(id) = id {
            let id = SmolStr::new(id.value);
            out.push((
                Bus {
                    id,
                    line,
                    framing,
                    timing,
                },
                at,
            ));
        }
    }
    out
}

/// What the bus is made of, and where that is said.
fn line(s: &Section<'_>, r: &mut Report) -> Option<(Line, At)> {
    let tcp = s.text(r, "tcp");
    let serial = s.text(r, "serial");
    match (tcp, serial) {
        (Some(tcp), None) => {
            for key in SERIAL_KEYS {
                if let Some(item) = s.item(key) {
                    r.error(
                        item.at,
                        say!("`{key}` of a TCP bus", "TCP 总线不设 `{key}`"),
                        say!(
                            "it is set at the serial server; take the line out",
                            "应在串口服务器上设置；请删除该行"
                        ),
                    );
                }
            }
            let at = tcp.at;
            let address = host_port(
                &tcp,
                say!("such as \"10.1.2.3:502\"", "如 \"10.1.2.3:502\""),
                r,
            );
            Some((Line::Tcp { address }, at))
        }
        (None, Some(serial)) => {
            let at = serial.at;
            Some((Line::Serial(serial_line(s, serial, r)), at))
        }
        (Some(_), Some(serial)) => {
            r.error(
                serial.at,
                say!(
                    "a bus is TCP or serial, not both",
                    "总线只能是 TCP 或串口之一"
                ),
                say!("take one of the two out", "请删除其中一项"),
            );
            None
        }
        (None, None) => {
            r.error(
                s.at,
                say!("the bus has no line", "总线没有线路"),
                say!(
                    "tcp = \"10.1.2.3:502\" or serial = \"/dev/ttyS1\"",
                    "tcp = \"10.1.2.3:502\" 或 serial = \"/dev/ttyS1\""
                ),
            );
            None
        }
    }
}

fn serial_line(s: &Section<'_>, device: Got<String>, r: &mut Report) -> SerialLine {
    let bauds = [
        1_200, 2_400, 4_800, 9_600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400,
    ];
    let baud = s.integer::<u32>(r, "baud", 300..=1_000_000);
    if let Some(got) = baud.as_ref().filter(|got| !bauds.contains(&got.value)) {
        let value = got.value;
        r.error(
            got.at,
            say!(
                "no serial port runs at {value} baud",
                "串口没有 {value} 这一速率"
            ),
            say!(
                "1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200",
                "1200、2400、4800、9600、19200、38400、57600、115200"
            ),
        );
    }
    let parities = [
        ("none", Parity::None),
        ("even", Parity::Even),
        ("odd", Parity::Odd),
    ];
    SerialLine {
        device: PathBuf::from(device.value),
        baud: baud.map_or(9_600, |got| got.value),
        data_bits: s.integer(r, "data_bits", 7..=8).map_or(8, |got| got.value),
        parity: s
            .word(r, "parity", &parities)
            .map_or(Parity::None, |got| got.value),
        stop_bits: s.integer(r, "stop_bits", 1..=2).map_or(1, |got| got.value),
        rs485: s.boolean(r, "rs485").is_some_and(|got| got.value),
    }
}

fn framing(s: &Section<'_>, line: &Line, r: &mut Report) -> Framing {
    let words = [
        ("modbus-tcp", Framing::ModbusTcp),
        ("modbus-rtu", Framing::ModbusRtu),
        ("ascii", Framing::Ascii),
    ];
    let usual = match line {
        Line::Tcp { .. } => Framing::ModbusTcp,
        Line::Serial(_) => Framing::ModbusRtu,
    };
    let Some(got) = s.word(r, "framing", &words) else {
        return usual;
    };
    let Line::Serial(serial) = line else {
        return got.value;
    };
    if got.value == Framing::ModbusTcp {
        r.error(
            got.at,
            say!("Modbus TCP on a serial line", "串口上不能使用 Modbus TCP"),
            say!(
                "\"modbus-rtu\" or \"ascii\"",
                "应为 \"modbus-rtu\" 或 \"ascii\""
            ),
        );
    }
    if got.value == Framing::ModbusRtu && serial.data_bits != 8 {
        let at = s.item("data_bits").map_or(got.at, |item| item.at);
        seven_bits(at, r);
    }
    got.value
}

fn seven_bits(at: At, r: &mut Report) {
    r.error(
        at,
        say!("Modbus RTU needs 8 data bits", "Modbus RTU 须为 8 个数据位"),
        say!("data_bits = 8", "data_bits = 8"),
    );
}

fn timing(s: &Section<'_>, line: &Line, framing: Framing, r: &mut Report) -> BusTiming {
    if let (Line::Serial(serial), Framing::ModbusRtu) = (line, framing)
        && serial.data_bits != 8
        && s.item("framing").is_none()
    {
        seven_bits(s.item("data_bits").map_or(s.at, |item| item.at), r);
    }
    let usual = BusTiming::default();
    let number = |r: &mut Report, key, bounds, usual| {
        s.integer(r, key, bounds)
            .map_or(usual, |got: Got<u32>| got.value)
    };
    let yes = |r: &mut Report, key| s.boolean(r, key).is_some_and(|got| got.value);
    BusTiming {
        timeout_ms: number(r, "timeout_ms", 50..=60_000, usual.timeout_ms),
        pause_between_requests_ms: number(r, "pause_between_requests_ms", 0..=10_000, 0),
        pause_after_connect_ms: number(r, "pause_after_connect_ms", 0..=60_000, 0),
        close_after_cycle: yes(r, "close_after_cycle"),
        one_request_per_point: yes(r, "one_request_per_point"),
        max_registers_per_request: s
            .integer(r, "max_registers_per_request", 1..=125)
            .map_or(usual.max_registers_per_request, |got| got.value),
        max_gap: s
            .integer(r, "max_gap", 0..=124)
            .map_or(usual.max_gap, |got| got.value),
        busy_retries: number(r, "busy_retries", 0..=20, usual.busy_retries),
    }
}
