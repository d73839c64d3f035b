//! `/duties`: what is owed by when; `/duties/{key}`: one of them, with the forms to complete it and
//! to take that back; `/duties/rules`: the table, with the forms to enter what opens a duty.

use super::judgement::{Fields, local_time, text};
use super::{Page, Params, checked_reason, html, status_of};
use crate::app::{App, Visit};
use crate::backend::{BackendError, DutyAsk, DutyDetail, DutyRound, LIST_ROWS_MAX};
use crate::refusal::refused;
use crate::upload::{FORM_BYTES_MAX, answer, receive};
use crate::view::duty::{
    DutyItem, RuleItem, due_text, duty_link, files, round_text, rule_name, subject,
};
use crate::view::judged::FileItem;
use crate::view::section::{Tab, duty_tabs};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Multipart, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    Day, DutyFor, DutyId, DutyKey, DutyRow, DutyStanding, DutySubject, DutyTrigger, Timestamp,
};

/// Days of the table of rounds before and after today.
const ROUND_DAYS: i64 = 31;
/// Subjects offered by a form; further ones are typed by their id.
const SUBJECTS_MAX: usize = 500;

pub(super) fn routes() -> Router<App> {
    let large = || DefaultBodyLimit::max(FORM_BYTES_MAX);
    Router::new()
        .route("/duties", get(list))
        .route("/duties/rules", get(rules).post(open))
        .route("/duties/{key}", get(page))
        .route("/duties/{key}/complete", post(complete).layer(large()))
        .route("/duties/{key}/withdraw", post(withdraw))
        .route("/duties/{key}/files/{sha256}", get(file))
}

#[derive(Template)]
#[template(path = "duties.html")]
struct DutiesPage {
    shell: Shell,
    tabs: Vec<Tab>,
    /// Lists with their headings.
    lists: Vec<(String, Vec<DutyItem>)>,
    /// Rounds of the next weeks, for those whose lists are long.
    rounds: Vec<RoundItem>,
    cut: bool,
}

/// A round with its counts.
pub(super) struct RoundItem {
    pub(super) name: String,
    pub(super) round: String,
    pub(super) due: String,
    pub(super) link: String,
    pub(super) open: u64,
    pub(super) all: u64,
    pub(super) overdue: bool,
}

impl RoundItem {
    pub(super) fn new(visit: &Visit, round: &DutyRound) -> Self {
        let eyes = visit.eyes();
        let book = visit.app.backend.duty_book();
        let rule = book.rules.get(&round.rule);
        let recurs = rule.is_some_and(|r| matches!(r.trigger, DutyTrigger::Every { .. }));
        let rule_id = crate::url::encode(round.rule.as_str());
        Self {
            name: rule_name(&eyes, round.rule.as_str(), rule),
            round: if recurs {
                round.round.to_string()
            } else {
                String::new()
            },
            due: due_text(&eyes.times, round.due_at),
            link: format!("/duties?rule={rule_id}"),
            open: round.open,
            all: round.all,
            overdue: round.open > 0 && round.due_at <= eyes.times.now,
        }
    }
}

/// The first instant of next Monday: a week is over then.
fn end_of_week(visit: &Visit) -> Timestamp {
    let today = Day::of(visit.times.now, visit.times.offset);
    let monday = today.minus(today.weekday0()).plus(7);
    monday.start(visit.times.offset)
}

