//! Every formula the program computes with, in one list: number, source, how sure its reading is,
//! symbols, behaviour at the edges, the function, and an example worked by that function.

mod amounts;
mod examples;
mod gas;
mod general;
mod quality;
mod report;
mod water;

pub use report::report_markdown;

use crate::model::Sure;
use rust_decimal::Decimal;

/// A text in Chinese and English.
pub type Both = (&'static str, &'static str);

/// A symbol of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// As it stands in the expression.
    pub name: &'static str,
    /// What it means, with its unit.
    pub meaning: Both,
}

/// An example worked by the function itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worked {
    /// The expression with the values put in.
    pub with: String,
    /// The result; `None` where the formula has none.
    pub value: Option<Decimal>,
    /// Its unit.
    pub unit: &'static str,
    /// Worked case that the numbers come from and the name of its result, where there is one.
    pub case: Option<(&'static str, &'static str)>,
}

/// A formula.
#[derive(Debug, Clone, Copy)]
pub struct Formula {
    /// Identity in explanations and the API.
    pub id: &'static str,
    /// Number within the standard; empty where it has none.
    pub number: &'static str,
    /// Standard or law; what else it comes from.
    pub standard: Both,
    /// Clause, annex, table.
    pub clause: Both,
    /// How sure the reading is; `None`: it comes from no standard.
    pub sure: Option<Sure>,
    /// What it is.
    pub title: Both,
    /// The expression.
    pub expression: &'static str,
    /// Its symbols.
    pub symbols: &'static [Symbol],
    /// Where there is no value, and what else happens at the edges.
    pub edges: Both,
    /// Functions that compute it, as paths in this crate.
    pub functions: &'static [&'static str],
    /// An example, worked now.
    pub example: fn() -> Worked,
}

const fn symbol(name: &'static str, zh: &'static str, en: &'static str) -> Symbol {
    Symbol {
        name,
        meaning: (zh, en),
    }
}

/// The parts of the list, in the order of the report.
const PARTS: [(Both, &[Formula]); 5] = [
    (("废气", "Stack gas"), gas::FORMULAS),
    (("废水", "Waste water"), water::FORMULAS),
    (
        ("均值、合计与修约", "Means, sums and rounding"),
        general::FORMULAS,
    ),
    (
        ("质量保证与比率", "Quality assurance and rates"),
        quality::FORMULAS,
    ),
    (("限值与排放量", "Limits and amounts"), amounts::FORMULAS),
];

/// Every formula.
pub fn all() -> impl Iterator<Item = &'static Formula> {
    PARTS.iter().flat_map(|(_, formulas)| formulas.iter())
}

/// The formula with this id.
pub fn formula(id: &str) -> Option<&'static Formula> {
    all().find(|formula| formula.id == id)
}

#[cfg(test)]
mod tests;
