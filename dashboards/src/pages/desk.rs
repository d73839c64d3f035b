//! `/desk`: who is on duty, the queue in rows, what is put aside or silent, and the hand-over.

use super::judgement::Fields;
use super::{Page, Params, alarm_filter, checked_note, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{AlarmFilter, BackendError, DeskView, RosterView};
use crate::refusal::refused;
use crate::view::alarm::{AlarmItem, kind_name};
use crate::view::desk::{GroupItem, HandOverItem, group_items, hand_over_items, words_joint};
use crate::view::section::{Choice, Tab, desk_tabs};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Query};
use axum::response::IntoResponse;
use cems_core::model::{
    AlarmServiceRow, AlarmState, HandOver, Permission, RegionId, Shift, Timestamp, UserId,
};
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    shell: Shell,
    tabs: Vec<Tab>,
    /// Names of those on duty, joined.
    on_duty: String,
    until: String,
    next: String,
    hand_overs: Vec<HandOverItem>,
    open: u64,
    /// State: class, word, how many.
    states: Vec<(&'static str, String, u64)>,
    groups: Vec<GroupItem>,
    state_choices: Vec<Choice>,
    region_choices: Vec<Choice>,
    quiet: Vec<QuietList>,
    services: Vec<ServiceItem>,
    kinds_out: Vec<String>,
    may_manage: bool,
    may_hand_over: bool,
    people: Vec<Choice>,
    note: String,
}

/// Alarms that wait for nobody, with the reason in the title.
struct QuietList {
    id: &'static str,
    title: String,
    alarms: Vec<AlarmItem>,
}

/// A kind of alarm of an outlet that is out of service.
struct ServiceItem {
    outlet: String,
    outlet_id: String,
    kind: &'static str,
    kind_name: String,
    at: String,
    by: String,
    note: String,
}

/// What the desk shows, and who can take it over.
struct Read {
    desk: DeskView,
    roster: RosterView,
    filter: AlarmFilter,
}

async fn read(visit: &Visit, query: &Fields) -> Result<Read, BackendError> {
    let filter = alarm_filter(query).map_err(|text| refused("filter-unknown", text))?;
    let (asked, now) = (filter.clone(), visit.times.now);
    let (desk, roster) = visit
        .read(move |backend, actor| {
            let desk = backend.desk(actor, &asked)?;
            Ok((desk, backend.roster(actor, now, now)?))
        })
        .await?;
    Ok(Read {
        desk,
        roster,
        filter,
    })
}

fn view(visit: &Visit, read: &Read, form: &Fields) -> DeskPage {
    let (eyes, words) = (visit.eyes(), visit.words);
    let Read {
        desk,
        roster,
        filter,
    } = read;
    let name = |user: &UserId| {
        let known = roster.names.get(user);
        known.cloned().unwrap_or_else(|| user.to_string())
    };
    let on_duty: Vec<&str> = desk.on_duty.iter().map(|one| one.name.as_str()).collect();
    let taken: BTreeSet<&str> = chosen(form).collect();
    let people = roster
        .people
        .iter()
        .filter(|one| one.user != visit.actor.user);
    DeskPage {
        shell: Shell::new(visit, "alarms"),
        tabs: desk_tabs(words, true, "desk"),
        on_duty: on_duty.join(words_joint(words)),
        until: desk
            .until
            .map_or_else(String::new, |at| visit.times.short(at)),
        next: desk.next.as_ref().map_or_else(String::new, |row| {
            let names: Vec<String> = row.shift.people.iter().map(name).collect();
            format!(
                "{} · {}",
                span(visit, &row.shift),
                names.join(words_joint(words))
            )
        }),
        hand_overs: hand_over_items(&eyes, &desk.hand_overs, &name),
        open: desk.queue.open,
        states: desk
            .queue
            .states
            .iter()
            .map(|(state, n)| {
                let code = state.as_str();
                (code, words.code("alarm-state", code), *n)
            })
            .collect(),
        groups: group_items(&eyes, &desk.queue, filter),
        state_choices: state_choices(visit, filter),
        region_choices: region_choices(visit, filter.region.as_ref()),
        quiet: quiet(visit, desk),
        services: desk
            .services
            .iter()
            .map(|row| service(visit, row, &name))
            .collect(),
        kinds_out: desk
            .kinds_out
            .iter()
            .map(|kind| kind_name(words, *kind))
            .collect(),
        may_manage: visit.may(Permission::ManageDesk),
        may_hand_over: visit.may(Permission::AcknowledgeAlarm),
        people: people
            .map(|one| Choice {
                value: one.user.to_string(),
                label: one.name.clone(),
                chosen: taken.contains(one.user.as_str()),
            })
            .collect(),
        note: form.get("note").cloned().unwrap_or_default(),
    }
}

