//! `cemsd probe`: what an instrument says, live, while somebody edits its register map.

use crate::clock::Clock;
use crate::links::bus::{Line, Polled, Poller, dial, framing};
use anyhow::{Context, bail};
use cems_config::{Bus, BusTiming, Framing, Instrument, Parity, SerialLine};
use cems_core::model::OutletId;
use cems_protocols::instrument::{Channel, Map, Protocol, Role, to_samples};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// `cemsd probe`
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("line").required(true)))]
pub struct ProbeArgs {
    /// The register map: a file, read again whenever it changes, or the name of one that comes
    /// with the program.
    #[arg(long, value_name = "FILE|NAME")]
    map: PathBuf,
    /// An instrument, gateway or serial server.
    #[arg(long, value_name = "HOST:PORT", group = "line")]
    tcp: Option<SmolStr>,
    /// A serial port.
    #[arg(long, value_name = "DEVICE", group = "line")]
    serial: Option<PathBuf>,
    /// Bits per second of the serial port.
    #[arg(long, default_value_t = 9_600, value_parser = clap::value_parser!(u32).range(50..))]
    baud: u32,
    /// Parity of the serial port.
    #[arg(long, value_enum, default_value_t = ProbeParity::None)]
    parity: ProbeParity,
    /// Data bits of the serial port.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(7..=8))]
    data_bits: u8,
    /// Stop bits of the serial port.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    /// Modbus RTU through the TCP connection, as serial servers carry it.
    #[arg(long, requires = "tcp")]
    rtu: bool,
    /// Address of the instrument on its line.
    #[arg(long, default_value_t = 1)]
    unit: u8,
    /// How often to ask, such as 1s or 500ms.
    #[arg(long, default_value = "1s", value_parser = duration)]
    every: Duration,
    /// How long to wait for an answer, milliseconds.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    timeout_ms: u32,
    /// Ask once; exit code 1 when nothing was answered.
    #[arg(long)]
    once: bool,
    /// Print one JSON object a poll.
    #[arg(long)]
    json: bool,
}

/// Parities to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ProbeParity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1_000),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("not a time such as 1s or 500ms: {text}"))?;
    let ms = number.saturating_mul(unit);
    if (50..=3_600_000).contains(&ms) {
        Ok(Duration::from_millis(ms))
    } else {
        Err(format!("from 50ms to 3600s, not {text}"))
    }
}

/// A map file as it was read last.
struct MapFile {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
    map: Option<Arc<Map>>,
    problems: Option<String>,
    /// It comes with the program and never changes.
    built_in: bool,
}

impl MapFile {
    fn new(path: &Path) -> Self {
        let name = path.to_str().filter(|_| !path.exists());
        let built_in = name.and_then(|name| cems_config::instruments::builtin().get(name));
        let mut file = Self {
            path: path.to_owned(),
            seen: None,
            map: built_in.cloned(),
            problems: None,
            built_in: built_in.is_some(),
        };
        file.read();
        file
    }

    /// Reads the file when it changed; whether there is another map now. A map with problems does
    /// not replace one without.
    fn read(&mut self) -> bool {
        if self.built_in {
            return false;
        }
        let meta = std::fs::metadata(&self.path).ok();
        let now = meta.and_then(|meta| Some((meta.modified().ok()?, meta.len())));
        if now == self.seen && (now.is_some() || self.problems.is_some()) {
            return false;
        }
        self.seen = now;
        match cems_config::load_map(&self.path) {
            Ok(map) => {
                self.map = Some(Arc::new(map));
                self.problems = None;
                true
            }
            Err(problems) => {
                self.problems = Some(problems.to_string());
                false
            }
        }
    }
}

