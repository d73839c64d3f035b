//! What happens when a round turns: those who owe it are reminded, alarms stand, the next in the
//! chain is told.

use super::standing::{self, Signal};
use super::{RoundId, Shared, object, parts, round_object};
use crate::duties::Turn;
use crate::engine::context::{Cx, ENGINE};
use crate::model::{About, DutyRow, DutyRule, DutySubject, MessageReason, Role};
use crate::notify::Notice;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Lets a round turn up to now.
pub(super) fn take(shared: &mut Shared, id: &RoundId, cx: &mut Cx<'_>) {
    let book = &cx.policy.duties;
    let (rule_id, round) = parts(id);
    let known = shared.duties.rounds.get(id).cloned();
    let (Some(mut running), Some(rule)) = (known, book.rules.get(&rule_id)) else {
        shared.duties.put(book, id, None);
        return;
    };
    let turns = running.times.advance(rule, cx.at);
    shared.duties.put(book, id, Some(running));
    if turns.is_empty() {
        return;
    }
    let rows = cx.history.open_duties(&rule_id, Some(round));
    if rows.is_empty() {
        return;
    }
    for (_, turn) in turns {
        turned(shared, (id, rule), &rows, turn, cx);
    }
}

fn turned(
    shared: &mut Shared,
    (id, rule): (&RoundId, &DutyRule),
    rows: &[DutyRow],
    turn: Turn,
    cx: &mut Cx<'_>,
) {
    let what = match turn {
        Turn::Reminder { last, .. } => {
            tell(rows, MessageReason::DutyReminder, &rule.roles, cx);
            if last {
                standing::stands(shared, Signal::Near, id, rows, cx);
            }
            "duty.reminded"
        }
        Turn::Overdue => {
            standing::stands(shared, Signal::Overdue, id, rows, cx);
            // The alarm is the desk's; those who owe it hear of it here.
            tell(rows, MessageReason::DutyEscalated, &rule.roles, cx);
            "duty.overdue"
        }
        Turn::Escalation(step) => {
            if let Some(step) = rule.escalate.get(step) {
                tell(rows, MessageReason::DutyEscalated, &step.roles, cx);
            }
            "duty.escalated"
        }
    };
    let about: SmolStr = match rows {
        [one] if one.trigger_at.is_some() => object(&one.key),
        _ => round_object(id),
    };
    cx.audit(ENGINE, what, about, rows.len().to_string());
}

fn tell(rows: &[DutyRow], reason: MessageReason, roles: &BTreeSet<Role>, cx: &mut Cx<'_>) {
    let kind = match reason {
        MessageReason::DutyReminder => Signal::Near.kind(),
        _ => Signal::Overdue.kind(),
    };
    let priority = cx.policy.alarms.priority(kind);
    for row in rows {
        let outlet = match &row.subject {
            DutySubject::Outlet(id) => Some(id.clone()),
            _ => None,
        };
        cx.notice(Notice {
            reason,
            about: About::Duty(row.key.clone()),
            priority,
            kind: None,
            outlet,
            enterprise: row.enterprise.clone(),
            region: row.region.clone(),
            roles: roles.clone(),
        });
    }
}
