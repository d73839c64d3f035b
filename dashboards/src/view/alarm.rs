//! An alarm in words: what happened, how bad, since when, what to do first.

use super::explain::explain_link;
use super::outlet::outlet_link;
use super::sourced::{Sourced, journal};
use super::{Eyes, FactorWords};
use crate::format::{self, NONE, number};
use crate::text::Words;
use cems_core::explain::Asked;
use cems_core::model::{AlarmKind, AlarmRow, AlarmSubject, Level, Outlet, Period, Timestamp};
use cems_core::validate;
use chrono::DateTime;
use rust_decimal::Decimal;

/// Fact of an amount alarm: the permitted amount, kg.
const FACT_PERMITTED_KG: &str = "permitted_kg";

/// Text keys use hyphens where kinds use dots.
pub(crate) fn key(kind: AlarmKind, part: &str) -> String {
    format!("alarm-{}-{part}", kind.as_str().replace('.', "-"))
}

/// What a kind of alarm is called.
pub(crate) fn kind_name(words: Words, kind: AlarmKind) -> String {
    words.code("alarm-kind", kind.as_str())
}

/// An alarm as lists show it.
pub(crate) struct AlarmItem {
    pub(crate) id: u64,
    pub(crate) priority: &'static str,
    pub(crate) priority_word: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) first: String,
    pub(crate) subject: String,
    pub(crate) subject_link: Option<String>,
    pub(crate) factor: String,
    pub(crate) value: Option<Sourced>,
    /// `限值` or `许可排放量`.
    pub(crate) limit_label: String,
    pub(crate) limit: String,
    /// How bad it is: exceedance multiple or share, with its label; `None` for other kinds.
    pub(crate) measure: Option<(String, String)>,
    /// The same in one text, possibly empty.
    pub(crate) excess: String,
    pub(crate) since: String,
    pub(crate) since_full: String,
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    /// Why it tells nobody or until when, in a few words; empty where it needs none.
    pub(crate) standing: String,
}

/// A figure of an alarm with its unit, by what kind of figure it is.
fn figure(kind: AlarmKind, factor: &FactorWords, value: Option<Decimal>) -> (String, String) {
    let Some(value) = value else {
        return (NONE.to_owned(), String::new());
    };
    match kind {
        kind if is_amount(kind) => {
            let (text, unit) = format::amount(value);
            (text, unit.to_owned())
        }
        AlarmKind::ImpossibleValue | AlarmKind::InvalidData => {
            (number(value, factor.decimals), factor.unit.clone())
        }
        kind if is_of_a_limit(kind) => (number(value, factor.decimals), factor.unit.clone()),
        _ => (value.normalize().to_string(), String::new()),
    }
}

/// A bound as it was written: 50 stays 50 and is not padded to 50.0.
fn plain(amount: bool, factor: &FactorWords, bound: Option<Decimal>) -> (String, String) {
    match bound {
        None => (NONE.to_owned(), String::new()),
        Some(kg) if amount => {
            let (text, unit) = format::plain_amount(kg);
            (text, unit.to_owned())
        }
        Some(bound) => (bound.normalize().to_string(), factor.unit.clone()),
    }
}

fn is_amount(kind: AlarmKind) -> bool {
    matches!(
        kind,
        AlarmKind::AmountWarning | AlarmKind::AmountExceeded | AlarmKind::AmountProjected
    )
}

/// Whether it is about a concentration and its limit.
fn is_of_a_limit(kind: AlarmKind) -> bool {
    matches!(
        kind,
        AlarmKind::LimitApproaching
            | AlarmKind::ExceedanceRealtime
            | AlarmKind::ExceedanceHour
            | AlarmKind::ExceedanceDay
    )
}

/// Whether the figure of the alarm is a quantity with a limit; a count of seconds or frames is not.
fn is_held_against_a_limit(kind: AlarmKind) -> bool {
    is_amount(kind) || is_of_a_limit(kind)
}

/// What the figure is held against: for a total the permitted amount itself, not the share of it
/// at which the warning was due.
fn bound(alarm: &AlarmRow) -> Option<Decimal> {
    let permitted = alarm
        .facts
        .get(FACT_PERMITTED_KG)
        .filter(|_| is_amount(alarm.kind));
    permitted
        .and_then(|text| text.parse().ok())
        .or(alarm.threshold)
}

/// A fact in words: its label, and its value with times as people read them.
pub(crate) fn fact(eyes: &Eyes<'_>, name: &str, value: &str) -> (String, String) {
    let text = DateTime::parse_from_rfc3339(value).map_or_else(
        |_| {
            eyes.words
                .find(&format!("fact-{name}-{value}"))
                .unwrap_or_else(|| value.to_owned())
        },
        |at| eyes.times.full(Timestamp(at.timestamp_millis())),
    );
    (eyes.words.code("fact", &name.replace('_', "-")), text)
}

fn joined((text, unit): &(String, String)) -> String {
    if unit.is_empty() {
        text.clone()
    } else {
        format!("{text} {unit}")
    }
}

