//! The catalogue as a document.

use super::catalogue::{CATALOGUE, Check};
use std::fmt::Write;

const INTRODUCTION: &str = "\
# Checks

What is looked at in every value, record, hour and day. This page is made from the catalogue in
`daemon/core/src/validate/catalogue/list.rs` by a test (`BLESS=1` writes it); do not edit it.

* *invalid*: the value does not count. *impossible*: nor does it, and somebody must look.
  *clue* (线索): nothing changes about the data; a person may want to look.
* A profile sets thresholds under `checks`, by code and name, and switches checks off by code in
  `checks_off`. The defaults below count where it says nothing.
* Sources: V read in the law, standard or the regulator's data; V2 read in a secondary source; M
  recalled, no text at hand; h choice of the author of a public rule list, no standard; own chosen
  here, with the reason.
* A clue states what was seen. What it means is for a person to find out.
";

/// Headings by the first digit of the number.
const BLOCKS: [(char, &str); 4] = [
    ('1', "A value (单个数值)"),
    ('2', "A record (单条记录)"),
    ('3', "An hour (小时)"),
    ('4', "A day (日)"),
];

/// `docs/checks.md`: every check with its words in both languages and its thresholds.
pub fn catalogue_markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    for (digit, title) in BLOCKS {
        let of_block = |check: &&Check| check.number.chars().nth(1) == Some(digit);
        let checks: Vec<&Check> = CATALOGUE.iter().filter(of_block).collect();
        line(&mut out, format_args!("\n## {title}\n"));
        line(
            &mut out,
            format_args!("| no. | code | severity | what | message |"),
        );
        line(&mut out, format_args!("| --- | --- | --- | --- | --- |"));
        for check in &checks {
            row(&mut out, check);
        }
        thresholds(&mut out, &checks);
    }
    out
}

fn row(out: &mut String, check: &Check) {
    line(
        out,
        format_args!(
            "| {} | `{}` | {} | {}<br>{} | {}<br>{} |",
            check.number,
            check.code,
            check.severity.as_str(),
            check.what_zh,
            check.what_en,
            check.text_zh,
            check.text_en
        ),
    );
}

fn thresholds(out: &mut String, checks: &[&Check]) {
    if checks.iter().all(|check| check.thresholds.is_empty()) {
        return;
    }
    let head = "\n| no. | threshold | default | unit | sure | source |";
    line(out, format_args!("{head}"));
    line(out, format_args!("| --- | --- | --- | --- | --- | --- |"));
    for check in checks {
        for threshold in check.thresholds {
            line(
                out,
                format_args!(
                    "| {} | `{}.{}` | {} | {} | {} | {} |",
                    check.number,
                    check.code,
                    threshold.name,
                    threshold.default,
                    threshold.unit,
                    threshold.ground.as_str(),
                    threshold.source
                ),
            );
        }
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a String takes every text");
}
