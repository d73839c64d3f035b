//! The list is complete, its examples are right, and the documents are those it makes.

use super::*;
use crate::explain::tests::arithmetic::evaluate;
use crate::lang::Lang;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every Rust file below `directory`, with its path as a module.
fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

#[test]
fn ids_are_unique_and_every_text_is_there() {
    let mut seen = BTreeSet::new();
    for formula in all() {
        assert!(seen.insert(formula.id), "{} twice", formula.id);
        let texts = [
            formula.standard,
            formula.clause,
            formula.title,
            formula.edges,
        ];
        let meanings = formula.symbols.iter().map(|symbol| symbol.meaning);
        for (zh, en) in texts.into_iter().chain(meanings) {
            assert!(!zh.is_empty() && !en.is_empty(), "{}", formula.id);
        }
        assert!(!formula.expression.is_empty() && !formula.functions.is_empty());
    }
    assert_eq!(formula("D28").unwrap().number, "(28)");
    assert!(formula("D99").is_none());
}

#[test]
fn functions_with_a_number_of_annex_d_are_in_the_list() {
    let listed: BTreeSet<&str> = all()
        .flat_map(|formula| formula.functions)
        .filter_map(|path| path.rsplit("::").next())
        .collect();
    let mut found = 0;
    for (path, text) in sources(&here("src/formula")) {
        if path.components().any(|c| c.as_os_str() == "catalogue") {
            continue;
        }
        for line in text.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
            let name: String = line
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let numbered = name
                .strip_prefix('d')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if numbered {
                found += 1;
                assert!(listed.contains(name.as_str()), "{name} is in no entry");
            }
        }
    }
    assert!(found >= 14, "{found} found");
}

#[test]
fn the_functions_named_exist() {
    let all_sources = sources(&here("src"));
    for path in all().flat_map(|formula| formula.functions) {
        let mut parts = path.split("::");
        let module = parts.next().unwrap();
        let name = path.rsplit("::").next().unwrap();
        let marks = [format!("pub fn {name}("), format!("pub fn {name}<")];
        let there = all_sources.iter().any(|(file, text)| {
            let of = file.components().any(|c| {
                c.as_os_str() == module || c.as_os_str() == format!("{module}.rs").as_str()
            });
            of && marks.iter().any(|mark| text.contains(mark.as_str()))
        });
        assert!(there, "{path}");
    }
}

#[test]
fn examples_come_to_what_they_say_and_to_what_the_cases_say() {
    let cases: Vec<Json> = include_str!("../../../testdata/vectors.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut checked = 0;
    for formula in all() {
        let worked = (formula.example)();
        let value = worked
            .value
            .unwrap_or_else(|| panic!("{}: no value", formula.id));
        if let Some(found) = evaluate(&worked.with) {
            // Figures in between are written with four decimals.
            let off = (found - value).abs();
            assert!(
                off <= Decimal::new(1, 2),
                "{}: {value}, {found}",
                formula.id
            );
            checked += 1;
        }
        let Some((id, name)) = worked.case else {
            continue;
        };
        let case = cases.iter().find(|case| case["id"] == id).expect(id);
        assert_ne!(case["status"], "M", "{id} decides nothing");
        let expected: Decimal = case["expected"][name].to_string().parse().unwrap();
        let tolerance: Decimal = case["tolerance"].to_string().parse().unwrap_or_default();
        assert!(
            (expected - value).abs() <= tolerance,
            "{id}: {value}, {expected}"
        );
    }
    assert!(checked > 30, "{checked} examples evaluated");
}

#[test]
fn explanations_name_formulas_of_the_list() {
    let by = |text: &str, mark: &str| -> Vec<String> {
        let parts = text.split(mark).skip(1);
        let ids = parts.filter_map(|rest| rest.split('"').next());
        ids.map(str::to_owned).collect()
    };
    let mut found = 0;
    for (path, text) in sources(&here("src/explain")) {
        for id in by(&text, ".by(\"") {
            assert!(formula(&id).is_some(), "{}: {id}", path.display());
            found += 1;
        }
    }
    assert!(found > 15, "{found}");
}

#[test]
fn the_documents_are_made_from_the_list() {
    for (name, lang) in [("formulas.md", Lang::En), ("formulas.zh-CN.md", Lang::Zh)] {
        let path = here("../../docs").join(name);
        let made = report_markdown(lang);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == made,
            "docs/{name}: bless with BLESS=1 after reading"
        );
        assert!(
            made.lines().count() <= 500,
            "{name} is too long to read through"
        );
    }
}