fn outlet_of<'a>(eyes: &Eyes<'a>, alarm: &AlarmRow) -> Option<&'a Outlet> {
    match &alarm.subject {
        AlarmSubject::Outlet(id) => eyes.registry.outlets.get(id),
        _ => None,
    }
}

/// What an alarm is about, in words, and the page of it.
pub(crate) fn subject_name(eyes: &Eyes<'_>, subject: &AlarmSubject) -> (String, Option<String>) {
    match subject {
        AlarmSubject::Outlet(id) => {
            let words = eyes.registry.outlets.get(id).map_or_else(
                || id.to_string(),
                |o| format!("{} · {}", eyes.enterprise_of(o), eyes.outlet_name(o)),
            );
            (words, Some(outlet_link(id.as_str())))
        }
        AlarmSubject::Enterprise(id) => {
            let enterprise = eyes.registry.enterprises.get(id);
            let name = enterprise.map_or_else(
                || id.to_string(),
                |e| eyes.words.pick(&e.name, e.name_en.as_deref()).to_owned(),
            );
            (name, None)
        }
        AlarmSubject::Region(id) => {
            let name = eyes.registry.regions.get(id);
            (name.cloned().unwrap_or_else(|| id.to_string()), None)
        }
        AlarmSubject::Daemon(part) => {
            let name = eyes.words.with("subject-daemon", &[("part", part)]);
            (name, None)
        }
        AlarmSubject::Device(mn) => (eyes.words.with("subject-device", &[("mn", mn)]), None),
        AlarmSubject::Peer(peer) => (eyes.words.with("subject-peer", &[("peer", peer)]), None),
    }
}

/// The figures of an alarm as people write them.
struct Figures {
    factor: FactorWords,
    value: (String, String),
    limit: String,
    multiple: String,
    share: String,
}

impl Figures {
    fn new(eyes: &Eyes<'_>, alarm: &AlarmRow) -> Self {
        let factor = alarm.factor.as_ref().map_or_else(
            || FactorWords {
                name: String::new(),
                unit: String::new(),
                decimals: format::DECIMALS_UNKNOWN,
            },
            |code| eyes.factor(outlet_of(eyes, alarm), code),
        );
        let bound = bound(alarm);
        let both = alarm.value.zip(bound);
        let multiple = both.and_then(|(v, t)| format::multiple(v, t));
        let share = both.and_then(|(v, t)| v.checked_div(t)?.checked_mul(Decimal::ONE_HUNDRED));
        Self {
            value: figure(alarm.kind, &factor, alarm.value),
            limit: joined(&plain(is_amount(alarm.kind), &factor, bound)),
            multiple: format::number_or_dash(multiple, 2),
            share: share.map_or_else(|| NONE.to_owned(), |s| format!("{} %", number(s, 1))),
            factor,
        }
    }

    /// How bad it is, with its label; `None` for kinds that have no such measure.
    fn measure(&self, words: Words, kind: AlarmKind) -> Option<(String, String)> {
        let (label, figure) = match kind {
            AlarmKind::LimitApproaching => return None,
            kind if is_of_a_limit(kind) => ("multiple", &self.multiple),
            _ if is_amount(kind) => ("share-of-permitted", &self.share),
            _ => return None,
        };
        (figure != NONE).then(|| (words.t(label), figure.clone()))
    }
}

/// Title, what happened, and what to do first.
fn texts(eyes: &Eyes<'_>, alarm: &AlarmRow, figures: &Figures, subject: &str) -> [String; 3] {
    let until = alarm.returned_at.unwrap_or(eyes.times.now);
    let value = joined(&figures.value);
    let since = eyes.times.short(alarm.since);
    let lasted = eyes.times.span(until.since_ms(alarm.since));
    let count = alarm.count.to_string();
    let warn = alarm.facts.get("share").map_or(NONE, String::as_str);
    let (code, check) = code_words(eyes, alarm);
    let outlets = alarm.outlets.to_string();
    let name = ["name_zh", "name_en"].map(|name| alarm.facts.get(name).map_or("", String::as_str));
    let due = alarm
        .facts
        .get("due")
        .map_or_else(String::new, |due| fact(eyes, "due", due).1);
    let mut args: Vec<(&str, &str)> = vec![
        ("code", &code),
        ("check", &check),
        ("outlets", &outlets),
        ("name", eyes.words.pick(name[0], Some(name[1]))),
        ("due", &due),
        ("warn", warn),
        ("subject", subject),
        ("factor", &figures.factor.name),
        ("value", &value),
        ("limit", &figures.limit),
        ("multiple", &figures.multiple),
        ("share", &figures.share),
        ("since", &since),
        ("lasted", &lasted),
        ("count", &count),
    ];
    for (name, fact) in &alarm.facts {
        if !args.iter().any(|(known, _)| known == name) {
            args.push((name, fact));
        }
    }
    ["title", "text", "first"].map(|part| eyes.words.with(&key(alarm.kind, part), &args))
}