/// Shows what the instrument says until Ctrl-C, or once.
///
/// # Errors
/// When the map has problems and there is only one attempt, or standard output fails.
pub async fn run(args: ProbeArgs) -> anyhow::Result<ExitCode> {
    let mut file = MapFile::new(&args.map);
    if args.once
        && let Some(problems) = &file.problems
    {
        bail!("{} is not sound:\n{problems}", args.map.display());
    }
    let mut session: Option<Session> = None;
    let mut rhythm = tokio::time::interval(args.every);
    rhythm.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = rhythm.tick() => {}
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
        let fresh = file.read();
        if let Some(map) = &file.map
            && (fresh || session.is_none())
        {
            session = Some(Session::new(&args, map, session.take()));
        }
        let polled = match &mut session {
            Some(session) => Some(session.poller.poll(&mut session.line, None).await),
            None => None,
        };
        let shown = Shown {
            args: &args,
            file: &file,
            session: session.as_ref(),
            polled: polled.as_ref(),
        };
        shown.print().context("writing to standard output")?;
        if args.once {
            let answered = polled.is_some_and(|polled| polled.answered > 0);
            return Ok(if answered {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
    }
}

/// A line to the instrument and what is asked over it.
struct Session {
    line: Line,
    framing: Framing,
    poller: Poller,
    map: Arc<Map>,
    channels: Vec<Channel>,
}

impl Session {
    /// With another map on the same line when it can stay.
    fn new(args: &ProbeArgs, map: &Arc<Map>, before: Option<Self>) -> Self {
        let bus = bus(args, map);
        let channels: Vec<Channel> = map
            .points
            .iter()
            .enumerate()
            .filter_map(|(point, p)| match &p.role {
                Role::Factor(factor) => Some(Channel {
                    point,
                    factor: factor.clone(),
                    multiplier: Decimal::ONE,
                }),
                Role::State | Role::Info => None,
            })
            .collect();
        let instrument = Instrument {
            id: "probe".into(),
            outlet: OutletId::from("probe"),
            bus: bus.id.clone(),
            unit: args.unit,
            map: Arc::clone(map),
            map_file: Some(args.map.clone()),
            every_ms: u32::try_from(args.every.as_millis()).unwrap_or(u32::MAX),
            channels: channels.clone(),
        };
        let poller = Poller::new(&instrument, &bus.timing);
        let line = match before.filter(|before| before.framing == bus.framing) {
            Some(before) => before.line,
            None => Line::new(dial(&bus), framing(&bus), poller.line_timing()),
        };
        Self {
            line,
            framing: bus.framing,
            poller,
            map: Arc::clone(map),
            channels,
        }
    }
}

fn bus(args: &ProbeArgs, map: &Map) -> Bus {
    let line = match (&args.tcp, &args.serial) {
        (Some(address), _) => cems_config::Line::Tcp {
            address: address.clone(),
        },
        (None, device) => cems_config::Line::Serial(SerialLine {
            device: device.clone().unwrap_or_default(),
            baud: args.baud,
            data_bits: args.data_bits,
            parity: match args.parity {
                ProbeParity::None => Parity::None,
                ProbeParity::Even => Parity::Even,
                ProbeParity::Odd => Parity::Odd,
            },
            stop_bits: args.stop_bits,
            rs485: false,
        }),
    };
    let framing = match (&map.protocol, &args.tcp) {
        (Protocol::Ascii(_), _) => Framing::Ascii,
        (Protocol::Modbus, Some(_)) if !args.rtu => Framing::ModbusTcp,
        (Protocol::Modbus, _) => Framing::ModbusRtu,
    };
    Bus {
        id: "probe".into(),
        line,
        framing,
        timing: BusTiming {
            timeout_ms: args.timeout_ms,
            ..BusTiming::default()
        },
    }
}

/// One poll on the screen.
struct Shown<'a> {
    args: &'a ProbeArgs,
    file: &'a MapFile,
    session: Option<&'a Session>,
    polled: Option<&'a Polled>,
}

/// A point on the screen.
struct Row {
    name: SmolStr,
    raw: SmolStr,
    value: String,
    unit: SmolStr,
    flag: &'static str,
    trouble: Option<String>,
}

impl Shown<'_> {
    fn rows(&self) -> Vec<Row> {
        let (Some(session), Some(polled)) = (self.session, self.polled) else {
            return Vec::new();
        };
        let samples = to_samples(&session.map, &polled.readings, &session.channels);
        let flag_of = |point: usize| {
            let factor = session.channels.iter().find(|c| c.point == point);
            let sample = factor.and_then(|c| samples.iter().find(|s| s.factor == c.factor));
            sample.map_or("", |sample| sample.flag.as_str())
        };
        let row = |(index, point): (usize, &cems_protocols::instrument::Point)| {
            let reading = polled.readings.iter().rev().find(|r| r.point == index);
            let (value, trouble) = match reading.map(|reading| &reading.value) {
                Some(Ok(value)) => (value.to_string(), None),
                Some(Err(why)) => (String::new(), Some(why.to_string())),
                None => (String::new(), Some("not read".to_owned())),
            };
            Row {
                name: point.name.clone(),
                raw: reading
                    .map(|reading| reading.raw.clone())
                    .unwrap_or_default(),
                value,
                unit: point.unit.clone().unwrap_or_default(),
                flag: flag_of(index),
                trouble,
            }
        };
        session.map.points.iter().enumerate().map(row).collect()
    }

    fn error(&self) -> Option<String> {
        let error = self.polled.and_then(|polled| polled.error.as_ref());
        error.map(ToString::to_string)
    }

    fn print(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.args.json {
            writeln!(out, "{}", self.json())?;
        } else {
            let live = !self.args.once && std::io::stdout().is_terminal();
            write!(out, "{}{}", if live { CLEAR } else { "" }, self.table())?;
        }
        out.flush()
    }

    fn json(&self) -> Value {
        let points: Vec<Value> = self
            .rows()
            .into_iter()
            .map(|row| {
                json!({
                    "name": row.name.as_str(),
                    "raw": row.raw.as_str(),
                    "value": row.value,
                    "unit": row.unit.as_str(),
                    "flag": row.flag,
                    "trouble": row.trouble,
                })
            })
            .collect();
        let line = self.polled.map(|polled| polled.raw.as_slice());
        let line: Vec<&str> = line
            .unwrap_or_default()
            .iter()
            .map(SmolStr::as_str)
            .collect();
        json!({
            "at_ms": Clock::Real.now().0,
            "ok": self.polled.is_some_and(|polled| polled.answered > 0),
            "points": points,
            "line": line,
            "error": self.error(),
            "map_problems": self.file.problems,
        })
    }

    fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let rows = self.rows();
        let width =
            |of: fn(&Row) -> usize, least| rows.iter().map(of).max().unwrap_or(0).max(least);
        let name = width(|row| row.name.chars().count(), 4);
        let raw = width(|row| row.raw.chars().count(), 3).min(40);
        let value = width(|row| row.value.chars().count(), 5);
        let unit = width(|row| row.unit.chars().count(), 4);
        let mut line = |cells: [&str; 5], rest: &str| {
            let [n, r, v, u, f] = cells;
            let text_line = format!("{n:name$}  {r:raw$}  {v:>value$}  {u:unit$}  {f:4} {rest}");
            let _ = writeln!(text, "{}", text_line.trim_end());
        };
        line(["name", "raw", "value", "unit", "flag"], "");
        for row in &rows {
            let cells = [&*row.name, &*row.raw, &*row.value, &*row.unit, row.flag];
            line(cells, row.trouble.as_deref().unwrap_or_default());
        }
        if let Some(error) = self.error() {
            let _ = writeln!(text, "trouble: {error}");
        }
        if let Some(problems) = &self.file.problems {
            let _ = writeln!(text, "the map was not taken:\n{problems}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        for wrong in [
            "",
            "s",
            "1h",
            "10ms",
            "99999s",
            "-1s",
            "99999999999999999999s",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_map_with_problems_does_not_replace_one_without() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("map.toml");
        let good = "id = \"m\"\ntitle_zh = \"例\"\ntitle_en = \"example\"\nsource = \"none\"\n\
                    certainty = \"recalled\"\nbase = 0\n[[point]]\nname = \"a\"\n\
                    factor = \"a21026\"\naddress = 1\ntype = \"u16\"\nunit = \"mg/m3\"\n";
        std::fs::write(&path, good).expect("written");
        let mut file = MapFile::new(&path);
        assert_eq!(file.problems, None);
        assert!(!file.read(), "nothing changed");
        std::fs::write(&path, good.replace("u16", "u17")).expect("written");
        // Of the same length within one tick of the file system's clock it would not be seen.
        std::fs::write(&path, good.replace("u16", "u1717")).expect("written");
        assert!(!file.read());
        let problems = file.problems.clone().expect("told");
        assert!(problems.contains("map.toml:"), "{problems}");
        assert!(file.map.is_some(), "the map before stays");
        std::fs::write(
            &path,
            good.replace("mg/m3", "ug/m3 ").replace("ug/m3 ", "ug/m3"),
        )
        .expect("written");
        assert!(file.read(), "taken again");
        assert_eq!(file.problems, None);
    }
}
