//! What opens rounds, and what a changed table or registry does to those that are open.

use super::{Opened, Running, Shared, object, parts, round_id, round_object, run_rounds, standing};
use crate::duties::{
    Opening, Round, concerns, current_opening, due_at, key, next_opening, triggered,
};
use crate::engine::context::{Cx, ENGINE};
use crate::model::{
    Day, DutyBook, DutyEvent, DutyFor, DutyGone, DutyId, DutyRow, DutyRule, DutySubject,
    DutyTrigger, EnterpriseId, FallbackRow, MarkKind, Outlet, OutletId, Output, RegionId, Registry,
    Seq, Timestamp, UserId,
};
use smol_str::SmolStr;

/// Everyone a row may be about, in the order of ids.
fn subjects<'a>(
    rule: &'a DutyRule,
    registry: &'a Registry,
) -> impl Iterator<Item = DutySubject> + 'a {
    let all: Box<dyn Iterator<Item = DutySubject>> = match rule.subject {
        DutyFor::Enterprise => {
            let ids = registry.enterprises.keys();
            Box::new(ids.cloned().map(DutySubject::Enterprise))
        }
        DutyFor::Outlet => Box::new(registry.outlets.keys().cloned().map(DutySubject::Outlet)),
        DutyFor::Region => Box::new(registry.regions.keys().cloned().map(DutySubject::Region)),
    };
    all.filter(|subject| concerns(rule, subject, registry))
}

/// Enterprise and region of a subject.
fn place(subject: &DutySubject, registry: &Registry) -> (Option<EnterpriseId>, Option<RegionId>) {
    let region = |id: &EnterpriseId| Some(registry.enterprises.get(id)?.region.clone());
    match subject {
        DutySubject::Enterprise(id) => (Some(id.clone()), region(id)),
        DutySubject::Outlet(id) => {
            let enterprise = registry.outlets.get(id).map(|o| o.enterprise.clone());
            let region = enterprise.as_ref().and_then(region);
            (enterprise, region)
        }
        DutySubject::Region(id) => (None, Some(id.clone())),
    }
}

/// What a new instance says besides its row, round and subject.
struct New<'a> {
    rule: &'a DutyRule,
    round: &'a str,
    due_at: Timestamp,
    trigger_at: Option<Timestamp>,
    by_hand: Option<(UserId, String)>,
}

/// Opens an instance, or opens one anew that had ended when its row or subject went; one that is
/// there stays as it is. True when it is open now because of this.
fn open(new: &New<'_>, subject: DutySubject, registry: &Registry, cx: &mut Cx<'_>) -> bool {
    let key = key(&new.rule.id, &subject, new.round);
    if cx.history.duty(&key).is_some_and(|row| row.gone.is_none()) {
        return false;
    }
    let (enterprise, region) = place(&subject, registry);
    let (opened_by, note) = match &new.by_hand {
        Some((by, note)) => (Some(by.clone()), note.clone()),
        None => (None, String::new()),
    };
    cx.emit(Output::Duty(DutyRow {
        key,
        rule: new.rule.id.clone(),
        round: SmolStr::new(new.round),
        subject,
        enterprise,
        region,
        inside: new.rule.is_inside(),
        opens_at: cx.at,
        due_at: new.due_at,
        trigger_at: new.trigger_at,
        opened_by,
        note,
        done: None,
        gone: None,
        opened_seq: cx.seq,
        updated_seq: cx.seq,
    }));
    true
}