/// Which of its kind an alarm is: in a word, and as a check of the catalogue.
fn code_words(eyes: &Eyes<'_>, alarm: &AlarmRow) -> (String, String) {
    let code = alarm.code.as_deref().unwrap_or("any");
    let prefix = match alarm.kind {
        AlarmKind::EquipmentState => "flag",
        _ => "alarm-code",
    };
    let word = eyes.words.find(&format!("{prefix}-{code}"));
    let check = validate::catalogue::check(code);
    let check = check.map(|c| {
        let what = eyes.words.pick(c.what_zh, Some(c.what_en));
        format!("{} {what}", c.number)
    });
    (
        word.unwrap_or_else(|| code.to_owned()),
        check.unwrap_or_else(|| code.to_owned()),
    )
}

impl AlarmItem {
    pub(crate) fn new(eyes: &Eyes<'_>, alarm: &AlarmRow) -> Self {
        let words = eyes.words;
        let figures = Figures::new(eyes, alarm);
        let (subject, subject_link) = subject_name(eyes, &alarm.subject);
        let [title, text, first] = texts(eyes, alarm, &figures, &subject);
        let measure = figures.measure(words, alarm.kind);
        let state = alarm.state().as_str();
        let priority = priority(alarm);
        let amount = is_amount(alarm.kind);
        Self {
            id: alarm.id.0,
            priority,
            priority_word: words.code("priority", priority),
            title,
            text,
            first,
            value: alarm.value.map(|exact| Sourced {
                key: format!("alarm/{}", alarm.id),
                text: figures.value.0.clone(),
                unit: figures.value.1.clone(),
                facts: facts(eyes, alarm, exact),
                links: explain_of(eyes, alarm)
                    .map(|href| (href, words.t("to-explanation")))
                    .into_iter()
                    .collect(),
            }),
            limit: Some(figures.limit)
                .filter(|limit| limit != NONE && is_held_against_a_limit(alarm.kind))
                .unwrap_or_default(),
            limit_label: words.t(if amount { "permitted" } else { "limit" }),
            excess: measure
                .as_ref()
                .map_or_else(String::new, |(label, figure)| format!("{label} {figure}")),
            measure,
            since: eyes.times.short(alarm.since),
            since_full: eyes.times.full(alarm.since),
            state,
            state_word: words.code("alarm-state", state),
            standing: standing(eyes, alarm),
            factor: figures.factor.name,
            subject,
            subject_link,
        }
    }
}

/// Until when an alarm is put aside, or why it is suppressed.
fn standing(eyes: &Eyes<'_>, alarm: &AlarmRow) -> String {
    let words = eyes.words;
    match (&alarm.suppressed, &alarm.shelved) {
        (Some(why), _) => words.code("suppressed-why", &why.why),
        (None, Some(shelved)) => {
            let until = eyes.times.short(shelved.until);
            format!("{} {until} · {}", words.t("holds-until"), shelved.note)
        }
        (None, None) => String::new(),
    }
}

/// The page that derives the figure of an alarm: the period that was worst, else the one in which
/// the cause began; the period of a total. `None` for alarms that are about no mean or total.
pub(crate) fn explain_of(eyes: &Eyes<'_>, alarm: &AlarmRow) -> Option<String> {
    let AlarmSubject::Outlet(outlet) = &alarm.subject else {
        return None;
    };
    let (level, fact) = match alarm.kind {
        AlarmKind::ExceedanceHour => (Level::Hour, "worst_at"),
        AlarmKind::ExceedanceDay => (Level::Day, "worst_at"),
        AlarmKind::AmountWarning | AlarmKind::AmountExceeded => {
            let monthly = alarm.facts.get("period").is_some_and(|p| p == "month");
            let level = if monthly { Level::Month } else { Level::Year };
            (level, "period_start")
        }
        _ => return None,
    };
    let said = alarm
        .facts
        .get(fact)
        .and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let at = said.map_or(alarm.since, |at| Timestamp(at.timestamp_millis()));
    let period = Period::containing(level, at, eyes.times.offset);
    let asked = Asked::Period(period);
    Some(explain_link(
        outlet,
        alarm.factor.as_ref()?,
        asked,
        eyes.times.offset,
    ))
}

/// The name of an alarm's priority.
pub(crate) fn priority(alarm: &AlarmRow) -> &'static str {
    alarm.priority.as_str()
}

fn facts(eyes: &Eyes<'_>, alarm: &AlarmRow, exact: Decimal) -> Vec<(String, String)> {
    let words = eyes.words;
    let mut facts = vec![(words.t("exact-value"), exact.to_string())];
    if let Some(threshold) = alarm.threshold {
        facts.push((words.t("held-against"), threshold.to_string()));
    }
    if let Some(limit) = &alarm.limit {
        facts.push((words.t("limit"), limit.to_string()));
    }
    if let Some(outlet) = outlet_of(eyes, alarm) {
        facts.push((words.t("profile"), outlet.profile.to_string()));
    }
    facts.push((words.t("raised-at"), eyes.times.full(alarm.raised_at)));
    let positions = format!(
        "{} / {}",
        journal(alarm.raised_seq),
        journal(alarm.updated_seq)
    );
    facts.push((words.t("journal-raised-updated"), positions));
    facts
}
