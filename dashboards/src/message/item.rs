//! One thing in a message.

use super::Thing;
use crate::view::Eyes;
use crate::view::alarm::AlarmItem;
use crate::view::duty::{DutyItem, due_text};
use crate::view::fallback::FallbackItem;
use cems_core::model::{
    About, AlarmRow, DutyRow, DutyRule, DutyStanding, FallbackRow, MessageReason,
};

/// One thing in words.
pub(super) struct Item {
    /// Where: enterprise and outlet.
    pub(super) subject: String,
    /// What, in a few words.
    pub(super) title: String,
    /// What happened, in sentences.
    pub(super) text: String,
    /// What to do first; empty when nothing is asked for.
    pub(super) first: String,
    /// Figures and times with their labels.
    pub(super) facts: Vec<(String, String)>,
    /// Its page.
    pub(super) link: Option<String>,
    /// Colour of its edge in HTML.
    pub(super) colour: &'static str,
    /// What a telephone shows behind title and place, most important first.
    pub(super) brief: Vec<String>,
}

/// Colours of the console's priorities, written out because mail has no style sheet.
fn colour(priority: &str) -> &'static str {
    match priority {
        "urgent" => "#c62828",
        "high" => "#e07b00",
        _ => "#3568a8",
    }
}

impl Item {
    pub(super) fn new(
        eyes: &Eyes<'_>,
        thing: &Thing,
        reason: MessageReason,
        console: Option<&str>,
    ) -> Self {
        let link = super::link(console, &thing.about());
        match thing {
            Thing::Alarm(row) => Self::alarm(eyes, row, reason, link),
            Thing::Fallback(row) => Self::fallback(eyes, row, reason, link),
            Thing::Duty(row, rule) => Self::duty(eyes, row, rule.as_deref(), link),
            Thing::Other(about) => Self::other(eyes, about, link),
        }
    }

    fn alarm(eyes: &Eyes<'_>, row: &AlarmRow, reason: MessageReason, link: Option<String>) -> Self {
        let words = eyes.words;
        let item = AlarmItem::new(eyes, row);
        let mut facts = vec![
            (words.t("message-priority"), item.priority_word.clone()),
            (words.t("message-state"), item.state_word.clone()),
        ];
        let mut brief = Vec::new();
        let figure = item.value.as_ref().map(|value| {
            let text = &value.text;
            if value.unit.is_empty() {
                text.clone()
            } else {
                format!("{text} {}", value.unit)
            }
        });
        if let Some(figure) = figure.filter(|_| !item.limit.is_empty()) {
            facts.push((item.factor.clone(), figure.clone()));
            facts.push((item.limit_label.clone(), item.limit.clone()));
            brief.push(format!("{figure} / {} {}", item.limit_label, item.limit));
        }
        if let Some((label, measure)) = &item.measure {
            facts.push((label.clone(), measure.clone()));
            brief.push(format!("{label} {measure}"));
        }
        facts.push((words.t("since"), item.since_full.clone()));
        if let Some(at) = row.returned_at {
            facts.push((words.t("returned-at"), eyes.times.full(at)));
        }
        brief.push(format!("{} {}", words.t("since"), item.since));
        let over = reason == MessageReason::AlarmReturned || row.closed.is_some();
        Self {
            colour: colour(item.priority),
            subject: item.subject,
            title: item.title,
            text: item.text,
            first: if over { String::new() } else { item.first },
            facts,
            link,
            brief,
        }
    }

    fn fallback(
        eyes: &Eyes<'_>,
        row: &FallbackRow,
        reason: MessageReason,
        link: Option<String>,
    ) -> Self {
        let words = eyes.words;
        let item = FallbackItem::new(eyes, row);
        let mut facts = vec![
            (words.t("message-state"), item.state_word.clone()),
            (words.t("opened"), item.opened_full.clone()),
        ];
        let mut brief = Vec::new();
        if row.closed_at.is_none() {
            let due = row.overdue_since.or(row.next_due);
            let label = if row.overdue_since.is_some() {
                "was-due-at"
            } else {
                "due-at"
            };
            if let Some(due) = due {
                facts.push((words.t(label), eyes.times.full(due)));
                brief.push(format!("{} {}", words.t(label), eyes.times.short(due)));
            }
            facts.push((words.t("reports-today"), item.today.clone()));
            brief.push(format!("{} {}", words.t("reports-today"), item.today));
        } else if let Some(closed) = &item.closed {
            facts.push((words.t("closed"), closed.clone()));
            brief.push(closed.clone());
        }
        let reasons = item.reasons.into_iter().map(|(reason, _)| reason);
        let reasons: Vec<String> = reasons.collect();
        let first = match (row.closed_at.is_some(), reason) {
            (true, _) => String::new(),
            (false, MessageReason::ReportEscalated) => words.t("message-first-report-overdue"),
            (false, _) => words.t("message-first-report"),
        };
        Self {
            subject: item.outlet,
            title: words.with("message-fallback-title", &[("state", &item.state_word)]),
            text: reasons.join(" "),
            first,
            facts,
            link,
            colour: colour(if item.state == "overdue" {
                "urgent"
            } else {
                "high"
            }),
            brief,
        }
    }

    fn duty(eyes: &Eyes<'_>, row: &DutyRow, rule: Option<&DutyRule>, link: Option<String>) -> Self {
        let words = eyes.words;
        let item = DutyItem::new(eyes, row, rule);
        let due = due_text(&eyes.times, row.due_at);
        let standing = row.standing(eyes.times.now);
        let mut facts = vec![
            (words.t("message-state"), item.standing_word),
            (words.t("duty-due"), due.clone()),
        ];
        if !item.roles.is_empty() {
            facts.push((words.t("duty-who"), item.roles));
        }
        let first = match standing {
            DutyStanding::Open | DutyStanding::Overdue => {
                words.t(if rule.is_some_and(|rule| rule.document) {
                    "message-first-duty-document"
                } else {
                    "message-first-duty"
                })
            }
            DutyStanding::Done | DutyStanding::DoneLate | DutyStanding::Gone => String::new(),
        };
        Self {
            subject: item.subject,
            title: words.with(
                "message-duty-title",
                &[("name", &item.name), ("round", &item.round)],
            ),
            text: row.note.clone(),
            first,
            facts,
            link,
            colour: colour(if standing == DutyStanding::Overdue {
                "urgent"
            } else {
                "high"
            }),
            brief: vec![words.with("message-duty-due", &[("due", &due)])],
        }
    }

    fn other(eyes: &Eyes<'_>, about: &About, link: Option<String>) -> Self {
        let words = eyes.words;
        let (key, name) = match about {
            About::Alarm(id) => ("message-other-alarm", id.to_string()),
            About::Fallback(id) => ("message-other-fallback", id.to_string()),
            About::Duty(key) => ("message-other-duty", key.to_string()),
        };
        Self {
            subject: eyes.registry.site_name.clone(),
            title: words.with(key, &[("id", &name)]),
            text: String::new(),
            first: String::new(),
            facts: Vec::new(),
            link,
            colour: colour("normal"),
            brief: Vec::new(),
        }
    }
}
