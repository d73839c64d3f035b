//! `cemsd verify`: can the journal be trusted?

use crate::app::Places;
use crate::journal;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// `cemsd verify`
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The data directory.
    dir: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A progress bar over `total` steps, on a terminal only.
pub(crate) fn progress_bar(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}")
        .expect("the template is constant and tested by use");
    ProgressBar::new(total).with_style(style)
}

/// Recomputes every hash.
///
/// # Errors
/// When standard output fails.
pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let bar = progress_bar(0);
    let report = journal::verify(&Places::of(&args.dir).journal(), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let sound = report.chain_ok && report.problems.is_empty();
    let mut out = std::io::stdout().lock();
    let head = report.head.as_ref().map(|head| format!("{head:?}"));
    if args.json {
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|p| serde_json::json!({"file": p.file, "seq": p.seq, "what": p.what.to_string()}))
            .collect();
        let object = serde_json::json!({
            "ok": sound,
            "files": report.files,
            "entries": report.entries,
            "first_seq": report.first_seq,
            "last_seq": report.last_seq,
            "head": head,
            "problems": problems,
        });
        writeln!(out, "{object}")?;
    } else {
        for problem in &report.problems {
            writeln!(out, "{problem}")?;
        }
        writeln!(
            out,
            "{} files, {} entries, {} .. {}; head {}: {}",
            report.files,
            report.entries,
            report.first_seq.unwrap_or(0),
            report.last_seq.unwrap_or(0),
            head.as_deref().unwrap_or("none"),
            if sound { "the chain holds" } else { "THE CHAIN DOES NOT HOLD" }
        )?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
