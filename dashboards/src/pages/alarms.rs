//! `/alarms`: the list, one alarm, and a person's answer to it.

use super::judgement::{Fields, for_field, local_time};
use super::{Page, Params, alarm_filter, checked_act, checked_note, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{AlarmAct, AlarmDetail, AlarmFilter, AlarmVerb, BackendError, LIST_ROWS_MAX};
use crate::refusal::refused;
use crate::view::alarm::{AlarmItem, explain_of, fact, kind_name};
use crate::view::desk::{ActForm, act_forms, link_of, narrowed, standing_facts};
use crate::view::section::{Tab, desk_tabs};
use crate::view::shell::{Notice, Shell};
use crate::view::sourced::journal;
use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::time::HOUR_MS;
use cems_core::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmState, AlarmSubject, OutletId, Permission,
};
use futures_util::future::join_all;

/// Alarms acknowledged by one form at most.
const ANSWERED_MAX: usize = 200;
/// How long a shelving lasts where nobody says otherwise.
const SHELVED_MS: i64 = 2 * HOUR_MS;

#[derive(Template)]
#[template(path = "alarms.html")]
struct AlarmsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    open_only: bool,
    /// What the list is narrowed to, in words, and the address without it.
    narrowed: Vec<String>,
    alarms: Vec<AlarmItem>,
    older: Option<String>,
    /// The same list of all alarms, and of open ones.
    all: String,
    open: String,
    /// Alarms of the list that wait for somebody, where they may be acknowledged together.
    waiting: Option<Waiting>,
}

