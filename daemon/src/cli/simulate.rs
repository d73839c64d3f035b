//! `cemsd simulate`: stations that load or test a centre, ours or not, and instruments that a
//! station, ours or not, can read.

mod instrument;

use crate::simulate::crowd::{self, Crowd, Editions};
use crate::simulate::scenario::Scenario;
use crate::telemetry;
use anyhow::{Context, bail, ensure};
use cems_config::{LogLevel, LogSettings};
use smol_str::SmolStr;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::lookup_host;

/// `cemsd simulate`
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// Play stations that upload to this centre.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "instrument")]
    to: Option<String>,
    #[command(flatten)]
    instrument: instrument::InstrumentArgs,
    /// How many stations [default: as the scenario says, else 1].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    stations: Option<u32>,
    /// What they go through: a scenario that comes with the program (normal-day, exceedance,
    /// drift, constant, outage, reconnect-storm, bad-clock, damaged-frames) or a TOML file.
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// Edition they speak.
    #[arg(long, value_enum, default_value_t = Edition::Mixed)]
    edition: Edition,
    /// Seconds between real-time records [default: as the scenario says, else 30].
    #[arg(long, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    interval: Option<u32>,
    /// Another seed, other figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many seconds; without it at Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// Password they send.
    #[arg(long, default_value = "123456")]
    password: SmolStr,
    /// Wait for no answers (bit 0 of the Flag not set).
    #[arg(long)]
    no_answer: bool,
    /// Allow a centre that is not on this machine.
    #[arg(long)]
    allow_remote: bool,
    /// Print the counts as one JSON object.
    #[arg(long)]
    json: bool,
    /// Print a registry in which these stations are known (TOML for a daemon's `registry`), and
    /// send nothing.
    #[arg(long)]
    print_registry: bool,
}

/// Editions to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Edition {
    /// HJ/T 212-2005.
    #[value(name = "2005")]
    V2005,
    /// HJ 212-2017.
    #[value(name = "2017")]
    V2017,
    /// HJ 212-2025, clear text.
    #[value(name = "2025")]
    V2025,
    /// All three in turn.
    Mixed,
}

/// Runs the stations for the duration, or until Ctrl-C, and prints what they counted.
///
/// # Errors
/// When the centre's address cannot be found or is not on this machine.
pub async fn run(args: SimulateArgs) -> anyhow::Result<ExitCode> {
    let scenario = args.scenario.as_deref().map(Scenario::find).transpose()?;
    let Some(to) = &args.to else {
        let length = args.duration.map(Duration::from_secs);
        return instrument::run(&args.instrument, scenario.as_ref(), (args.seed, length)).await;
    };
    let centre = address(to, args.allow_remote).await?;
    let crowd_of = scenario.as_ref().map(|s| s.stations).unwrap_or_default();
    let crowd = Crowd {
        centre,
        stations: args
            .stations
            .or(crowd_of.count)
            .unwrap_or(1)
            .clamp(1, 20_000),
        editions: match args.edition {
            Edition::V2005 => Editions::One(cems_protocols::hj212::Edition::V2005),
            Edition::V2017 => Editions::One(cems_protocols::hj212::Edition::V2017),
            Edition::V2025 => Editions::One(cems_protocols::hj212::Edition::V2025),
            Edition::Mixed => Editions::Mixed,
        },
        interval_s: args
            .interval
            .or(crowd_of.interval_s)
            .unwrap_or(30)
            .clamp(1, 3_600),
        seed: args.seed,
        password: args.password,
        wants_answer: !args.no_answer,
        scenario,
    };
    if args.print_registry {
        write!(std::io::stdout(), "{}", crowd.registry())?;
        return Ok(ExitCode::SUCCESS);
    }
    telemetry::start_logging(&LogSettings {
        level: LogLevel::Warn,
        ..LogSettings::default()
    });
    let end = async {
        match args.duration {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let outcome = crowd.run(end).await?;
    print(&outcome, args.json)?;
    // A centre nobody could connect to was not tested.
    Ok(if outcome.count("connected") > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn address(to: &str, allow_remote: bool) -> anyhow::Result<SocketAddr> {
    let mut found = lookup_host(to)
        .await
        .with_context(|| format!("cannot find the centre {to}"))?;
    let Some(address) = found.next() else {
        bail!("the centre {to} has no address")
    };
    ensure!(
        address.ip().is_loopback() || allow_remote,
        "{to} is not on this machine: load only a centre you answer for, with --allow-remote"
    );
    Ok(address)
}

fn print(outcome: &crowd::Outcome, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let latencies = outcome.latencies_ms();
    if json {
        let counts: serde_json::Map<_, _> = outcome
            .tally
            .counts()
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect();
        let latencies: serde_json::Map<_, _> = latencies
            .iter()
            .map(|(name, ms)| ((*name).to_owned(), (*ms).into()))
            .collect();
        let object = serde_json::json!({
            "stations": outcome.stations,
            "elapsed_ms": u64::try_from(outcome.elapsed.as_millis()).unwrap_or(u64::MAX),
            "counts": counts,
            "answer_latency_ms": latencies,
        });
        writeln!(out, "{object}")?;
        return Ok(());
    }
    writeln!(out, "{:<16} {:>12}", "stations", outcome.stations)?;
    for (name, count) in outcome.tally.counts() {
        writeln!(out, "{name:<16} {count:>12}")?;
    }
    for (name, ms) in latencies {
        writeln!(out, "answer {name:<9} {ms:>9} ms")?;
    }
    Ok(())
}
