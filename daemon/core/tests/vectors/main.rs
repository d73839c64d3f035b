//! Worked cases with their results, one test each: those of `testdata/vectors.jsonl` that come
//! from a source or follow from a verified formula (status S, R, D; recalled ones, M, decide
//! nothing), and those of `testdata/qa-vectors-epa.jsonl`.
//!
//! Each area takes the cases it knows; a case that no area knows fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;
mod checks;
mod conversion;
mod hours;
mod marks;
mod permits;
mod quality;
mod substitution;
mod water;
mod world;

use case::{Case, Outcome};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// Every area, by the function that answers `None` for a case that is not its own.
const AREAS: [fn(&Case) -> Option<Outcome>; 8] = [
    checks::run,
    conversion::run,
    hours::run,
    marks::run,
    permits::run,
    quality::run,
    substitution::run,
    water::run,
];

fn run(case: &Case) -> Result<(), Failed> {
    let outcome = AREAS.iter().find_map(|area| area(case));
    let outcome = outcome.ok_or_else(|| format!("no area knows {}", case.id))?;
    outcome.map_err(|error| format!("{}: {error}", case.rule).into())
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = case::all();
    let trials = cases
        .into_iter()
        .map(|case| Trial::test(case.id.clone(), move || run(&case)))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