/// The form that acknowledges all alarms of a narrowed list.
struct Waiting {
    count: usize,
    /// The filter, by field.
    fields: Vec<(&'static str, String)>,
    /// Newest alarm that was shown.
    upto: u64,
}

/// What a query asks of the list.
fn asked(query: &Fields) -> Result<AlarmFilter, BackendError> {
    let filter = alarm_filter(query).map_err(|text| refused("filter-unknown", text))?;
    Ok(AlarmFilter {
        open_only: !query.contains_key("all"),
        ..filter
    })
}

/// `GET /alarms?all=1&outlet=&kind=&enterprise=&region=&state=&priority=&covered_by=&before=`.
pub(super) async fn list(visit: Visit, Query(query): Params) -> Page {
    let filter = asked(&query).map_err(|e| visit.failed(&e))?;
    let question = filter.clone();
    let rows = visit
        .read(move |backend, actor| backend.alarms(actor, &question))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let older = (rows.len() >= LIST_ROWS_MAX)
        .then(|| rows.iter().map(|a| a.id).min())
        .flatten();
    let unpaged = AlarmFilter {
        before: None,
        ..filter.clone()
    };
    let of = |open_only: bool| {
        link_of(&AlarmFilter {
            open_only,
            ..unpaged.clone()
        })
    };
    let here = of(filter.open_only);
    let joint = if here.contains('?') { '&' } else { '?' };
    let centre = visit.actor.role.is_centre();
    let shell = Shell::new(&visit, "alarms");
    Ok(html(&AlarmsPage {
        tabs: desk_tabs(visit.words, centre, "alarms"),
        open_only: filter.open_only,
        narrowed: narrowed(&eyes, &filter),
        alarms: rows.iter().map(|a| AlarmItem::new(&eyes, a)).collect(),
        older: older.map(|id| format!("{here}{joint}before={id}")),
        all: of(false),
        open: of(true),
        waiting: waiting(&visit, &unpaged, &rows),
        shell: shell.with_notice(Notice::saved(
            visit.words,
            query.get("saved").map(String::as_str),
        )),
    }))
}

/// A list of one kind can be acknowledged as a whole, as far as it was shown.
fn waiting(visit: &Visit, filter: &AlarmFilter, rows: &[AlarmRow]) -> Option<Waiting> {
    filter.kind?;
    let may = visit.may(Permission::AcknowledgeAlarm) && filter.open_only;
    let count = rows.iter().filter(|row| waits(row)).count();
    let upto = rows.iter().map(|row| row.id.0).max()?;
    (may && count > 0).then(|| Waiting {
        count: count.min(ANSWERED_MAX),
        fields: crate::view::desk::fields_of(filter),
        upto,
    })
}

fn waits(row: &AlarmRow) -> bool {
    row.annunciates() && row.acknowledged.is_none()
}

/// `POST /alarms/acknowledge`: takes notice of every waiting alarm of a list that was shown.
pub(super) async fn acknowledge_all(visit: Visit, Form(form): Form<Fields>) -> Page {
    let done = answer_all(&visit, &form).await;
    let (back, seq) = done.map_err(|e| visit.failed(&e))?;
    let joint = if back.contains('?') { '&' } else { '?' };
    Ok(axum::response::Redirect::to(&format!("{back}{joint}saved={seq}")).into_response())
}

async fn answer_all(visit: &Visit, form: &Fields) -> Result<(String, u64), BackendError> {
    visit.require(Permission::AcknowledgeAlarm)?;
    let note = checked_note(form.get("note"))?;
    let filter = asked(form)?;
    let upto = form.get("upto").and_then(|text| text.parse::<u64>().ok());
    let upto = upto.ok_or_else(|| refused("field-empty", "upto"))?;
    let question = AlarmFilter {
        open_only: true,
        before: Some(AlarmId(upto.saturating_add(1))),
        ..filter.clone()
    };
    let rows = visit
        .read(move |b, actor| b.alarms(actor, &question))
        .await?;
    let rows = rows.iter().filter(|row| waits(row)).take(ANSWERED_MAX);
    let acts = rows.map(|row| {
        let act = AlarmAct {
            verb: AlarmVerb::Acknowledge,
            note: note.clone(),
            until: None,
        };
        visit.app.backend.act_on_alarm(&visit.actor, row.id, act)
    });
    let mut last = 0;
    for done in join_all(acts).await {
        last = last.max(done?.seq.0);
    }
    Ok((link_of(&filter), last))
}

#[derive(Template)]
#[template(path = "alarm.html")]
struct AlarmPage {
    shell: Shell,
    tabs: Vec<Tab>,
    alarm: AlarmItem,
    facts: Vec<(String, String)>,
    /// Other alarms it has to do with: label, text, address.
    related: Vec<(String, String, String)>,
    history: Vec<HistoryLine>,
    /// The derivation of the figure.
    explain: Option<String>,
    acts: Vec<ActForm>,
    /// Why it cannot be closed yet, in words; empty when it can or may not be.
    close_hint: String,
    /// Taking its kind out of service at its outlet, or putting it back.
    service: Option<Service>,
}

/// The form about a kind of alarm of an outlet.
struct Service {
    outlet: String,
    kind: &'static str,
    kind_name: String,
    /// It is out: the form puts it back.
    is_out: bool,
    note: String,
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

fn related(visit: &Visit, alarm: &AlarmRow) -> Vec<(String, String, String)> {
    let words = visit.words;
    let one = |key: &str, id: AlarmId| (words.t(key), format!("#{id}"), format!("/alarms/{id}"));
    let covered_by = alarm.suppressed.as_ref().and_then(|s| s.covered_by);
    let mut related = Vec::new();
    related.extend(alarm.first_out.map(|id| one("first-out", id)));
    related.extend(covered_by.map(|id| one("covered-by", id)));
    related.extend(alarm.previous.map(|id| one("previous-occurrence", id)));
    if alarm.kind == AlarmKind::LineOutage {
        let count = words.count("outlets-count", alarm.outlets);
        let covered = AlarmFilter {
            covered_by: Some(alarm.id),
            open_only: true,
            ..AlarmFilter::default()
        };
        related.push((words.t("covered-alarms"), count, link_of(&covered)));
    }
    related
}

fn close_hint(visit: &Visit, alarm: &AlarmRow) -> String {
    let open = alarm.closed.is_none() && visit.may(Permission::CloseAlarm);
    let key = match (open, alarm.active, alarm.acknowledged.is_none()) {
        (true, true, _) => "close-hint-active",
        (true, false, true) => "close-hint-unacknowledged",
        _ => return String::new(),
    };
    visit.words.t(key)
}

fn service(visit: &Visit, alarm: &AlarmRow) -> Option<Service> {
    let AlarmSubject::Outlet(outlet) = &alarm.subject else {
        return None;
    };
    visit.may(Permission::ManageDesk).then(|| Service {
        outlet: outlet.to_string(),
        kind: alarm.kind.as_str(),
        kind_name: kind_name(visit.words, alarm.kind),
        is_out: alarm.state() == AlarmState::OutOfService,
        note: String::new(),
    })
}

fn view(visit: &Visit, detail: &AlarmDetail, typed: Option<(AlarmVerb, &Fields)>) -> AlarmPage {
    let (eyes, words, alarm) = (visit.eyes(), visit.words, &detail.alarm);
    let mut facts: Vec<(String, String)> = alarm
        .facts
        .iter()
        .map(|(name, value)| fact(&eyes, name, value))
        .collect();
    facts.extend(standing_facts(&eyes, alarm));
    let shelve_until = for_field(visit, visit.times.now.plus_ms(SHELVED_MS));
    AlarmPage {
        shell: Shell::new(visit, "alarms"),
        tabs: desk_tabs(words, visit.actor.role.is_centre(), "alarms"),
        alarm: AlarmItem::new(&eyes, alarm),
        facts,
        related: related(visit, alarm),
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
        explain: explain_of(&eyes, alarm),
        acts: act_forms(
            words,
            alarm,
            |verb| visit.may(verb.permission()),
            &shelve_until,
            typed,
        ),
        close_hint: close_hint(visit, alarm),
        service: service(visit, alarm),
    }
}

/// `GET /alarms/{id}`.
pub(super) async fn page(visit: Visit, Path(id): Path<u64>, Query(query): Params) -> Page {
    let detail = read(&visit, AlarmId(id))
        .await
        .map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, &detail, None);
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The page again with what was typed and why it was refused.
async fn again(
    visit: &Visit,
    id: AlarmId,
    error: &BackendError,
    typed: (AlarmVerb, &Fields),
) -> Response {
    match read(visit, id).await {
        Err(other) => visit.failed(&other),
        Ok(detail) => {
            let mut page = view(visit, &detail, Some(typed));
            page.shell.notice = Some(visit.refusal(error));
            (status_of(error), html(&page)).into_response()
        }
    }
}

/// `POST /alarms/{id}/{verb}`.
pub(super) async fn act(
    visit: Visit,
    Path((id, verb)): Path<(u64, String)>,
    Form(form): Form<Fields>,
) -> Page {
    let verb = AlarmVerb::from_name(&verb).ok_or(BackendError::NotFound);
    let verb = verb.map_err(|e| visit.failed(&e))?;
    visit
        .require(verb.permission())
        .map_err(|e| visit.failed(&e))?;
    let outcome = match typed_act(&visit, verb, &form) {
        Ok(act) => {
            let backend = &visit.app.backend;
            backend.act_on_alarm(&visit.actor, AlarmId(id), act).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&format!("/alarms/{id}"), receipt.seq)),
        Err(error) => Err(again(&visit, AlarmId(id), &error, (verb, &form)).await),
    }
}

fn typed_act(visit: &Visit, verb: AlarmVerb, form: &Fields) -> Result<AlarmAct, BackendError> {
    let field = if verb == AlarmVerb::Close {
        "conclusion"
    } else {
        "note"
    };
    let said = form.get("until").is_some_and(|text| !text.is_empty());
    let until = (verb.has_end() && said).then(|| local_time(visit, form, "until"));
    Ok(AlarmAct {
        verb,
        note: checked_act(verb, form.get(field))?,
        until: until.transpose()?,
    })
}

/// `POST /outlets/{id}/alarm-service`.
pub(super) async fn service_of(
    visit: &Visit,
    outlet: OutletId,
    form: &Fields,
) -> Result<u64, BackendError> {
    visit.require(Permission::ManageDesk)?;
    let kind = form.get("kind").map_or("", String::as_str);
    let known = AlarmKind::ALL.iter().find(|known| known.as_str() == kind);
    let kind = *known.ok_or_else(|| refused("filter-unknown", kind))?;
    let out = form.get("out").is_some_and(|out| out == "true");
    let note = checked_note(form.get("note"))?;
    let backend = &visit.app.backend;
    let receipt = backend
        .set_alarm_service(&visit.actor, outlet, kind, out, note)
        .await?;
    Ok(receipt.seq.0)
}

/// The same as a form, which leads back to where it stood.
pub(super) async fn set_service(
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<Fields>,
) -> Page {
    let seq = service_of(&visit, OutletId::new(id), &form).await;
    let seq = seq.map_err(|e| visit.failed(&e))?;
    let back = form.get("back").map_or("/desk", String::as_str);
    Ok(saved(
        crate::url::local_or_root(back),
        cems_core::model::Seq(seq),
    ))
}