/// `GET /duties`: what is overdue or due this week, first what the visitor's role owes; or
/// everything open, of one row, or what ended.
async fn list(visit: Visit, Query(query): Params) -> Page {
    let ended = query.contains_key("ended");
    let rule = query.get("rule").map(DutyId::new);
    let all = query.contains_key("all") || rule.is_some();
    let week = end_of_week(&visit);
    let ask = DutyAsk {
        ended,
        // The end of Sunday is the first instant of Monday.
        due_before: (!ended && !all).then(|| week.plus_ms(1)),
        rule,
    };
    let (from, until) = (
        visit.times.now.plus_ms(-ROUND_DAYS * DAY_MS),
        visit.times.now.plus_ms(ROUND_DAYS * DAY_MS),
    );
    let with_rounds = visit.actor.role.is_centre() && !ended;
    let read = visit
        .read(move |b, actor| {
            let rows = b.duties(actor, &ask)?;
            let rounds = match with_rounds {
                true => b.duty_rounds(actor, from, until)?,
                false => Vec::new(),
            };
            Ok((rows, rounds))
        })
        .await;
    let (rows, rounds) = read.map_err(|e| visit.failed(&e))?;
    let current = match (ended, all) {
        (true, _) => "duties-ended",
        (_, true) => "duties-open",
        _ => "duties",
    };
    let rounds = rounds.iter().filter(|round| round.open > 0);
    Ok(html(&DutiesPage {
        shell: Shell::new(&visit, "duties"),
        tabs: duty_tabs(visit.words, current),
        cut: rows.len() >= LIST_ROWS_MAX,
        rounds: rounds.map(|round| RoundItem::new(&visit, round)).collect(),
        lists: lists(&visit, &rows, ended),
    }))
}

fn lists(visit: &Visit, rows: &[DutyRow], ended: bool) -> Vec<(String, Vec<DutyItem>)> {
    let eyes = visit.eyes();
    let book = visit.app.backend.duty_book();
    let item = |row: &DutyRow| DutyItem::new(&eyes, row, book.rules.get(&row.rule));
    if ended {
        let heading = visit.words.t("duties-ended");
        return vec![(heading, rows.iter().map(item).collect())];
    }
    let owes = |row: &&DutyRow| {
        let rule = book.rules.get(&row.rule);
        rule.is_some_and(|rule| rule.is_completed_by(visit.actor.role))
    };
    let (mine, others): (Vec<&DutyRow>, Vec<&DutyRow>) = rows.iter().partition(owes);
    let mut lists = Vec::new();
    for (key, rows) in [("duties-mine", mine), ("duties-of-others", others)] {
        if !rows.is_empty() || key == "duties-mine" {
            lists.push((visit.words.t(key), rows.into_iter().map(item).collect()));
        }
    }
    lists
}

#[derive(Template)]
#[template(path = "duty.html")]
struct DutyPage {
    shell: Shell,
    tabs: Vec<Tab>,
    item: DutyItem,
    subject_link: Option<String>,
    rule: Option<RuleItem>,
    trigger: String,
    opened: String,
    opened_by: String,
    note: String,
    /// When, who, what they said.
    done: Option<(String, String, String)>,
    files: Vec<FileItem>,
    gone: Option<String>,
    may_complete: bool,
    may_take_back: bool,
    history: Vec<(String, String, String, String)>,
    typed: String,
}

async fn shown(visit: &Visit, key: &DutyKey, typed: String) -> Result<DutyPage, BackendError> {
    let asked = key.clone();
    let DutyDetail { row, history } = visit.read(move |b, actor| b.duty(actor, &asked)).await?;
    let eyes = visit.eyes();
    let book = visit.app.backend.duty_book();
    let rule = book.rules.get(&row.rule);
    let owes = rule.is_some_and(|rule| rule.is_completed_by(visit.actor.role));
    let opens = rule.is_some_and(|rule| rule.is_opened_by(visit.actor.role));
    let full = |at: Timestamp| eyes.times.full(at);
    let lines = history.into_iter().map(|line| {
        let what = visit.words.code("audit", &line.what);
        (full(line.at), line.who.to_string(), what, line.detail)
    });
    let gone = row.gone.map(|(at, why)| {
        let why = visit.words.code("duty-gone", why.as_str());
        format!("{} · {why}", full(at))
    });
    Ok(DutyPage {
        shell: Shell::new(visit, "duties"),
        tabs: duty_tabs(visit.words, ""),
        subject_link: subject(&eyes, &row.subject).1,
        rule: rule.map(|rule| RuleItem::new(&eyes, rule, visit.actor.role)),
        trigger: row.trigger_at.map(full).unwrap_or_default(),
        opened: full(row.opens_at),
        opened_by: row
            .opened_by
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        note: row.note.clone(),
        done: row
            .done
            .as_ref()
            .map(|done| (full(done.at), done.by.to_string(), done.note.clone())),
        files: files(&row),
        gone,
        may_complete: owes && row.is_open(),
        may_take_back: row.gone.is_none()
            && ((owes && row.done.is_some()) || (opens && row.opened_by.is_some())),
        history: lines.collect(),
        item: DutyItem::new(&eyes, &row, rule),
        typed,
    })
}

