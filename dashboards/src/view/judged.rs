//! Marks, tests of the equipment and validity reviews in words.

use super::Eyes;
use super::outlet::outlet_link;
use super::sourced::journal;
use crate::format::{NONE, unit};
use crate::text::Words;
use cems_core::model::{
    Attachment, FactorCode, MarkRow, OutletId, QaOutcome, QaRow, ReviewEntry, ReviewStep,
    Timestamp, Withdrawal,
};
use rust_decimal::Decimal;

/// The name of an outcome of a test in the API, in text keys and in style classes.
pub(crate) fn test_outcome(outcome: QaOutcome) -> &'static str {
    match outcome {
        QaOutcome::Passed => "passed",
        QaOutcome::Adjust => "adjust",
        QaOutcome::Failed => "failed",
        QaOutcome::NotJudged => "not-judged",
    }
}

/// A file with its link.
pub(crate) struct FileItem {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) size: String,
}

/// A size in bytes as people write it.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..KIB => format!("{bytes} B"),
        _ if bytes < KIB * KIB => format!("{} KiB", bytes / KIB),
        _ => format!("{} MiB", bytes / (KIB * KIB)),
    }
}

/// Files of an outlet's entry with their links.
pub(crate) fn files(outlet: &OutletId, list: &[Attachment]) -> Vec<FileItem> {
    let id = crate::url::encode(outlet.as_str());
    list.iter()
        .map(|file| {
            let sha256 = crate::url::encode(&file.sha256);
            file_item(file, format!("/api/v1/outlets/{id}/attachments/{sha256}"))
        })
        .collect()
}

/// A file that is kept at this address.
pub(crate) fn file_item(file: &Attachment, href: String) -> FileItem {
    FileItem {
        name: file.name.clone(),
        href,
        size: size(file.bytes),
    }
}

fn withdrawn(eyes: &Eyes<'_>, row: Option<&Withdrawal>) -> Option<String> {
    row.map(|w| {
        let at = eyes.times.full(w.at);
        format!("{at} · {} · {} · {}", w.by, w.reason, journal(w.seq))
    })
}

/// Names of factors; "all" where none is named.
fn factor_names(eyes: &Eyes<'_>, outlet: &OutletId, codes: &[FactorCode]) -> String {
    if codes.is_empty() {
        return eyes.words.t("factors-all");
    }
    let outlet = eyes.registry.outlets.get(outlet);
    let names = codes.iter().map(|code| eyes.factor(outlet, code).name);
    names.collect::<Vec<_>>().join(", ")
}

/// A mark as lists show it.
pub(crate) struct MarkItem {
    pub(crate) id: u64,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) kind: String,
    pub(crate) factors: String,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) lasted: String,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) entered: String,
    pub(crate) deadline: String,
    /// Style class and word: whether it counts, is late, was taken back.
    pub(crate) states: Vec<(&'static str, String)>,
    pub(crate) files: Vec<FileItem>,
    pub(crate) withdrawn: Option<String>,
}

impl MarkItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &MarkRow) -> Self {
        let (words, mark) = (eyes.words, &row.mark);
        let mut states = Vec::new();
        if row.withdrawn.is_some() {
            states.push(("bad", words.t("entry-withdrawn")));
        } else if row.counts {
            states.push(("good", words.t("mark-counts")));
        } else {
            states.push(("bad", words.t("mark-counts-not")));
        }
        if row.late {
            states.push(("near", words.t("mark-late")));
        }
        let short = |at: Timestamp| eyes.times.offset.local(at).format("%Y-%m-%d %H:%M");
        Self {
            id: row.id.0,
            outlet: eyes.outlet_words(&mark.outlet),
            outlet_link: outlet_link(mark.outlet.as_str()),
            kind: words.code("mark-kind", mark.kind.as_str()),
            factors: factor_names(eyes, &mark.outlet, &mark.factors),
            from: short(mark.from).to_string(),
            until: short(mark.until).to_string(),
            lasted: eyes.times.span(mark.until.since_ms(mark.from)),
            reason: mark.reason.clone(),
            by: mark.by.to_string(),
            entered: eyes.times.full(row.entered_at),
            deadline: row
                .deadline
                .map_or_else(|| words.t("mark-no-deadline"), |at| eyes.times.full(at)),
            states,
            files: files(&mark.outlet, &mark.attachments),
            withdrawn: withdrawn(eyes, row.withdrawn.as_ref()),
        }
    }
}

