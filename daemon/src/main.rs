//! The `cemsd` program.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cems_daemon::cli::main(cems_daemon::cli::Arguments::parse())
}
