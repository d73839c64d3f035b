//! Rules about source text.

use crate::{File, Offences, files};
use std::collections::{BTreeMap, BTreeSet};

/// Longest file that a person reads through.
const FILE_LINES_MAX: usize = 500;
/// Longest line, columns.
const LINE_COLUMNS_MAX: usize = 100;
/// Largest file in the repository.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Kept as they came from others, or tables that a program reads.
fn is_data(file: &File) -> bool {
    file.within("testdata") || file.within("vendor") || file.within("tables")
}

#[test]
fn files_are_short_enough_to_read_through() {
    let mut offences = Offences::against(
        "a file is longer than 500 lines",
        "split it by idea into a directory of modules; tests go to a sibling `tests.rs`",
    );
    let kinds = ["rs", "md", "html", "css", "js", "ftl", "sql", "sh"];
    for file in files()
        .iter()
        .filter(|f| !is_data(f) && kinds.iter().any(|k| f.is(k)))
    {
        let lines = file.text.as_deref().unwrap_or_default().lines().count();
        if lines > FILE_LINES_MAX {
            offences.add(format!("{}: {lines} lines", file.path));
        }
    }
    offences.none();
}

#[test]
fn lines_fit_side_by_side_on_a_screen() {
    let mut offences = Offences::against(
        "a line of Rust is longer than 100 columns",
        "break it; a long text goes on with `\\` at the end of the line",
    );
    for file in files().iter().filter(|f| f.is("rs") && !is_data(f)) {
        for (index, line) in file.text.as_deref().unwrap_or_default().lines().enumerate() {
            let columns = line.chars().count();
            if columns > LINE_COLUMNS_MAX {
                offences.add(format!("{}:{}: {columns} columns", file.path, index + 1));
            }
        }
    }
    offences.none();
}

#[test]
fn nothing_is_left_for_later() {
    let mut offences = Offences::against(
        "something is left for later",
        "do it now, or open an issue and take the mark out",
    );
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
    ];
    let kinds = ["rs", "md", "toml", "html", "js", "css", "ftl", "sql", "sh"];
    for file in files()
        .iter()
        .filter(|f| !is_data(f) && kinds.iter().any(|k| f.is(k)))
    {
        for (index, line) in file.text.as_deref().unwrap_or_default().lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
                offences.add(format!("{}:{}: {mark}", file.path, index + 1));
            }
        }
    }
    offences.none();
}

#[test]
fn only_the_command_line_prints() {
    let mut offences = Offences::against(
        "something prints outside the command line",
        "log it through `daemon/src/telemetry.rs`, or write to the handle the caller gives",
    );
    let prints = ["println!(", "eprintln!(", " print!(", " eprint!("];
    for file in files()
        .iter()
        .filter(|f| f.is("rs") && !f.path.starts_with("daemon/src/cli/"))
    {
        offences.search(&file.path, file.shipped(), &prints);
    }
    offences.none();
}

#[test]
fn nothing_unwraps_in_the_field() {
    let mut offences = Offences::against(
        "an `unwrap` outside tests",
        "return the error, or `expect(\"why it cannot be\")`",
    );
    for file in files().iter().filter(|f| f.is("rs")) {
        offences.search(&file.path, file.shipped(), &[".unwrap()", ".unwrap_err()"]);
    }
    offences.none();
}

#[test]
fn only_the_clock_reads_the_clock() {
    let mut offences = Offences::against(
        "the machine's clock is read outside `daemon/src/clock.rs`",
        "take the time from an event, or hand a `Clock` down",
    );
    let clocks = [
        "SystemTime::now",
        "Utc::now",
        "Local::now",
        "UNIX_EPOCH.elapsed",
    ];
    for file in files()
        .iter()
        .filter(|f| f.is("rs") && f.path != "daemon/src/clock.rs")
    {
        if file.path != "tests/tests/tidy/source.rs" {
            let text = file.text.as_deref().unwrap_or_default();
            offences.search(&file.path, text, &clocks);
        }
    }
    offences.none();
}

#[test]
fn tests_always_run_and_say_what_they_mean() {
    let mut offences = Offences::against(
        "a test is switched off, or passes on any panic",
        "repair it or take it out; assert on the value instead of `should_panic`",
    );
    for file in files().iter().filter(|f| f.is("rs")) {
        let text = file.text.as_deref().unwrap_or_default();
        offences.search(
            &file.path,
            text,
            &[concat!("#[", "ignore"), concat!("#[", "should_panic")],
        );
    }
    offences.none();
}

#[test]
fn no_file_is_a_lump() {
    let mut offences = Offences::against(
        "a file is larger than 1 MiB",
        "make test data in code from a seed, or keep the smallest part that shows the case",
    );
    for file in files().iter().filter(|f| f.bytes > FILE_BYTES_MAX) {
        offences.add(format!("{}: {} bytes", file.path, file.bytes));
    }
    offences.none();
}

#[test]
fn nothing_points_to_one_machine() {
    let mut offences = Offences::against(
        "a path or package host of one machine",
        "use a path relative to the project; leave package sources to each machine's own set-up",
    );
    let marks = [
        concat!("/wo", "rk/"),
        concat!("../sha", "red"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("[sou", "rce."),
        concat!("[regis", "tries"),
        concat!("index", "-url"),
    ];
    for file in files() {
        for (index, line) in file.text.as_deref().unwrap_or_default().lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
                offences.add(format!("{}:{}: {mark}", file.path, index + 1));
            }
        }
    }
    offences.none();
}

#[test]
fn both_languages_say_the_same_things() {
    let mut offences = Offences::against(
        "the texts in zh-CN and English differ in keys or variables",
        "add the missing text in both languages, with the same `{ $variables }`",
    );
    let files = files();
    let mut by_language: BTreeMap<&str, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for file in files.iter().filter(|f| f.is("ftl")) {
        let language = if file.path.contains("zh") {
            "zh-CN"
        } else {
            "en"
        };
        let keys = texts(file.text.as_deref().unwrap_or_default());
        by_language.entry(language).or_default().extend(keys);
    }
    let none = BTreeMap::new();
    let zh = by_language.get("zh-CN").unwrap_or(&none);
    let en = by_language.get("en").unwrap_or(&none);
    assert!(
        !zh.is_empty() && !en.is_empty(),
        "no .ftl files: has the place of the texts moved?"
    );
    for (has, lacks, language) in [(zh, en, "English"), (en, zh, "Chinese")] {
        for key in has.keys().filter(|key| !lacks.contains_key(*key)) {
            offences.add(format!("{key}: no {language} text"));
        }
    }
    for (key, variables) in zh {
        if let Some(others) = en.get(key).filter(|others| *others != variables) {
            offences.add(format!(
                "{key}: zh-CN uses {variables:?}, English {others:?}"
            ));
        }
    }
    offences.none();
}

/// Keys of a Fluent file with the variables their texts use.
fn texts(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        let starts = line
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '-');
        if starts && let Some((key, _)) = line.split_once('=') {
            let key = key.trim().to_owned();
            out.entry(key.clone()).or_default();
            current = Some(key);
        } else if line.starts_with('#') {
            continue;
        }
        let Some(variables) = current.as_ref().and_then(|key| out.get_mut(key)) else {
            continue;
        };
        for after in line.split('$').skip(1) {
            let name = after.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
            variables.extend(name.take(1).map(str::to_owned));
        }
    }
    out
}
