//! `/roster`: a week of shifts, and the form for the next one.

use super::clues::day;
use super::desk::{chosen, time_of_day};
use super::judgement::Fields;
use super::{Page, Params, html, status_of};
use crate::app::Visit;
use crate::backend::{BackendError, RosterView};
use crate::refusal::refused;
use crate::view::desk::{HandOverItem, hand_over_items, words_joint};
use crate::view::section::{Choice, Tab, desk_tabs};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Query};
use axum::response::IntoResponse;
use cems_core::model::time::{DAY_MS, MINUTE_MS};
use cems_core::model::{Level, Period, Permission, Shift, ShiftRow, Timestamp, UserId};
use chrono::{Datelike, NaiveTime, Timelike};
use std::collections::BTreeSet;

/// Days of the grid.
const DAYS: i64 = 7;
/// Days on which one form enters the same shift at most: a month.
const REPEATS_MAX: i64 = 31;

#[derive(Template)]
#[template(path = "roster.html")]
struct RosterPage {
    shell: Shell,
    tabs: Vec<Tab>,
    week: String,
    previous: String,
    next: String,
    days: Vec<DayItem>,
    hand_overs: Vec<HandOverItem>,
    may_enter: bool,
    people: Vec<Choice>,
    date: String,
    from: String,
    until: String,
    repeats: String,
}

/// A day of the grid.
struct DayItem {
    date: String,
    weekday: String,
    today: bool,
    shifts: Vec<ShiftItem>,
}

struct ShiftItem {
    span: String,
    people: String,
    now: bool,
    by: String,
    /// Its beginning and end, by which it is taken out.
    from_ms: i64,
    until_ms: i64,
}

/// First instant of the week that contains `at`.
fn week_of(visit: &Visit, at: Timestamp) -> Timestamp {
    let today = Period::containing(Level::Day, at, visit.times.offset).start;
    let weekday = visit.times.offset.local(today).weekday();
    today.plus_ms(-i64::from(weekday.num_days_from_monday()) * DAY_MS)
}

async fn read(visit: &Visit, start: Timestamp) -> Result<RosterView, BackendError> {
    let until = start.plus_ms(DAYS * DAY_MS);
    visit
        .read(move |backend, actor| backend.roster(actor, start, until))
        .await
}

fn view(visit: &Visit, start: Timestamp, roster: &RosterView, form: &Fields) -> RosterPage {
    let name = |user: &UserId| {
        let known = roster.names.get(user);
        known.cloned().unwrap_or_else(|| user.to_string())
    };
    let typed = |field: &str, usual: &str| {
        let said = form.get(field).map(String::as_str);
        said.unwrap_or(usual).to_owned()
    };
    let days = (0..DAYS).map(|n| start.plus_ms(n * DAY_MS));
    let last = start.plus_ms((DAYS - 1) * DAY_MS);
    let link = |at: Timestamp| format!("/roster?week={}", visit.times.date(at));
    let taken: BTreeSet<&str> = chosen(form).collect();
    RosterPage {
        shell: Shell::new(visit, "alarms"),
        tabs: desk_tabs(visit.words, true, "roster"),
        week: format!("{} – {}", visit.times.date(start), visit.times.date(last)),
        previous: link(start.plus_ms(-DAYS * DAY_MS)),
        next: link(start.plus_ms(DAYS * DAY_MS)),
        days: days
            .map(|day| day_item(visit, day, roster, &name))
            .collect(),
        hand_overs: hand_over_items(&visit.eyes(), &roster.hand_overs, &name),
        may_enter: visit.may(Permission::ManageDesk),
        people: roster
            .people
            .iter()
            .map(|one| Choice {
                value: one.user.to_string(),
                label: one.name.clone(),
                chosen: taken.contains(one.user.as_str()),
            })
            .collect(),
        date: typed("date", &visit.times.date(visit.times.now.max(start))),
        from: typed("from", "08:00"),
        until: typed("until", "16:00"),
        repeats: typed("days", "1"),
    }
}

fn day_item(
    visit: &Visit,
    day: Timestamp,
    roster: &RosterView,
    name: &impl Fn(&UserId) -> String,
) -> DayItem {
    let end = day.plus_ms(DAY_MS);
    let mine = roster.shifts.iter().filter(|row| {
        let from = row.shift.from;
        // A shift over midnight stands on the day it begins, and on the first one shown.
        (day <= from && from < end) || (from < day && row.shift.until > day)
    });
    let weekday = visit.times.offset.local(day).weekday();
    let key = weekday.num_days_from_monday().to_string();
    DayItem {
        date: visit.times.date(day),
        weekday: visit.words.code("weekday", &key),
        today: (day..end).contains(&visit.times.now),
        shifts: mine.map(|row| shift_item(visit, row, name)).collect(),
    }
}

