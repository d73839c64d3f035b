//! A message and an alarm as JSON, for programs: webhooks and MQTT.

use super::super::parcel::Parcel;
use cems_core::model::{About, AlarmRow, AlarmSubject, UtcOffset};
use cems_dashboards::message::{Thing, link};
use serde_json::{Map, Value, json};

/// Version of the forms below; a field may be added, a name never changes its meaning.
const VERSION: u32 = 1;

/// A message.
pub(super) fn message(parcel: &Parcel) -> Value {
    let m = &parcel.message;
    let iso = |at| parcel.offset.iso(at);
    let texts: Map<String, Value> = parcel
        .written
        .iter()
        .map(|w| {
            let text = json!({
                "subject": w.subject, "short": w.short, "text": w.text, "markdown": w.markdown,
            });
            (w.lang.code().to_owned(), text)
        })
        .collect();
    let console = parcel.console.as_deref();
    let about: Vec<Value> = parcel
        .things
        .iter()
        .map(|thing| match thing {
            Thing::Alarm(row) => alarm(row, parcel.offset, console),
            Thing::Fallback(row) => json!({
                "type": "fallback",
                "id": row.id,
                "outlet": row.outlet,
                "opened": iso(row.opened_at),
                "next_due": row.next_due.map(iso),
                "overdue_since": row.overdue_since.map(iso),
                "closed": row.closed_at.map(iso),
                "link": link(console, &About::Fallback(row.id)),
            }),
            Thing::Duty(row, rule) => json!({
                "type": "duty",
                "id": row.key.as_str(),
                "rule": row.rule.as_str(),
                "name": rule.as_ref().map(|rule| &rule.name),
                "due": iso(row.due_at),
                "done": row.done.is_some(),
                "link": link(console, &About::Duty(row.key.as_str().into())),
            }),
            Thing::Other(about) => json!({
                "type": about.object().split('/').next(),
                "object": about.object(),
                "link": link(console, about),
            }),
        })
        .collect();
    json!({
        "version": VERSION,
        "id": m.id,
        "key": m.key,
        "reason": m.reason,
        "priority": m.priority,
        "site": parcel.site,
        "enterprise": m.enterprise,
        "at": iso(m.at),
        "deadline": iso(m.deadline),
        "about": about,
        "more": m.more,
        "texts": texts,
    })
}

/// An alarm as it stands. Figures are texts, because they are exact.
pub(crate) fn alarm(row: &AlarmRow, offset: UtcOffset, console: Option<&str>) -> Value {
    let (subject_type, subject) = subject(&row.subject);
    json!({
        "type": "alarm",
        "id": row.id,
        "kind": row.kind,
        "priority": row.priority,
        "subject_type": subject_type,
        "subject": subject,
        "enterprise": row.enterprise,
        "factor": row.factor,
        "value": row.value.map(|value| value.to_string()),
        "threshold": row.threshold.map(|value| value.to_string()),
        "count": row.count,
        "since": offset.iso(row.since),
        "raised": offset.iso(row.raised_at),
        "active": row.active,
        "returned": row.returned_at.map(|at| offset.iso(at)),
        "acknowledged": row.acknowledged.is_some(),
        "closed": row.closed.is_some(),
        "previous": row.previous,
        "link": link(console, &About::Alarm(row.id)),
    })
}

/// What an alarm is about: kind and name.
pub(super) fn subject(subject: &AlarmSubject) -> (&'static str, String) {
    match subject {
        AlarmSubject::Outlet(id) => ("outlet", id.to_string()),
        AlarmSubject::Enterprise(id) => ("enterprise", id.to_string()),
        AlarmSubject::Region(id) => ("region", id.to_string()),
        AlarmSubject::Daemon(part) => ("daemon", part.to_string()),
        AlarmSubject::Device(mn) => ("device", mn.to_string()),
        AlarmSubject::Peer(peer) => ("peer", peer.to_string()),
    }
}
