//! The alarms "duty near" and "duty overdue": one for each subject, for all it owes; where many owe
//! the same, one for each region instead, that counts them.

use super::{RoundId, Shared, alarm_subject, parts, round_id};
use crate::engine::alarms::NewAlarm;
use crate::engine::context::Cx;
use crate::model::{AlarmId, AlarmKind, AlarmSubject, DutyId, DutyRow, EnterpriseId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A round that more subjects than this have not completed raises one alarm for each region, not
/// one for each of them: a list that nobody can read answers nothing.
pub const DUTIES_ONE_BY_ONE_MAX: usize = 20;

/// Rows of duties named in an alarm; further ones are counted.
const NAMED_MAX: usize = 8;

/// Which alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Signal {
    /// Due soon.
    Near,
    /// Overdue.
    Overdue,
}

impl Signal {
    pub(super) fn kind(self) -> AlarmKind {
        match self {
            Self::Near => AlarmKind::DutyNear,
            Self::Overdue => AlarmKind::DutyOverdue,
        }
    }
}

/// The last alarm about a subject, and the rounds it stands for with the instances still open;
/// none when it has returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    alarm: AlarmId,
    rounds: BTreeMap<RoundId, u64>,
}

impl Standing {
    fn count(&self) -> u64 {
        self.rounds.values().sum()
    }

    /// What an alarm says: the first duty by name, how many more, and which they are.
    fn facts(&self, cx: &Cx<'_>) -> Vec<(&'static str, String)> {
        // Rounds of one row stand beside each other.
        let mut rules: Vec<DutyId> = self.rounds.keys().map(|id| parts(id).0).collect();
        let rounds = rules.len();
        rules.dedup();
        let first = rules.first().and_then(|id| cx.policy.duties.rules.get(id));
        let (mut zh, mut en) = first.map_or_else(
            || {
                let id = rules.first().map(ToString::to_string).unwrap_or_default();
                (id.clone(), id)
            },
            |rule| (rule.name.zh.clone(), rule.name.en.clone()),
        );
        if rounds > 1 {
            zh = format!("{zh}等{rounds}项");
            en = format!("{en} and {} more", rounds - 1);
        }
        let ids: Vec<&str> = rules.iter().take(NAMED_MAX).map(DutyId::as_str).collect();
        vec![("name_zh", zh), ("name_en", en), ("duties", ids.join(" "))]
    }
}

/// The signal holds for these instances of a round from now on.
pub(super) fn stands(
    shared: &mut Shared,
    signal: Signal,
    id: &RoundId,
    rows: &[DutyRow],
    cx: &mut Cx<'_>,
) {
    if signal == Signal::Overdue {
        forget(shared, Signal::Near, id, "overdue", cx);
    }
    let many = rows.len() > DUTIES_ONE_BY_ONE_MAX;
    let mut groups: BTreeMap<AlarmSubject, Vec<&DutyRow>> = BTreeMap::new();
    for row in rows {
        let region = row.region.clone().filter(|_| many);
        let subject = region.map_or_else(|| alarm_subject(row), AlarmSubject::Region);
        groups.entry(subject).or_default().push(row);
    }
    for (subject, rows) in groups {
        let Some(first) = rows.first() else { continue };
        let enterprise = first.enterprise.clone();
        let enterprise = enterprise.filter(|_| !matches!(subject, AlarmSubject::Region(_)));
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let raised = (first.due_at, enterprise, count);
        stands_for(shared, (signal, subject), id, raised, cx);
    }
}

fn stands_for(
    shared: &mut Shared,
    key: (Signal, AlarmSubject),
    id: &RoundId,
    (due_at, enterprise, count): (Timestamp, Option<EnterpriseId>, u64),
    cx: &mut Cx<'_>,
) {
    shared.duties.dirty = true;
    let known = shared.duties.standing.get_mut(&key);
    if let Some(standing) = known {
        let active = !standing.rounds.is_empty();
        standing.rounds.insert(id.clone(), count);
        if active {
            let standing = standing.clone();
            refresh(shared, &standing, cx);
            return;
        }
    }
    let previous = shared.duties.standing.get(&key).map(|s| s.alarm);
    let since = match key.0 {
        Signal::Near => cx.at,
        Signal::Overdue => due_at,
    };
    let mut standing = Standing {
        alarm: AlarmId::default(),
        rounds: [(id.clone(), count)].into(),
    };
    let mut facts = standing.facts(cx);
    facts.push(("due", cx.registry.offset.iso(due_at)));
    let new = NewAlarm {
        enterprise,
        count,
        facts,
        ..NewAlarm::new(key.0.kind(), key.1.clone(), since)
    };
    standing.alarm = shared.book.raise(new, previous, cx);
    shared.duties.standing.insert(key, standing);
}

