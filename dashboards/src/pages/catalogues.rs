//! `/checks` and `/formulas`: the two catalogues the program works by.

use super::{Page, html};
use crate::app::Visit;
use crate::text::Words;
use crate::view::section::{Tab, data_tabs};
use crate::view::shell::Shell;
use askama::Template;
use cems_core::formula::catalogue::{self, Both, Formula};
use cems_core::validate::{CATALOGUE, Check};

#[derive(Template)]
#[template(path = "checks.html")]
struct ChecksPage {
    shell: Shell,
    tabs: Vec<Tab>,
    checks: Vec<CheckItem>,
}

struct CheckItem {
    number: &'static str,
    code: &'static str,
    severity: &'static str,
    severity_word: String,
    what: String,
    text: String,
    /// Name, value with unit, ground and source.
    thresholds: Vec<(String, String, String)>,
}

fn check(words: Words, check: &Check) -> CheckItem {
    let severity = check.severity.as_str();
    let thresholds = check.thresholds.iter().map(|t| {
        let value = format!("{} {}", t.default.normalize(), t.unit);
        (
            t.name.to_owned(),
            value.trim().to_owned(),
            format!("[{}] {}", t.ground.as_str(), t.source),
        )
    });
    CheckItem {
        number: check.number,
        code: check.code,
        severity,
        severity_word: words.code("severity", severity),
        what: words.pick(check.what_zh, Some(check.what_en)).to_owned(),
        text: words.pick(check.text_zh, Some(check.text_en)).to_owned(),
        thresholds: thresholds.collect(),
    }
}

/// `GET /checks`.
pub(super) async fn checks(visit: Visit) -> Page {
    Ok(html(&ChecksPage {
        shell: Shell::new(&visit, "data"),
        tabs: data_tabs(visit.words, "checks"),
        checks: CATALOGUE.iter().map(|c| check(visit.words, c)).collect(),
    }))
}

#[derive(Template)]
#[template(path = "formulas.html")]
struct FormulasPage {
    shell: Shell,
    tabs: Vec<Tab>,
    formulas: Vec<FormulaItem>,
}

struct FormulaItem {
    id: &'static str,
    title: String,
    source: String,
    expression: &'static str,
    symbols: Vec<(&'static str, String)>,
    edges: String,
    example: String,
}

fn formula(words: Words, formula: &Formula) -> FormulaItem {
    let pick = |(zh, en): Both| words.pick(zh, Some(en)).to_owned();
    let source = [
        pick(formula.standard),
        pick(formula.clause),
        formula.number.to_owned(),
        formula.sure.map_or("—", |sure| sure.as_str()).to_owned(),
    ];
    let worked = (formula.example)();
    let value = worked
        .value
        .map_or_else(|| words.t("node-without"), |v| v.normalize().to_string());
    let symbols = formula.symbols.iter();
    FormulaItem {
        id: formula.id,
        title: pick(formula.title),
        source: source
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        expression: formula.expression,
        symbols: symbols.map(|s| (s.name, pick(s.meaning))).collect(),
        edges: pick(formula.edges),
        example: format!("{} → {value} {}", worked.with, worked.unit)
            .trim()
            .to_owned(),
    }
}

/// `GET /formulas`.
pub(super) async fn formulas(visit: Visit) -> Page {
    Ok(html(&FormulasPage {
        shell: Shell::new(&visit, "data"),
        tabs: data_tabs(visit.words, "formulas"),
        formulas: catalogue::all().map(|f| formula(visit.words, f)).collect(),
    }))
}