/// A test as lists show it.
pub(crate) struct TestItem {
    pub(crate) id: u64,
    pub(crate) at: String,
    pub(crate) factor: String,
    pub(crate) kind: String,
    pub(crate) outcome: &'static str,
    pub(crate) outcome_word: String,
    pub(crate) result: String,
    pub(crate) limit: String,
    pub(crate) band: String,
    pub(crate) why: String,
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) unit: String,
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) note: String,
    pub(crate) files: Vec<FileItem>,
    pub(crate) withdrawn: Option<String>,
    /// Entered by a person, so that a person may take it back.
    pub(crate) by_hand: bool,
}

fn exact(value: Option<Decimal>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| v.normalize().to_string())
}

impl TestItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &QaRow) -> Self {
        let (words, test, verdict) = (eyes.words, &row.test, &row.verdict);
        let outlet = eyes.registry.outlets.get(&test.outlet);
        let factor = eyes.factor(outlet, &test.factor);
        let outcome = test_outcome(verdict.outcome);
        let mut facts: Vec<(String, String)> = verdict
            .figures
            .iter()
            .map(|(name, value)| (figure_name(words, name), value.normalize().to_string()))
            .collect();
        if let Some(scale) = test.full_scale {
            let text = format!("{scale} {}", unit(&factor.unit));
            facts.push((words.t("full-scale"), text));
        }
        facts.push((words.t("entered-by"), test.by.to_string()));
        if let Some(cn) = &test.from_cn {
            facts.push((words.t("test-from-cn"), cn.to_string()));
        }
        facts.push((words.t("entered-at"), eyes.times.full(row.entered_at)));
        facts.push((words.t("profile"), row.profile.to_string()));
        facts.push((words.t("journal"), journal(row.id)));
        Self {
            id: row.id.0,
            at: eyes.times.full(test.at),
            factor: factor.name,
            kind: words.code("test-kind", test.kind.as_str()),
            outcome,
            outcome_word: words.code("test-outcome", outcome),
            result: exact(verdict.result),
            limit: exact(verdict.limit),
            band: verdict.band.to_string(),
            why: verdict
                .why
                .as_ref()
                .map_or_else(String::new, |why| words.code("test-why", why)),
            pairs: test
                .pairs
                .iter()
                .map(|p| (p.reference.to_string(), p.measured.to_string()))
                .collect(),
            unit: factor.unit,
            facts,
            note: test.note.clone(),
            files: files(&test.outlet, &test.attachments),
            withdrawn: withdrawn(eyes, row.withdrawn.as_ref()),
            by_hand: test.from_cn.is_none(),
        }
    }
}

fn figure_name(words: Words, name: &str) -> String {
    words.code("test-figure", &name.replace('_', "-"))
}

/// A step of a review as its page shows it.
pub(crate) struct StepItem {
    pub(crate) step: &'static str,
    pub(crate) word: String,
    pub(crate) by: String,
    pub(crate) at: String,
    pub(crate) note: String,
    pub(crate) files: Vec<FileItem>,
    pub(crate) seq: String,
}

impl StepItem {
    pub(crate) fn new(eyes: &Eyes<'_>, entry: &ReviewEntry) -> Self {
        let action = &entry.action;
        Self {
            step: action.step.as_str(),
            word: eyes.words.code("review-step", action.step.as_str()),
            by: action.by.to_string(),
            at: eyes.times.full(entry.at),
            note: action.note.clone(),
            files: files(&action.outlet, &action.attachments),
            seq: journal(entry.seq),
        }
    }
}

/// Where a review stands: passed, failed, submitted or none.
pub(crate) fn review_state(entries: &[ReviewEntry]) -> &'static str {
    match entries.last().map(|entry| entry.action.step) {
        None => "none",
        Some(ReviewStep::Submit) => "submitted",
        Some(ReviewStep::Pass) => "passed",
        Some(ReviewStep::Fail) => "failed",
    }
}
