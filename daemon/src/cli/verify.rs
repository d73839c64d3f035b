//! `cemsd verify`: can the journal be trusted?

use crate::app::Places;
use crate::journal::{self, HashKind, Head, VerifyReport};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

/// `cemsd verify`
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The data directory.
    dir: PathBuf,
    /// A head noted earlier, `SEQ:CHAIN` (or `SEQ:CHAIN:sha256`): proves that nothing up to it
    /// was changed or cut off. May be given several times.
    #[arg(long = "head", value_name = "SEQ:CHAIN")]
    heads: Vec<Anchor>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A head as written on the command line.
#[derive(Debug, Clone)]
struct Anchor(Head);

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let seq = parts
            .next()
            .and_then(|seq| seq.parse().ok())
            .ok_or("no number before `:`")?;
        let chain = parts
            .next()
            .ok_or("no chain value behind `:`")?
            .to_ascii_lowercase();
        let hash = match parts.next() {
            None => HashKind::Sm3,
            Some(name) => HashKind::from_name(name).ok_or("the hash is neither sm3 nor sha256")?,
        };
        Ok(Self(Head { seq, chain, hash }))
    }
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
/// When the directory cannot be listed or standard output fails.
pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let bar = progress_bar(0);
    let anchors: Vec<Head> = args.heads.iter().map(|anchor| anchor.0.clone()).collect();
    let dir = Places::of(&args.dir).journal();
    let report = journal::verify(&dir, &anchors, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })
    .with_context(|| format!("{} holds no readable journal", args.dir.display()))?;
    bar.finish_and_clear();
    print(&report, args.json)?;
    Ok(if report.ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(report: &VerifyReport, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let mut object = serde_json::to_value(report)?;
        object["ok"] = report.ok().into();
        writeln!(out, "{object}")?;
        return Ok(());
    }
    for problem in &report.problems {
        let seq = problem
            .seq
            .map(|seq| format!(" at {seq}"))
            .unwrap_or_default();
        writeln!(out, "{}{seq}: {}", problem.file, problem.what)?;
    }
    for file in &report.set_aside {
        writeln!(out, "{file}: a damaged file that recovery set aside")?;
    }
    let range = match (report.first_seq, report.last_seq) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "none".to_owned(),
    };
    writeln!(
        out,
        "{} files ({} sealed), {} entries ({range})",
        report.files, report.seals, report.entries
    )?;
    if let Some(head) = &report.head {
        writeln!(out, "head {}:{}:{}", head.seq, head.chain, head.hash.name())?;
    }
    let verdict = if report.ok() {
        "the chain holds"
    } else {
        "THE CHAIN DOES NOT HOLD"
    };
    writeln!(out, "{verdict}")?;
    Ok(())
}