/// An instance of a round is open again, and the signal holds for it.
pub(super) fn stands_again(
    shared: &mut Shared,
    signal: Signal,
    id: &RoundId,
    row: &DutyRow,
    cx: &mut Cx<'_>,
) {
    let region = row.region.clone().map(AlarmSubject::Region);
    let grouped = region.map(|region| (signal, region)).filter(|key| {
        let standing = shared.duties.standing.get(key);
        standing.is_some_and(|standing| standing.rounds.contains_key(id))
    });
    let own = || (signal, alarm_subject(row));
    let key = grouped.unwrap_or_else(own);
    let standing = shared.duties.standing.get(&key);
    let open = standing
        .and_then(|standing| standing.rounds.get(id))
        .copied();
    let count = open.unwrap_or(0).saturating_add(1);
    let enterprise = row.enterprise.clone();
    let enterprise = enterprise.filter(|_| !matches!(key.1, AlarmSubject::Region(_)));
    let raised = (row.due_at, enterprise, count);
    stands_for(shared, key, id, raised, cx);
}

/// The figures of an alarm that goes on standing.
fn refresh(shared: &mut Shared, standing: &Standing, cx: &mut Cx<'_>) {
    let facts = standing.facts(cx);
    shared.book.change(standing.alarm, cx, |row| {
        row.count = standing.count();
        for (name, text) in facts {
            row.facts.insert(name.into(), text);
        }
    });
}

/// One instance of a round needs nobody any more.
pub(super) fn relieve(shared: &mut Shared, row: &DutyRow, why: &'static str, cx: &mut Cx<'_>) {
    let id = round_id(&row.rule, &row.round);
    for signal in [Signal::Near, Signal::Overdue] {
        let own = (signal, alarm_subject(row));
        let region = row.region.clone().map(AlarmSubject::Region);
        let places = [Some(own), region.map(|region| (signal, region))];
        let stands = |key: &(Signal, AlarmSubject)| {
            let standing = shared.duties.standing.get(key);
            standing.is_some_and(|standing| standing.rounds.contains_key(&id))
        };
        if let Some(key) = places.into_iter().flatten().find(stands) {
            less(shared, &key, &id, 1, why, cx);
        }
    }
}

/// A signal holds no more for a whole round.
fn forget(shared: &mut Shared, signal: Signal, id: &RoundId, why: &'static str, cx: &mut Cx<'_>) {
    let keys: Vec<(Signal, AlarmSubject)> = shared
        .duties
        .standing
        .iter()
        .filter(|((of, _), standing)| *of == signal && standing.rounds.contains_key(id))
        .map(|(key, _)| key.clone())
        .collect();
    for key in keys {
        less(shared, &key, id, u64::MAX, why, cx);
    }
}

/// The times of a round are others: what stood by the old ones stands no more.
pub(super) fn round_moved(shared: &mut Shared, id: &RoundId, cx: &mut Cx<'_>) {
    for signal in [Signal::Near, Signal::Overdue] {
        forget(shared, signal, id, "moved", cx);
    }
}

fn less(
    shared: &mut Shared,
    key: &(Signal, AlarmSubject),
    id: &RoundId,
    by: u64,
    why: &'static str,
    cx: &mut Cx<'_>,
) {
    shared.duties.dirty = true;
    let Some(standing) = shared.duties.standing.get_mut(key) else {
        return;
    };
    if let Some(count) = standing.rounds.get_mut(id) {
        *count = count.saturating_sub(by);
        if *count == 0 {
            standing.rounds.remove(id);
        }
    }
    let standing = standing.clone();
    if standing.rounds.is_empty() {
        shared.book.back_to_normal(standing.alarm, why, cx);
    } else {
        refresh(shared, &standing, cx);
    }
}