/// `GET /duties/{key}`.
async fn page(visit: Visit, Path(key): Path<String>, Query(query): Params) -> Page {
    let page = shown(&visit, &DutyKey::new(&key), String::new()).await;
    let mut page = page.map_err(|e| visit.failed(&e))?;
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The page again with what was typed and why it was refused.
async fn again(visit: &Visit, key: &DutyKey, error: &BackendError, typed: String) -> Response {
    match shown(visit, key, typed).await {
        Err(other) => visit.failed(&other),
        Ok(mut page) => {
            page.shell.notice = Some(visit.refusal(error));
            (status_of(error), html(&page)).into_response()
        }
    }
}

fn saved(key: &DutyKey, seq: cems_core::model::Seq) -> Response {
    super::saved(&duty_link(key.as_str()), seq)
}

/// `POST /duties/{key}/complete`: a note and documents.
async fn complete(visit: Visit, Path(key): Path<String>, form: Multipart) -> Page {
    let key = DutyKey::new(&key);
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let note = text(&sent.fields, "note");
    let outcome = match sent.files {
        Ok(files) => {
            let backend = &visit.app.backend;
            backend
                .complete_duty(&visit.actor, key.clone(), note.clone(), files)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&key, receipt.seq)),
        Err(error @ BackendError::Refused { .. }) => Err(again(&visit, &key, &error, note).await),
        Err(error) => Err(visit.failed(&error)),
    }
}

/// `POST /duties/{key}/withdraw`: a reason.
async fn withdraw(visit: Visit, Path(key): Path<String>, Form(form): Form<Fields>) -> Page {
    let key = DutyKey::new(&key);
    let outcome = match checked_reason(form.get("reason")) {
        Ok(reason) => {
            let backend = &visit.app.backend;
            backend
                .take_duty_back(&visit.actor, key.clone(), reason)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&key, receipt.seq)),
        Err(error @ BackendError::Refused { .. }) => {
            Err(again(&visit, &key, &error, String::new()).await)
        }
        Err(error) => Err(visit.failed(&error)),
    }
}

/// `GET /duties/{key}/files/{sha256}`: a document.
async fn file(visit: Visit, Path((key, sha256)): Path<(String, String)>) -> Page {
    let key = DutyKey::new(&key);
    let file = visit
        .read(move |b, actor| b.duty_file(actor, &key, &sha256))
        .await;
    file.map(answer).map_err(|e| visit.failed(&e))
}

#[derive(Template)]
#[template(path = "duty_rules.html")]
struct RulesPage {
    shell: Shell,
    tabs: Vec<Tab>,
    rules: Vec<RuleItem>,
    /// Ids and names to choose from, by kind of subject.
    subjects: Vec<(&'static str, Vec<(String, String)>)>,
    form: Fields,
}

impl RulesPage {
    /// What was typed into a field of the form of this row.
    fn typed(&self, rule: &str, field: &str) -> &str {
        let own = self.form.get("rule").is_some_and(|of| of == rule);
        let typed = self.form.get(field).filter(|_| own);
        typed.map_or("", String::as_str)
    }