/// Beginning and end of a shift in a few words.
pub(super) fn span(visit: &Visit, shift: &Shift) -> String {
    let (from, until) = (
        visit.times.short(shift.from),
        time_of_day(visit, shift.until),
    );
    format!("{from} – {until}")
}

/// The time of day by the site's clock.
pub(super) fn time_of_day(visit: &Visit, at: Timestamp) -> String {
    visit.times.offset.local(at).format("%H:%M").to_string()
}

fn state_choices(visit: &Visit, filter: &AlarmFilter) -> Vec<Choice> {
    let open = AlarmState::ALL.into_iter();
    let open = open.filter(|state| *state != AlarmState::Closed);
    open.map(|state| Choice {
        value: state.as_str().to_owned(),
        label: visit.words.code("alarm-state", state.as_str()),
        chosen: filter.states.contains(&state),
    })
    .collect()
}

/// Regions that the visitor sees, when there are several.
fn region_choices(visit: &Visit, asked: Option<&RegionId>) -> Vec<Choice> {
    let own = &visit.actor.scope.regions;
    let seen = visit.registry.regions.iter();
    let seen = seen.filter(|(id, _)| own.is_empty() || own.contains(*id));
    let choices: Vec<Choice> = seen
        .map(|(id, name)| Choice {
            value: id.to_string(),
            label: name.clone(),
            chosen: asked == Some(id),
        })
        .collect();
    if choices.len() > 1 {
        choices
    } else {
        Vec::new()
    }
}

fn quiet(visit: &Visit, desk: &DeskView) -> Vec<QuietList> {
    let eyes = visit.eyes();
    let lists = [
        ("shelved", &desk.shelved),
        ("suppressed", &desk.suppressed),
        ("out-of-service", &desk.silenced),
    ];
    let list = |(id, rows): (&'static str, &Vec<_>)| QuietList {
        id,
        title: visit.words.code("alarm-state", id),
        alarms: rows.iter().map(|row| AlarmItem::new(&eyes, row)).collect(),
    };
    lists.into_iter().map(list).collect()
}

fn service(visit: &Visit, row: &AlarmServiceRow, name: &impl Fn(&UserId) -> String) -> ServiceItem {
    let eyes = visit.eyes();
    let outlet = eyes.registry.outlets.get(&row.outlet);
    ServiceItem {
        outlet: outlet.map_or_else(
            || row.outlet.to_string(),
            |o| format!("{} · {}", eyes.enterprise_of(o), eyes.outlet_name(o)),
        ),
        outlet_id: row.outlet.to_string(),
        kind: row.kind.as_str(),
        kind_name: kind_name(visit.words, row.kind),
        at: visit.times.full(row.at),
        by: name(&row.by),
        note: row.note.clone(),
    }
}

/// `GET /desk?region=&state=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let read = read(&visit, &query).await;
    let read = read.map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, &read, &Fields::new());
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// People whose box is checked: a form sends `to.<user>=on`, because a field that stands several
/// times keeps only its last value.
pub(super) fn chosen(form: &Fields) -> impl Iterator<Item = &str> {
    form.keys().filter_map(|field| field.strip_prefix("to."))
}

/// `POST /desk/hand-over`.
pub(super) async fn hand_over(visit: Visit, Form(form): Form<Fields>) -> Page {
    visit
        .require(Permission::AcknowledgeAlarm)
        .map_err(|e| visit.failed(&e))?;
    let outcome = match checked_note(form.get("note")) {
        Ok(note) => {
            let over = HandOver {
                from: visit.actor.user.clone(),
                to: chosen(&form).map(UserId::new).collect(),
                note,
            };
            visit.app.backend.hand_over(&visit.actor, over).await
        }
        Err(error) => Err(error),
    };
    let error = match outcome {
        Ok(receipt) => return Ok(saved("/desk", receipt.seq)),
        Err(error) => error,
    };
    let read = read(&visit, &Fields::new()).await;
    let read = read.map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, &read, &form);
    page.shell.notice = Some(visit.refusal(&error));
    Err((status_of(&error), html(&page)).into_response())
}
