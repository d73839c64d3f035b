//! `cemsd demo`: a whole small city on this machine.

use crate::demo::{self, Options};
use anyhow::bail;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// `cemsd demo`
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// How many times faster than real time simulated time runs.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: u32,
    /// Keep the data in this directory and go on there at the next start; without it they are in
    /// a temporary directory that is removed at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Port of the console on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of HJ 212 on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 9212)]
    hj212_port: u16,
    /// Days of hour records in the books at the first start.
    #[arg(long, value_name = "DAYS", default_value_t = 21,
          value_parser = clap::value_parser!(u32).range(2..=60))]
    history: u32,
    /// Stop after this many seconds of real time.
    #[arg(long, value_name = "SECONDS")]
    exit_after: Option<u64>,
    /// Start a database of series (VictoriaMetrics) and an MQTT broker (mosquitto) beside it, those
    /// that are installed, and send them the data; they end with the demo.
    #[arg(long)]
    feed: bool,
    /// Print what a script needs (addresses, log-ins) as one JSON object once all is up.
    #[arg(long)]
    json: bool,
}

/// Runs the demo until Ctrl-C, SIGTERM or the end of `--exit-after`.
///
/// # Errors
/// When a port is taken or the data directory cannot be used.
pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    if args.port != 0 && args.port == args.hj212_port {
        bail!(
            "console and HJ 212 cannot share port {}: change --port or --hj212-port",
            args.port
        );
    }
    demo::run(Options {
        speed: args.speed,
        data: args.data,
        console_port: args.port,
        hj212_port: args.hj212_port,
        history_days: args.history,
        exit_after: args.exit_after.map(Duration::from_secs),
        feed: args.feed,
        json: args.json,
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
