//! What people enter about duties. [`crate::duties`] has said before journalling whether it makes
//! sense; it is asked again here, and what makes no sense any more leaves a line in the audit
//! trail.

use super::opening::{end, open_triggered};
use super::standing::{self, Signal};
use super::{Opened, Running, Shared, object, round_id};
use crate::duties::{
    Round, check_completion, check_opening, check_withdrawal, current_opening, due_at, triggered,
};
use crate::engine::context::Cx;
use crate::engine::event::{DutyCompletion, DutyOpening, DutyTakeBack};
use crate::model::{Day, DutyDone, DutyGone, DutyRow, DutyRule, Output};

/// An instance is completed.
pub(in crate::engine) fn complete(shared: &mut Shared, entry: DutyCompletion, cx: &mut Cx<'_>) {
    let row = cx.history.duty(&entry.key);
    let rule = row
        .as_ref()
        .and_then(|row| cx.policy.duties.rules.get(&row.rule));
    if let Err(error) = check_completion(&entry, row.as_ref(), rule) {
        let by = entry.by.as_str();
        cx.audit(by, "duty.refused", object(&entry.key), error.to_string());
        return;
    }
    let Some(mut row) = row else { return };
    let late = cx.at >= row.due_at;
    let what = if late { "duty.done-late" } else { "duty.done" };
    let by = entry.by.clone();
    cx.audit(by.as_str(), what, object(&row.key), entry.note.clone());
    row.done = Some(DutyDone {
        at: cx.at,
        by: entry.by,
        note: entry.note,
        attachments: entry.attachments,
        late,
        seq: cx.seq,
    });
    row.updated_seq = cx.seq;
    standing::relieve(shared, &row, "done", cx);
    cx.emit(Output::Duty(row));
}

/// A completion is taken back, or else an opening by hand.
pub(in crate::engine) fn take_back(shared: &mut Shared, entry: &DutyTakeBack, cx: &mut Cx<'_>) {
    let row = cx.history.duty(&entry.key);
    let by = entry.by.as_str();
    if let Err(error) = check_withdrawal(entry, row.as_ref()) {
        cx.audit(by, "duty.refused", object(&entry.key), error.to_string());
        return;
    }
    let Some(mut row) = row else { return };
    cx.audit(
        by,
        "duty.taken-back",
        object(&row.key),
        entry.reason.clone(),
    );
    if row.done.take().is_none() {
        end(shared, row, DutyGone::TakenBack, cx);
        return;
    }
    row.updated_seq = cx.seq;
    again(shared, &mut row, cx);
    cx.emit(Output::Duty(row));
}

/// An instance is open again: it falls due as the table says now, and stands where that time
/// stands.
fn again(shared: &mut Shared, row: &mut DutyRow, cx: &mut Cx<'_>) {
    let book = &cx.policy.duties;
    let Some(rule) = book.rules.get(&row.rule) else {
        return;
    };
    let id = round_id(&row.rule, &row.round);
    if let Some(opened) = opened(rule, row, cx) {
        let offset = cx.registry.offset;
        let due = due_at(rule, &opened.into(), &book.calendar, offset);
        row.due_at = due.unwrap_or(row.due_at);
        if cx.at < row.due_at && !shared.duties.rounds.contains_key(&id) {
            let times = Round::new(cx.at, row.due_at);
            shared
                .duties
                .put(book, &id, Some(Running { times, opened }));
        }
    }
    let times = shared.duties.rounds.get(&id).map(|running| running.times);
    let overdue = cx.at >= row.due_at;
    let near = times.is_some_and(|times: Round| times.is_near(rule));
    let signal = match (overdue, near) {
        (true, _) => Signal::Overdue,
        (false, true) => Signal::Near,
        (false, false) => return,
    };
    standing::stands_again(shared, signal, &id, row, cx);
}

/// What opened an instance, by what stands in its row.
fn opened(rule: &DutyRule, row: &DutyRow, cx: &Cx<'_>) -> Option<Opened> {
    if let Some(at) = row.trigger_at {
        return Some(Opened::Trigger(at));
    }
    let day = Day::of(row.opens_at, cx.registry.offset);
    current_opening(rule, day).map(|(period, day)| Opened::Period(period, day))
}

/// A person opens an instance: a finding, a decision, an announced stop.
pub(in crate::engine) fn open_by_hand(shared: &mut Shared, entry: DutyOpening, cx: &mut Cx<'_>) {
    let rule = cx.policy.duties.rules.get(&entry.rule);
    let checked = check_opening(&entry, rule, cx.registry, cx.at);
    let rule = match (checked, rule) {
        (Ok(()), Some(rule)) => rule,
        (Err(error), _) => {
            let on = format!("duties/{}", entry.rule);
            cx.audit(entry.by.as_str(), "duty.refused", on, error.to_string());
            return;
        }
        (Ok(()), None) => return,
    };
    let round = triggered("entry", cx.seq.0);
    let words = Some((entry.by, entry.note));
    let when = (round.as_str(), entry.trigger_at);
    open_triggered(shared, rule, when, entry.subject, words, cx);
}
