//! `/alarms`: the list, one alarm, and a person's answer to it.

use super::{Page, Params, checked_note, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{AlarmDetail, AlarmFilter, BackendError, LIST_ROWS_MAX};
use crate::view::alarm::{AlarmItem, explain_of, fact};
use crate::view::shell::{Notice, Shell};
use crate::view::sourced::journal;
use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::{AlarmId, OutletId, Permission};
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "alarms.html")]
struct AlarmsPage {
    shell: Shell,
    open_only: bool,
    outlet: Option<String>,
    alarms: Vec<AlarmItem>,
    older: Option<String>,
}

/// `GET /alarms?all=1&outlet=&before=`.
pub(super) async fn list(visit: Visit, Query(query): Params) -> Page {
    let filter = AlarmFilter {
        open_only: !query.contains_key("all"),
        outlet: query
            .get("outlet")
            .filter(|id| !id.is_empty())
            .map(OutletId::new),
        before: query
            .get("before")
            .and_then(|id| id.parse().ok())
            .map(AlarmId),
    };
    let asked = filter.clone();
    let rows = visit
        .read(move |backend, actor| backend.alarms(actor, &asked))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let older = (rows.len() >= LIST_ROWS_MAX)
        .then(|| rows.iter().map(|a| a.id).min())
        .flatten();
    let mut link = String::from("/alarms?");
    if !filter.open_only {
        link.push_str("all=1&");
    }
    if let Some(outlet) = &filter.outlet {
        link.push_str(&format!("outlet={}&", crate::url::encode(outlet.as_str())));
    }
    Ok(html(&AlarmsPage {
        shell: Shell::new(&visit, "alarms"),
        open_only: filter.open_only,
        outlet: filter.outlet.map(|id| id.to_string()),
        alarms: rows.iter().map(|a| AlarmItem::new(&eyes, a)).collect(),
        older: older.map(|id| format!("{link}before={id}")),
    }))
}

#[derive(Template)]
#[template(path = "alarm.html")]
struct AlarmPage {
    shell: Shell,
    alarm: AlarmItem,
    facts: Vec<(String, String)>,
    history: Vec<HistoryLine>,
    previous: Option<u64>,
    /// The derivation of the figure.
    explain: Option<String>,
    may_acknowledge: bool,
    may_close: bool,
    /// Why it cannot be closed yet, in words; empty when it can or may not be.
    close_hint: String,
    note: String,
    conclusion: String,
}

/// One line of the history of an alarm.
struct HistoryLine {
    at: String,
    who: String,
    what: String,
    detail: String,
    seq: String,
}

async fn read(visit: &Visit, id: AlarmId) -> Result<AlarmDetail, BackendError> {
    visit
        .read(move |backend, actor| backend.alarm(actor, id))
        .await
}

fn view(visit: &Visit, detail: &AlarmDetail) -> AlarmPage {
    let (eyes, words, alarm) = (visit.eyes(), visit.words, &detail.alarm);
    let open = alarm.closed.is_none();
    let may_close = visit.may(Permission::CloseAlarm) && open;
    let close_hint = if !may_close {
        None
    } else if alarm.active {
        Some("close-hint-active")
    } else if alarm.acknowledged.is_none() {
        Some("close-hint-unacknowledged")
    } else {
        None
    };
    let mut facts: Vec<(String, String)> = alarm
        .facts
        .iter()
        .map(|(name, value)| fact(&eyes, name, value))
        .collect();
    if let Some(ack) = &alarm.acknowledged {
        let text = format!("{} · {} · {}", eyes.times.full(ack.at), ack.by, ack.note);
        facts.push((words.t("acknowledged"), text));
    }
    if let Some(end) = &alarm.closed {
        let text = format!(
            "{} · {} · {}",
            eyes.times.full(end.at),
            end.by,
            end.conclusion
        );
        facts.push((words.t("closed"), text));
    }
    if let Some(at) = alarm.returned_at {
        facts.push((words.t("returned-at"), eyes.times.full(at)));
    }
    AlarmPage {
        shell: Shell::new(visit, "alarms"),
        alarm: AlarmItem::new(&eyes, alarm),
        facts,
        history: detail
            .history
            .iter()
            .map(|row| HistoryLine {
                at: eyes.times.full(row.at),
                who: words.code("who", &row.who),
                what: words.code("audit", &row.what),
                // The kind is the title of the page already.
                detail: Some(&row.detail)
                    .filter(|detail| *detail != alarm.kind.as_str())
                    .cloned()
                    .unwrap_or_default(),
                seq: journal(row.seq),
            })
            .collect(),
        previous: alarm.previous.map(|id| id.0),
        explain: explain_of(&eyes, alarm),
        may_acknowledge: visit.may(Permission::AcknowledgeAlarm)
            && open
            && alarm.acknowledged.is_none(),
        may_close: may_close && close_hint.is_none(),
        close_hint: close_hint.map_or_else(String::new, |key| words.t(key)),
        note: String::new(),
        conclusion: String::new(),
    }
}

/// `GET /alarms/{id}`.
pub(super) async fn page(visit: Visit, Path(id): Path<u64>, Query(query): Params) -> Page {
    let detail = read(&visit, AlarmId(id))
        .await
        .map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, &detail);
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The page again with what was typed and why it was refused.
async fn again(
    visit: &Visit,
    id: AlarmId,
    error: &BackendError,
    form: &BTreeMap<String, String>,
) -> Response {
    match read(visit, id).await {
        Err(other) => visit.failed(&other),
        Ok(detail) => {
            let mut page = view(visit, &detail);
            page.shell.notice = Some(visit.refusal(error));
            page.note = form.get("note").cloned().unwrap_or_default();
            page.conclusion = form.get("conclusion").cloned().unwrap_or_default();
            (status_of(error), html(&page)).into_response()
        }
    }
}

/// `POST /alarms/{id}/acknowledge`.
pub(super) async fn acknowledge(
    visit: Visit,
    Path(id): Path<u64>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Page {
    visit
        .require(Permission::AcknowledgeAlarm)
        .map_err(|e| visit.failed(&e))?;
    let outcome = match checked_note(form.get("note")) {
        Ok(note) => {
            visit
                .app
                .backend
                .acknowledge(&visit.actor, AlarmId(id), note)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&format!("/alarms/{id}"), receipt.seq)),
        Err(error) => Err(again(&visit, AlarmId(id), &error, &form).await),
    }
}

/// `POST /alarms/{id}/close`.
pub(super) async fn close(
    visit: Visit,
    Path(id): Path<u64>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Page {
    visit
        .require(Permission::CloseAlarm)
        .map_err(|e| visit.failed(&e))?;
    let outcome = match checked_note(form.get("conclusion")) {
        Ok(text) => {
            visit
                .app
                .backend
                .close(&visit.actor, AlarmId(id), text)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&format!("/alarms/{id}"), receipt.seq)),
        Err(error) => Err(again(&visit, AlarmId(id), &error, &form).await),
    }
}