/// Opens the round of a period for these subjects.
fn open_period(
    shared: &mut Shared,
    rule: &DutyRule,
    (period, day): (crate::duties::DutyPeriod, Day),
    subjects: impl Iterator<Item = DutySubject>,
    registry: &Registry,
    cx: &mut Cx<'_>,
) {
    let book = &cx.policy.duties;
    let opening = Opening::Period(period, day);
    let due = due_at(rule, &opening, &book.calendar, registry.offset);
    let (Some(due_at), Some(round)) = (due, opening.label(rule)) else {
        return;
    };
    let new = New {
        rule,
        round: &round,
        due_at,
        trigger_at: None,
        by_hand: None,
    };
    let mut count = 0_u64;
    for subject in subjects {
        count += u64::from(open(&new, subject, registry, cx));
    }
    if count == 0 {
        return;
    }
    let id = round_id(&rule.id, &round);
    if !shared.duties.rounds.contains_key(&id) {
        let running = Running {
            times: Round::new(cx.at, due_at),
            opened: Opened::Period(period, day),
        };
        shared.duties.put(book, &id, Some(running));
    }
    cx.audit(ENGINE, "duty.opened", round_object(&id), count.to_string());
}

/// The next day on which recurring rows open has come.
pub(super) fn day(shared: &mut Shared, cx: &mut Cx<'_>) {
    let registry = cx.registry;
    let book = &cx.policy.duties;
    let Some(through) = shared.duties.through else {
        shared.duties.opens_at = None;
        return;
    };
    let openings: Vec<_> = book
        .rules
        .values()
        .filter_map(|rule| Some((rule, next_opening(rule, through)?)))
        .collect();
    if let Some(first) = openings.iter().map(|(_, (_, day))| *day).min() {
        for (rule, opening) in openings {
            if opening.1 == first {
                open_period(
                    shared,
                    rule,
                    opening,
                    subjects(rule, registry),
                    registry,
                    cx,
                );
            }
        }
        shared.duties.through = Some(first);
        shared.duties.dirty = true;
    }
    shared.duties.reopen(book, registry.offset);
}

/// Opens what recurs and is open now for those subjects, where its time has not passed.
fn catch_up(
    shared: &mut Shared,
    rule: &DutyRule,
    registry: &Registry,
    wanted: impl Fn(&DutySubject) -> bool,
    cx: &mut Cx<'_>,
) {
    let today = Day::of(cx.at, registry.offset);
    let Some(opening) = current_opening(rule, today) else {
        return;
    };
    let calendar = &cx.policy.duties.calendar;
    let open = Opening::Period(opening.0, opening.1);
    let due = due_at(rule, &open, calendar, registry.offset);
    if due.is_some_and(|due| due > cx.at) {
        let subjects = subjects(rule, registry).filter(wanted);
        open_period(shared, rule, opening, subjects, registry, cx);
    }
}

/// Recurring rows begin with the first day on which there are any.
fn begin(shared: &mut Shared, registry: &Registry, cx: &Cx<'_>) {
    let today = Day::of(cx.at, registry.offset);
    if shared.duties.through.is_none() && !cx.policy.duties.rules.is_empty() {
        shared.duties.through = Some(today);
        shared.duties.dirty = true;
    }
    shared.duties.reopen(&cx.policy.duties, registry.offset);
}

/// A registry takes force: who comes in owes what is open now, who leaves owes nothing any more.
pub(in crate::engine) fn registry_changed(
    shared: &mut Shared,
    old: Option<&Registry>,
    new: &Registry,
    cx: &mut Cx<'_>,
) {
    let book = &cx.policy.duties;
    if book.rules.is_empty() {
        return;
    }
    begin(shared, new, cx);
    let owed = |rule: &DutyRule, subject: &DutySubject| {
        old.is_some_and(|old| concerns(rule, subject, old))
    };
    for rule in book.rules.values() {
        catch_up(shared, rule, new, |subject| !owed(rule, subject), cx);
    }
    if let Some(old) = old {
        for subject in left(old, new) {
            for row in cx.history.open_duties_about(&subject) {
                let rule = book.rules.get(&row.rule);
                if rule.is_none_or(|rule| !concerns(rule, &subject, new)) {
                    end(shared, row, DutyGone::SubjectGone, cx);
                }
            }
        }
    }
    shared.duties.index(book, new.offset);
    run_rounds(shared, cx);
}

