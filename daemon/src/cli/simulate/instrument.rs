//! `cemsd simulate --instrument MAP`: a Modbus slave of any family of instruments.

use crate::clock::Clock;
use crate::simulate::analyser;
use crate::simulate::plant::{Plant, PlantKind};
use crate::simulate::scenario::Scenario;
use crate::simulate::script::Script;
use crate::simulate::slave::{Device, Line};
use crate::telemetry;
use anyhow::{Context, anyhow, bail, ensure};
use cems_config::{LogLevel, LogSettings};
use cems_protocols::instrument::{Map, Protocol};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use tokio_util::sync::CancellationToken;

/// What is played instead of stations.
#[derive(Debug, clap::Args)]
#[group(id = "playing")]
pub(super) struct InstrumentArgs {
    /// Play an instrument of this family: a register map that comes with the program, or a file;
    /// `simulated` has every channel of the plant.
    #[arg(long, value_name = "MAP|FILE", conflicts_with = "to")]
    instrument: Option<String>,
    /// Answer Modbus TCP here (port 0: any).
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        requires = "instrument",
        default_value = "127.0.0.1:1502",
        conflicts_with = "serial"
    )]
    tcp: SocketAddr,
    /// Answer Modbus RTU on this serial port.
    #[arg(long, value_name = "DEVICE", requires = "instrument")]
    serial: Option<PathBuf>,
    /// Bits a second of the serial port.
    #[arg(long, default_value_t = 9_600, requires = "serial")]
    baud: u32,
    /// Its address on the line.
    #[arg(long, default_value_t = 1, requires = "instrument")]
    unit: u8,
    /// What it measures.
    #[arg(long, value_enum, default_value_t = Kind::CoalBoiler, requires = "instrument")]
    plant: Kind,
}

/// Plants to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Boiler of a heat and power plant.
    CoalBoiler,
    /// Waste incinerator.
    WasteIncinerator,
    /// Cement kiln.
    CementKiln,
    /// Waste water works.
    WasteWater,
}

impl Kind {
    fn plant(self) -> PlantKind {
        match self {
            Self::CoalBoiler => PlantKind::CoalBoiler,
            Self::WasteIncinerator => PlantKind::WasteIncinerator,
            Self::CementKiln => PlantKind::CementKiln,
            Self::WasteWater => PlantKind::WasteWater,
        }
    }
}

/// Answers until the time is up or Ctrl-C. `scenario` is what station 0 of it goes through.
pub(super) async fn run(
    args: &InstrumentArgs,
    scenario: Option<&Scenario>,
    (seed, length): (u64, Option<Duration>),
) -> anyhow::Result<ExitCode> {
    telemetry::start_logging(&LogSettings {
        level: LogLevel::Warn,
        ..LogSettings::default()
    });
    let name = args.instrument.as_deref().context("--instrument MAP")?;
    let script = match scenario {
        Some(scenario) => scenario.script(0, Clock::Real.now())?,
        None => Script::default(),
    };
    let plant = Plant::new(args.plant.plant(), seed).with_script(script);
    let map = find(name, &plant)?;
    ensure!(
        map.protocol == Protocol::Modbus,
        "{name} is read as text, not over Modbus: only Modbus instruments are simulated"
    );
    let title = map.title_en.clone();
    let device = Device::new(Arc::new(map), plant, Clock::Real);
    let line = Line::new([(args.unit, device)].into());
    let stop = CancellationToken::new();
    let ended = end(length);
    let unit = args.unit;
    let say = |place: &str| writeln!(std::io::stdout(), "{title}: unit {unit} answers on {place}");
    if let Some(path) = &args.serial {
        let port = open(path, args.baud)?;
        say(&path.display().to_string())?;
        tokio::select! {
            served = line.serve_rtu(port, stop) => {
                served.with_context(|| format!("the line {} broke", path.display()))?;
            }
            ended = ended => ended?,
        }
    } else {
        let listener = TcpListener::bind(args.tcp)
            .await
            .with_context(|| format!("cannot listen on {}: choose another --tcp", args.tcp))?;
        say(&listener.local_addr()?.to_string())?;
        tokio::select! {
            () = line.serve_tcp(listener, stop) => {}
            ended = ended => ended?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A map by its name, or from a file.
fn find(name: &str, plant: &Plant) -> anyhow::Result<Map> {
    let problems = |problems| anyhow!("{problems}");
    if name == "simulated" {
        let text = analyser::map(plant.kind(), plant.channels());
        let path = "simulated.toml";
        return cems_config::load_map_str(path, &text).map_err(problems);
    }
    let known = cems_config::instruments::builtin();
    if let Some(map) = known.get(name) {
        return Ok(map.as_ref().clone());
    }
    let path = Path::new(name);
    if !path.exists() {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        bail!(
            "no map is called {name}, and there is no such file; those that come with the program: \
             {}",
            names.join(", ")
        );
    }
    cems_config::load_map(path).map_err(problems)
}

fn open(path: &Path, baud: u32) -> anyhow::Result<SerialStream> {
    tokio_serial::new(path.to_string_lossy(), baud)
        .open_native_async()
        .with_context(|| format!("cannot open the serial port {}", path.display()))
}

async fn end(length: Option<Duration>) -> std::io::Result<()> {
    match length {
        Some(length) => {
            tokio::time::sleep(length).await;
            Ok(())
        }
        None => tokio::signal::ctrl_c().await,
    }
}