    fn is_typed(&self, rule: &str) -> bool {
        self.form.get("rule").is_some_and(|of| of == rule)
    }
}

fn table(visit: &Visit, form: Fields) -> RulesPage {
    let eyes = visit.eyes();
    let book = visit.app.backend.duty_book();
    let places = crate::backend::Places::of(&visit.actor, &visit.registry);
    let visible =
        |rule: &&cems_core::model::DutyRule| visit.actor.role.is_centre() || !rule.is_inside();
    let enterprises = visit.registry.enterprises.values();
    let enterprises = enterprises.filter(|e| {
        places.as_ref().is_none_or(|places| {
            places.enterprises.contains(&e.id) || places.regions.contains(&e.region)
        })
    });
    let enterprises = enterprises.map(|e| (e.id.to_string(), eyes.enterprise_name(e).to_owned()));
    let regions = visit.registry.regions.iter().filter(|(id, _)| {
        let places = places.as_ref();
        places.is_none_or(|places| places.regions.contains(*id))
    });
    let regions = regions.map(|(id, name)| (id.to_string(), name.clone()));
    let access = cems_core::model::Access {
        role: visit.actor.role,
        scope: visit.actor.scope.clone(),
    };
    let outlets = visit.registry.outlets.values();
    let outlets = outlets.filter(|o| access.covers(&visit.registry, o));
    let outlets = outlets.map(|o| (o.id.to_string(), eyes.outlet_words(&o.id)));
    RulesPage {
        shell: Shell::new(visit, "duties"),
        tabs: duty_tabs(visit.words, "duties-rules"),
        rules: book
            .rules
            .values()
            .filter(visible)
            .map(|rule| RuleItem::new(&eyes, rule, visit.actor.role))
            .collect(),
        subjects: vec![
            (
                DutyFor::Enterprise.as_str(),
                enterprises.take(SUBJECTS_MAX).collect(),
            ),
            (
                DutyFor::Outlet.as_str(),
                outlets.take(SUBJECTS_MAX).collect(),
            ),
            (
                DutyFor::Region.as_str(),
                regions.take(SUBJECTS_MAX).collect(),
            ),
        ],
        form,
    }
}

/// `GET /duties/rules`.
async fn rules(visit: Visit) -> Page {
    Ok(html(&table(&visit, Fields::new())))
}

/// `POST /duties/rules`: something happened that opens a duty.
async fn open(visit: Visit, Form(form): Form<Fields>) -> Page {
    let opened = opening(&visit, &form);
    let outcome = match opened {
        Ok((rule, subject, at, note)) => {
            let backend = &visit.app.backend;
            backend
                .open_duty(&visit.actor, rule, subject, at, note)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to("/duties?all=1").into_response()),
        Err(error @ BackendError::Refused { .. }) => {
            let mut page = table(&visit, form);
            page.shell.notice = Some(visit.refusal(&error));
            Err((status_of(&error), html(&page)).into_response())
        }
        Err(error) => Err(visit.failed(&error)),
    }
}

fn opening(
    visit: &Visit,
    form: &Fields,
) -> Result<(DutyId, DutySubject, Timestamp, String), BackendError> {
    let book = visit.app.backend.duty_book();
    let id = DutyId::new(text(form, "rule"));
    let rule = book.rules.get(&id).ok_or(BackendError::NotFound)?;
    let named = text(form, "subject");
    if named.is_empty() {
        return Err(refused("field-empty", "subject"));
    }
    let subject = subject_of(rule.subject, &named);
    let at = local_time(visit, form, "at")?;
    Ok((id, subject, at, checked_reason(form.get("note"))?))
}

/// The subject of a kind with this id.
pub(crate) fn subject_of(kind: DutyFor, id: &str) -> DutySubject {
    match kind {
        DutyFor::Enterprise => DutySubject::Enterprise(id.into()),
        DutyFor::Outlet => DutySubject::Outlet(id.into()),
        DutyFor::Region => DutySubject::Region(id.into()),
    }
}

/// What an open duty is called in a few words, for calendars.
pub(super) fn in_few_words(
    visit_eyes: &crate::view::Eyes<'_>,
    row: &DutyRow,
    name: &str,
) -> String {
    let (subject, _) = subject(visit_eyes, &row.subject);
    let round = round_text(visit_eyes, row);
    let overdue = match row.standing(visit_eyes.times.now) {
        DutyStanding::Overdue => visit_eyes.words.code("duty-standing", "overdue"),
        _ => String::new(),
    };
    format!("{overdue} {name} · {round} · {subject}")
        .trim()
        .to_owned()
}
