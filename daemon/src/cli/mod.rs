//! The command line. Exit codes: 0 done, 1 failed with a message that says what to do, 2 wrong
//! usage (clap's own).

pub mod archive;
pub mod bench;
mod bench_bus;
mod bench_year;
pub mod books;
pub mod check;
pub mod decode;
pub mod demo;
pub mod explain;
pub mod key;
pub mod lang;
pub mod password;
pub mod probe;
pub mod rebuild;
pub mod recompute;
pub mod report;
pub mod run;
pub mod simulate;
pub mod verify;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Monitoring of emissions: receives HJ 212, keeps the books, judges, raises alarms.
#[derive(Debug, Parser)]
#[command(name = "cemsd", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `cemsd` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A whole small city on this machine: centre, stations, console. No set-up.
    Demo(demo::DemoArgs),
    /// Run the daemon with a configuration file.
    Run(run::RunArgs),
    /// Check a configuration file and everything it names; print every problem.
    Check(check::CheckArgs),
    /// Decode HJ 212 bytes from standard input, one JSON object a frame.
    Decode(decode::DecodeArgs),
    /// Verify the hash chain of a data directory's journal.
    Verify(verify::VerifyArgs),
    /// Build the projections anew from the journal and compare them with the old ones.
    Rebuild(rebuild::RebuildArgs),
    /// Why a number is what it is: its derivation, down to what the instrument sent.
    Explain(explain::ExplainArgs),
    /// Compute a year of hours again by the rules in force then and compare with the books.
    Recompute(recompute::RecomputeArgs),
    /// Reports: formulas, checks, rule profiles, rates, permitted amounts, tax basis.
    Report(report::ReportArgs),
    /// Write sealed days as Parquet files by hand, or compare those there are with the books.
    Archive(archive::ArchiveArgs),
    /// Measure this machine: journal, decoding, journal to projections.
    Bench(bench::BenchArgs),
    /// Hash a password from standard input for a user in the settings.
    HashPassword(password::PasswordArgs),
    /// Keys of enciphered lines (HJ 212-2025): import, list, compare; never print.
    Key(key::KeyArgs),
    /// Show what an instrument says, live, while its register map is being edited.
    Probe(probe::ProbeArgs),
    /// Simulated stations, to load or test any centre.
    Simulate(simulate::SimulateArgs),
}

/// Carries out a command.
pub fn main(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Demo(args) => runtime(demo::run(args)),
        Command::Run(args) => runtime(run::run(args)),
        Command::Probe(args) => runtime(probe::run(args)),
        Command::Simulate(args) => runtime(simulate::run(args)),
        Command::Check(args) => check::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Rebuild(args) => rebuild::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Recompute(args) => recompute::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Archive(args) => archive::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::HashPassword(args) => password::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be done when standard error is closed too.
            let _ = writeln!(std::io::stderr(), "cemsd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// A reader that went away (`| head`) is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
