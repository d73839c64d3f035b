//! `cemsd check`: everything wrong with a configuration, at once.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `cemsd check`
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The configuration file.
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Checks and reports.
///
/// # Errors
/// When standard output fails.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match cems_config::load(&args.file) {
        Ok(checked) => {
            let registry = &checked.registry;
            if args.json {
                let warnings: Vec<_> = checked.warnings.iter().map(ToString::to_string).collect();
                let summary = serde_json::json!({
                    "ok": true,
                    "enterprises": registry.enterprises.len(),
                    "outlets": registry.outlets.len(),
                    "sha256": checked.digest,
                    "warnings": warnings,
                });
                writeln!(out, "{summary}")?;
            } else {
                for warning in &checked.warnings {
                    writeln!(out, "warning: {warning}")?;
                }
                writeln!(
                    out,
                    "{} is sound: {} enterprises, {} outlets",
                    args.file.display(),
                    registry.enterprises.len(),
                    registry.outlets.len()
                )?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            if args.json {
                let list: Vec<_> = problems.0.iter().map(ToString::to_string).collect();
                writeln!(
                    out,
                    "{}",
                    serde_json::json!({"ok": false, "problems": list})
                )?;
            } else {
                writeln!(std::io::stderr(), "{problems}")?;
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