/// Subjects that left the registry, or went to another region.
fn left(old: &Registry, new: &Registry) -> Vec<DutySubject> {
    let region = |registry: &Registry, id: &EnterpriseId| {
        registry.enterprises.get(id).map(|e| e.region.clone())
    };
    let moved = |id: &EnterpriseId| region(old, id) != region(new, id);
    let mut all: Vec<DutySubject> = old
        .enterprises
        .keys()
        .filter(|id| moved(id))
        .cloned()
        .map(DutySubject::Enterprise)
        .collect();
    let gone = |outlet: &&Outlet| {
        let now = new.outlets.get(&outlet.id);
        now.is_none_or(|now| now.enterprise != outlet.enterprise || moved(&outlet.enterprise))
    };
    let outlets = old.outlets.values().filter(gone);
    all.extend(outlets.map(|outlet| DutySubject::Outlet(outlet.id.clone())));
    let regions = old
        .regions
        .keys()
        .filter(|id| !new.regions.contains_key(*id));
    all.extend(regions.cloned().map(DutySubject::Region));
    all
}

/// A table of duties takes force: rows that went, end; what is open under a row or a calendar that
/// changed gets its new times; new rows open at once what is open now.
pub(in crate::engine) fn book_changed(shared: &mut Shared, old: &DutyBook, cx: &mut Cx<'_>) {
    let registry = cx.registry;
    let book: &DutyBook = &cx.policy.duties;
    if old == book {
        return;
    }
    let stays = |id: &DutyId, before: &DutyRule| {
        let now = book.rules.get(id);
        now.is_some_and(|now| now.trigger == before.trigger && now.subject == before.subject)
    };
    for (id, before) in &old.rules {
        if !stays(id, before) {
            rule_gone(shared, id, cx);
        } else if let Some(now) = book.rules.get(id)
            && now.regions != before.regions
        {
            for row in cx.history.open_duties(id, None) {
                if !concerns(now, &row.subject, registry) {
                    end(shared, row, DutyGone::RuleGone, cx);
                }
            }
        }
    }
    move_rounds(shared, cx);
    begin(shared, registry, cx);
    for (id, rule) in &book.rules {
        let before = old.rules.get(id);
        let owed = |subject: &DutySubject| {
            before.is_some_and(|before| stays(id, before) && concerns(before, subject, registry))
        };
        catch_up(shared, rule, registry, |subject| !owed(subject), cx);
    }
    shared.duties.index(book, registry.offset);
    run_rounds(shared, cx);
}

fn rule_gone(shared: &mut Shared, id: &DutyId, cx: &mut Cx<'_>) {
    for row in cx.history.open_duties(id, None) {
        end(shared, row, DutyGone::RuleGone, cx);
    }
    let rounds: Vec<_> = shared.duties.rounds.keys().cloned().collect();
    for round in rounds {
        if parts(&round).0 == *id {
            shared.duties.put(&cx.policy.duties, &round, None);
        }
    }
}

/// Rounds whose times are others by the table and calendar in force.
fn move_rounds(shared: &mut Shared, cx: &mut Cx<'_>) {
    let book = &cx.policy.duties;
    let rounds: Vec<_> = shared.duties.rounds.clone().into_iter().collect();
    for (id, mut running) in rounds {
        let (rule_id, round) = parts(&id);
        let Some(rule) = book.rules.get(&rule_id) else {
            continue;
        };
        let opening = running.opened.into();
        let due = due_at(rule, &opening, &book.calendar, cx.registry.offset);
        let Some(due) = due.filter(|due| *due != running.times.due_at) else {
            continue;
        };
        for mut row in cx.history.open_duties(&rule_id, Some(round)) {
            row.due_at = due;
            row.updated_seq = cx.seq;
            cx.emit(Output::Duty(row));
        }
        standing::round_moved(shared, &id, cx);
        running.times = Round::new(cx.at, due);
        shared.duties.put(book, &id, Some(running));
        let detail = cx.registry.offset.iso(due);
        cx.audit(ENGINE, "duty.moved", round_object(&id), detail);
    }
}

