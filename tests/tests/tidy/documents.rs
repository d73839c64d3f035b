//! Rules about documents.

use crate::{File, Offences, files, root};
use std::collections::BTreeSet;

/// Links of a Markdown text outside code, as (line, target).
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second piece between back-ticks is code.
        for piece in line.split('`').step_by(2) {
            for after in piece.split("](").skip(1) {
                if let Some((target, _)) = after.split_once(')') {
                    out.push((index + 1, target.split(' ').next().unwrap_or_default()));
                }
            }
        }
    }
    out
}

/// Anchors of a Markdown text as the usual viewers make them from headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            title
                .chars()
                .filter(kept)
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut offences = Offences::against(
        "a link in a document leads nowhere",
        "correct the path (relative to the document) or the heading it names",
    );
    let files = files();
    for file in files.iter().filter(|f| f.is("md")) {
        let text = file.text.as_deref().unwrap_or_default();
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !resolves(file, text, target) {
                offences.add(format!("{}:{line}: {target}", file.path));
            }
        }
    }
    offences.none();
}

fn resolves(file: &File, text: &str, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let mut other = None;
    if !path.is_empty() {
        let full = root().join(&file.path).with_file_name(path);
        if !full.exists() {
            return false;
        }
        other = std::fs::read_to_string(full).ok();
    }
    anchor.is_empty() || anchors(other.as_deref().unwrap_or(text)).contains(anchor)
}

#[test]
fn documents_have_one_title() {
    let mut offences = Offences::against(
        "a document without a title, or with two",
        "one `# title` in the first line, `##` below it",
    );
    for file in files().iter().filter(|f| f.is("md") && !f.within("vendor")) {
        let text = file.text.as_deref().unwrap_or_default();
        let mut fenced = false;
        let titles = text.lines().filter(|line| {
            fenced ^= line.trim_start().starts_with("```");
            !fenced && line.starts_with("# ")
        });
        let count = titles.count();
        if count != 1 || !text.starts_with("# ") {
            offences.add(format!("{}: {count} titles", file.path));
        }
    }
    offences.none();
}

#[test]
fn decisions_are_in_the_index() {
    let mut offences = Offences::against(
        "a decision is missing from docs/decisions/README.md",
        "add its line to the table there",
    );
    let files = files();
    let index = files.iter().find(|f| f.path == "docs/decisions/README.md");
    let index = index
        .and_then(|f| f.text.as_deref())
        .expect("docs/decisions has an index");
    for file in files
        .iter()
        .filter(|f| f.path.starts_with("docs/decisions/") && f.is("md"))
    {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if name != "README.md" && !index.contains(&format!("({name})")) {
            offences.add(&file.path);
        }
    }
    offences.none();
}
