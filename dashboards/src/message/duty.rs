//! A duty in a message.

use super::item::{Item, colour};
use crate::view::Eyes;
use cems_core::model::{DutyRow, DutyRule, DutySubject, Timestamp};

/// Whom it is about.
fn subject(eyes: &Eyes<'_>, subject: &DutySubject) -> String {
    match subject {
        DutySubject::Outlet(id) => eyes.outlet_words(id),
        DutySubject::Enterprise(id) => {
            let known = eyes.registry.enterprises.get(id);
            known
                .map_or(id.as_str(), |e| eyes.enterprise_name(e))
                .to_owned()
        }
        DutySubject::Region(id) => {
            let known = eyes.registry.regions.get(id);
            known.map_or(id.as_str(), String::as_str).to_owned()
        }
    }
}

/// The first instant at which it is late; the end of a day as 24:00.
fn due(eyes: &Eyes<'_>, at: Timestamp) -> String {
    let local = eyes.times.offset.local(at);
    if local.format("%H:%M:%S").to_string() == "00:00:00" {
        return format!("{} 24:00", eyes.times.date(at.plus_ms(-1)));
    }
    local.format("%Y-%m-%d %H:%M").to_string()
}

/// `rule` is the row of the table it comes from, while that is in force.
pub(super) fn item(
    eyes: &Eyes<'_>,
    row: &DutyRow,
    rule: Option<&DutyRule>,
    link: Option<String>,
) -> Item {
    let words = eyes.words;
    let name = rule.map_or(row.rule.as_str(), |rule| {
        words.pick(&rule.name.zh, Some(&rule.name.en))
    });
    let late = row.done.is_none() && row.gone.is_none() && row.due_at <= eyes.times.now;
    let due = due(eyes, row.due_at);
    let label = words.t(if late { "was-due-at" } else { "due-at" });
    let mut facts = vec![(label.clone(), due.clone())];
    if row.trigger_at.is_none() {
        facts.push((words.t("message-duty-period"), row.round.to_string()));
    }
    if let Some(rule) = rule {
        facts.push((
            words.t("message-duty-source"),
            rule.provenance.source.clone(),
        ));
    }
    let document = rule.is_some_and(|rule| rule.document);
    let first = if row.done.is_some() || row.gone.is_some() {
        String::new()
    } else if document {
        words.t("message-first-duty-document")
    } else {
        words.t("message-first-duty")
    };
    Item {
        subject: subject(eyes, &row.subject),
        title: name.to_owned(),
        text: row.note.clone(),
        first,
        facts,
        link,
        colour: colour(if late { "urgent" } else { "normal" }),
        brief: vec![format!("{label} {due}")],
    }
}
