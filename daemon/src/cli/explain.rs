//! `cemsd explain`: why a number is what it is.

use super::books::{self, BooksArgs};
use anyhow::Context;
use cems_core::explain::{DEPTH_DEFAULT, Question, period, text};
use cems_core::model::{FactorCode, OutletId};
use std::io::Write;
use std::process::ExitCode;

/// `cemsd explain`
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The outlet.
    outlet: String,
    /// The factor by its 2017 code, such as a21026.
    factor: String,
    /// 2026-11-22T10:05 (a minute record; with seconds a real-time one), 2026-11-22T10 (an hour),
    /// 2026-11-22, 2026-11, 2026-Q4, 2026; by the site's clock.
    period: String,
    /// Levels of the derivation to show.
    #[arg(long, default_value_t = DEPTH_DEFAULT)]
    depth: u32,
    #[command(flatten)]
    books: BooksArgs,
}

/// Explains.
///
/// # Errors
/// When the period is none, outlet or factor are unknown, or the books cannot be read.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let books = books::open(&args.books.data)?;
    let asked = period::parse(&args.period, books.registry.offset)
        .with_context(|| format!("the period {}", args.period))?;
    let question = Question {
        outlet: OutletId::new(&args.outlet),
        factor: FactorCode::new(&args.factor),
        asked,
        depth: args.depth,
    };
    let node = books.ask(|books| Ok(books.explain(&question)))??;
    let mut out = std::io::stdout().lock();
    if args.books.json {
        writeln!(out, "{}", serde_json::to_string(&node)?)?;
    } else {
        write!(out, "{}", text(&node, args.books.language()))?;
    }
    Ok(ExitCode::SUCCESS)
}