/// Ends an instance that nobody completed.
pub(super) fn end(shared: &mut Shared, mut row: DutyRow, why: DutyGone, cx: &mut Cx<'_>) {
    row.gone = Some((cx.at, why));
    row.updated_seq = cx.seq;
    standing::relieve(shared, &row, why.as_str(), cx);
    cx.audit(ENGINE, "duty.gone", object(&row.key), why.as_str().into());
    cx.emit(Output::Duty(row));
}

/// Opens the single instance that something triggered.
pub(super) fn open_triggered(
    shared: &mut Shared,
    rule: &DutyRule,
    (round, trigger_at): (&str, Timestamp),
    subject: DutySubject,
    by_hand: Option<(UserId, String)>,
    cx: &mut Cx<'_>,
) {
    let book = &cx.policy.duties;
    let registry = cx.registry;
    let opening = Opening::Trigger(trigger_at);
    let Some(due_at) = due_at(rule, &opening, &book.calendar, registry.offset) else {
        return;
    };
    let key = key(&rule.id, &subject, round);
    let who = by_hand
        .as_ref()
        .map_or(ENGINE.into(), |(by, _)| by.to_string());
    let new = New {
        rule,
        round,
        due_at,
        trigger_at: Some(trigger_at),
        by_hand,
    };
    if !open(&new, subject, registry, cx) {
        return;
    }
    let detail = registry.offset.iso(due_at);
    cx.audit(&who, "duty.opened", object(&key), detail);
    let id = round_id(&rule.id, round);
    let running = Running {
        times: Round::new(cx.at, due_at),
        opened: Opened::Trigger(trigger_at),
    };
    shared.duties.put(book, &id, Some(running));
    // What opens late is overdue, or near, at once.
    super::turns::take(shared, &id, cx);
}

/// Something happened at an outlet that rows wait for.
fn happened(
    shared: &mut Shared,
    event: DutyEvent,
    outlet: &OutletId,
    (what, number): (&str, u64),
    at: Timestamp,
    cx: &mut Cx<'_>,
) {
    let today = Day::of(cx.at, cx.registry.offset);
    let subject = DutySubject::Outlet(outlet.clone());
    for rule in cx.policy.duties.rules.values() {
        let waits = rule.trigger == DutyTrigger::On { event } && rule.in_force(today);
        if waits && rule.subject == DutyFor::Outlet && concerns(rule, &subject, cx.registry) {
            let round = triggered(what, number);
            let subject = subject.clone();
            open_triggered(shared, rule, (&round, at), subject, None, cx);
        }
    }
}

/// A fallback opened.
pub(in crate::engine) fn fallback_opened(shared: &mut Shared, row: &FallbackRow, cx: &mut Cx<'_>) {
    let event = DutyEvent::FallbackOpened;
    let number = ("fallback", row.id.0);
    happened(shared, event, &row.outlet, number, row.opened_at, cx);
}

/// A mark was entered in this event, if it was not refused.
pub(in crate::engine) fn marked(shared: &mut Shared, cx: &mut Cx<'_>) {
    let Some(row) = cx.history.mark(cx.seq) else {
        return;
    };
    if row.mark.kind == MarkKind::Fault {
        let event = DutyEvent::FaultMarked;
        let number = ("mark", row.id.0);
        happened(shared, event, &row.mark.outlet, number, row.mark.from, cx);
    }
}

/// A mark was taken back, if it was not refused: what it opened is owed no more.
pub(in crate::engine) fn unmarked(shared: &mut Shared, id: Seq, cx: &mut Cx<'_>) {
    let row = cx.history.mark(id);
    let Some(row) = row.filter(|row| row.withdrawn.is_some()) else {
        return;
    };
    let subject = DutySubject::Outlet(row.mark.outlet);
    for rule in cx.policy.duties.rules.values() {
        let key = key(&rule.id, &subject, &triggered("mark", id.0));
        if let Some(duty) = cx.history.duty(&key).filter(DutyRow::is_open) {
            end(shared, duty, DutyGone::TakenBack, cx);
        }
    }
}
