//! Alarms raised by a condition that holds or does not, one at a time per key.

use super::{AlarmBook, NewAlarm};
use crate::engine::context::Cx;
use crate::few::Few;
use crate::model::time::MINUTE_MS;
use crate::model::{AlarmId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Alarm conditions of an outlet by key: the last alarm of each.
pub(in crate::engine) type Conditions = Few<SmolStr, Condition>;

/// The last alarm of one condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Condition {
    /// The alarm.
    pub(in crate::engine) alarm: AlarmId,
    /// The condition holds.
    pub(in crate::engine) active: bool,
    /// Good values since the last bad one.
    #[serde(default)]
    pub(in crate::engine) good: u32,
    /// When it returns if nothing more happens.
    #[serde(default)]
    pub(in crate::engine) quiet_at: Option<Timestamp>,
    /// Times it was raised, as far back as chattering is looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::engine) raises: Vec<Timestamp>,
    /// The alarm is that of an outage, which covers others, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::engine) joined: bool,
    /// It chatters: it returns only after it has been quiet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::engine) chattering: bool,
}

/// The condition under `key` holds: raises an alarm, or changes the one that is active.
pub(in crate::engine) fn holds(
    conditions: &mut Conditions,
    book: &mut AlarmBook,
    (key, mut new): (&str, NewAlarm),
    quiet_at: Option<Timestamp>,
    cx: &mut Cx<'_>,
) {
    let known = conditions.get_mut(key);
    if let Some(condition) = known.filter(|condition| condition.active) {
        condition.good = 0;
        condition.quiet_at = quiet_at;
        book.change(condition.alarm, cx, |row| {
            row.count = row.count.saturating_add(1);
            row.value = new.value.or(row.value);
            for (name, text) in new.facts {
                row.facts.insert(name.into(), text);
            }
        });
        return;
    }
    let last = conditions.remove(key);
    let own = last.as_ref().filter(|condition| !condition.joined);
    let previous = own.map(|condition| condition.alarm);
    let (raises, chattering) = chatter(last.map_or_else(Vec::new, |c| c.raises), cx);
    new.chattering = chattering;
    let condition = Condition {
        alarm: book.raise(new, previous, cx),
        active: true,
        good: 0,
        quiet_at,
        raises,
        chattering,
        joined: false,
    };
    conditions.insert(key.into(), condition);
}

/// The condition under `key` holds, and the alarm of something greater covers it.
pub(in crate::engine) fn joins(conditions: &mut Conditions, alarm: AlarmId, key: &str) {
    let condition = Condition {
        alarm,
        active: true,
        good: 0,
        quiet_at: None,
        raises: Vec::new(),
        chattering: false,
        joined: true,
    };
    conditions.insert(key.into(), condition);
}

/// When a condition was raised lately, now included, and whether that is too often.
fn chatter(mut raises: Vec<Timestamp>, cx: &Cx<'_>) -> (Vec<Timestamp>, bool) {
    let rule = &cx.policy.alarms.chatter;
    let window_ms = i64::from(rule.window_min) * MINUTE_MS;
    raises.retain(|at| cx.at.since_ms(*at) < window_ms);
    raises.push(cx.at);
    let most = usize::try_from(rule.raises.max(1)).unwrap_or(usize::MAX);
    let chatters = rule.raises > 1 && raises.len() >= most;
    if raises.len() > most {
        raises.remove(0);
    }
    (raises, chatters)
}

/// The condition under `key` holds no more. One that chatters is held until it has been quiet.
pub(in crate::engine) fn gone(
    conditions: &mut Conditions,
    book: &mut AlarmBook,
    key: &str,
    why: &'static str,
    cx: &mut Cx<'_>,
) {
    let Some(condition) = conditions.get_mut(key).filter(|c| c.active) else {
        return;
    };
    if condition.chattering {
        let quiet_ms = i64::from(cx.policy.alarms.chatter.quiet_min) * MINUTE_MS;
        if condition.quiet_at.is_none() && quiet_ms > 0 {
            condition.quiet_at = Some(cx.at.plus_ms(quiet_ms));
        }
        if condition.quiet_at.is_some() {
            return;
        }
    }
    ended(conditions, book, key, why, cx);
}

/// The condition under `key` is over for good, chattering or not.
pub(in crate::engine) fn ended(
    conditions: &mut Conditions,
    book: &mut AlarmBook,
    key: &str,
    why: &'static str,
    cx: &mut Cx<'_>,
) {
    if let Some(condition) = conditions.get_mut(key).filter(|c| c.active) {
        condition.active = false;
        condition.quiet_at = None;
        if !condition.joined {
            book.back_to_normal(condition.alarm, why, cx);
        }
    }
}

/// When the first condition that waits to be quiet has been.
pub(in crate::engine) fn quiet_due(conditions: &Conditions) -> Option<Timestamp> {
    let waiting = conditions.values().filter(|c| c.active);
    waiting.filter_map(|c| c.quiet_at).min()
}

/// Returns the alarms of conditions that have been quiet for long enough.
pub(in crate::engine) fn quiet(conditions: &mut Conditions, book: &mut AlarmBook, cx: &mut Cx<'_>) {
    let due = |c: &Condition| c.active && c.quiet_at.is_some_and(|at| at <= cx.at);
    let keys: Vec<SmolStr> = conditions
        .iter()
        .filter(|(_, c)| due(c))
        .map(|(key, _)| key.clone())
        .collect();
    for key in keys {
        ended(conditions, book, &key, "quiet", cx);
    }
}