fn shift_item(visit: &Visit, row: &ShiftRow, name: &impl Fn(&UserId) -> String) -> ShiftItem {
    let shift = &row.shift;
    let (from, until) = (
        time_of_day(visit, shift.from),
        time_of_day(visit, shift.until),
    );
    let names: Vec<String> = shift.people.iter().map(name).collect();
    ShiftItem {
        span: format!("{from} – {until}"),
        people: names.join(words_joint(visit.words)),
        now: (shift.from..shift.until).contains(&visit.times.now),
        by: name(&shift.by),
        from_ms: shift.from.0,
        until_ms: shift.until.0,
    }
}

/// `GET /roster?week=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let at = day(&visit, query.get("week")).unwrap_or(visit.times.now);
    let start = week_of(&visit, at);
    let roster = read(&visit, start).await;
    let roster = roster.map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, start, &roster, &Fields::new());
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

fn clock(form: &Fields, field: &str) -> Result<i64, BackendError> {
    let text = form.get(field).map_or("", |text| text.trim());
    let time = NaiveTime::parse_from_str(text, "%H:%M");
    let time = time.map_err(|_| refused("datetime-unreadable", text))?;
    Ok(i64::from(time.hour() * 60 + time.minute()) * MINUTE_MS)
}

/// The shifts that a form enters: the same one on several days, or one that is taken out.
fn shifts(visit: &Visit, form: &Fields) -> Result<Vec<Shift>, BackendError> {
    let by = visit.actor.user.clone();
    let number = |field: &str| form.get(field).and_then(|text| text.parse::<i64>().ok());
    if let (Some(from), Some(until)) = (number("remove_from"), number("remove_until")) {
        return Ok(vec![Shift {
            from: Timestamp(from),
            until: Timestamp(until),
            people: BTreeSet::new(),
            by,
        }]);
    }
    let people: BTreeSet<UserId> = chosen(form).map(UserId::new).collect();
    if people.is_empty() {
        return Err(refused("shift-people", ""));
    }
    let date = form.get("date").map_or("", String::as_str);
    let first = day(visit, form.get("date"));
    let first = first.ok_or_else(|| refused("datetime-unreadable", date))?;
    let (from, until) = (clock(form, "from")?, clock(form, "until")?);
    // Until a time that is not later: over midnight.
    let until = if until > from { until } else { until + DAY_MS };
    let repeats = number("days").unwrap_or(1);
    if !(1..=REPEATS_MAX).contains(&repeats) {
        return Err(refused(
            "shift-days",
            format!("{repeats} (1–{REPEATS_MAX})"),
        ));
    }
    let shift = |n: i64| Shift {
        from: first.plus_ms(n * DAY_MS + from),
        until: first.plus_ms(n * DAY_MS + until),
        people: people.clone(),
        by: by.clone(),
    };
    Ok((0..repeats).map(shift).collect())
}

async fn put(visit: &Visit, form: &Fields) -> Result<(u64, Timestamp), BackendError> {
    visit.require(Permission::ManageDesk)?;
    let shifts = shifts(visit, form)?;
    let first = shifts.first().map_or(visit.times.now, |shift| shift.from);
    let mut seq = 0;
    for shift in shifts {
        let receipt = visit.app.backend.enter_shift(&visit.actor, shift).await?;
        seq = receipt.seq.0;
    }
    Ok((seq, first))
}

/// `POST /roster`.
pub(super) async fn enter(visit: Visit, Form(form): Form<Fields>) -> Page {
    let error = match put(&visit, &form).await {
        Ok((seq, at)) => {
            let week = format!("/roster?week={}&saved={seq}", visit.times.date(at));
            return Ok(axum::response::Redirect::to(&week).into_response());
        }
        Err(error) => error,
    };
    if error == BackendError::Forbidden {
        return Err(visit.failed(&error));
    }
    let at = day(&visit, form.get("date")).unwrap_or(visit.times.now);
    let start = week_of(&visit, at);
    let roster = read(&visit, start).await;
    let roster = roster.map_err(|e| visit.failed(&e))?;
    let mut page = view(&visit, start, &roster, &form);
    page.shell.notice = Some(visit.refusal(&error));
    Err((status_of(&error), html(&page)).into_response())
}
