//! Conditions that must last: values near or over a limit, values that checks refuse, equipment
//! that says it does not measure, clocks that are wrong.
//!
//! Only what is fresh is looked at: data of the past raise no alarm about the present, they are
//! judged when their hour is. A kind that the policy does not name is not watched.
//!
//! `values` looks at values, `device` at loggers and their parameters, `control` at tests of the
//! equipment, `outlook` at totals to come.

pub(super) mod control;
pub(super) mod device;
pub(super) mod outlook;
pub(super) mod values;

use super::alarms::{Conditions, NewAlarm, gone, holds};
use super::context::Cx;
use super::state::{Live, Shared};
use crate::few::Few;
use crate::model::policy::KindRule;
use crate::model::time::{MINUTE_MS, SECOND_MS};
use crate::model::{AlarmKind, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A record older than this when it arrives says nothing about the present.
pub const FRESH_MS: i64 = 30 * MINUTE_MS;

/// Conditions under observation of one outlet; others are refused until one is settled. Ten
/// factors with a handful of conditions each are far below.
const WATCHED_MAX: usize = 256;

/// What is about to change, by key of the condition.
pub(super) type Watched = Few<SmolStr, Lasting>;

/// How long something has been so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lasting {
    /// It holds since then, and is no alarm yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<Timestamp>,
    /// It is gone since then, and the alarm is still active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    off: Option<Timestamp>,
}

/// The rule of a kind, where it is watched.
fn rule<'a>(kind: AlarmKind, cx: &Cx<'a>) -> Option<&'a KindRule> {
    cx.policy.alarms.kinds.get(&kind)
}

fn active(conditions: &Conditions, key: &str) -> bool {
    conditions.get(key).is_some_and(|c| c.active)
}

/// What was seen of one condition: under `key`, at `seen_at` (measured time for values, time of
/// arrival for loggers), for `rule`.
struct Seen<'a> {
    key: &'a str,
    rule: &'a KindRule,
    seen_at: Timestamp,
}

impl Seen<'_> {
    /// It holds: raises its alarm when it has for long enough, or changes the one that is active.
    fn holds(
        &self,
        live: &mut Live,
        shared: &mut Shared,
        alarm: impl FnOnce(Timestamp) -> NewAlarm,
        cx: &mut Cx<'_>,
    ) {
        let state = &mut live.state;
        let mut since = self.seen_at;
        if active(&state.conditions, self.key) {
            state.watched.remove(self.key);
        } else {
            if !state.watched.contains_key(self.key) && state.watched.len() >= WATCHED_MAX {
                return;
            }
            let lasting = state.watched.get_or_default(self.key.into());
            since = *lasting.on.get_or_insert(self.seen_at);
            live.dirty = true;
            let delay_ms = i64::from(self.rule.on_delay_s) * SECOND_MS;
            if self.seen_at.since_ms(since) < delay_ms {
                return;
            }
            state.watched.remove(self.key);
        }
        let new = (self.key, alarm(since));
        holds(&mut state.conditions, &mut shared.book, new, None, cx);
        live.dirty = true;
    }

    /// It does not hold: returns its alarm when it has been gone for long enough.
    fn gone(&self, live: &mut Live, shared: &mut Shared, why: &'static str, cx: &mut Cx<'_>) {
        let state = &mut live.state;
        if state.watched.is_empty() && state.conditions.is_empty() {
            return;
        }
        if !active(&state.conditions, self.key) {
            live.dirty |= state.watched.remove(self.key).is_some();
            return;
        }
        let delay_ms = i64::from(self.rule.off_delay_s) * SECOND_MS;
        if delay_ms > 0 {
            let lasting = state.watched.get_or_default(self.key.into());
            live.dirty = true;
            let off = *lasting.off.get_or_insert(self.seen_at);
            if self.seen_at.since_ms(off) < delay_ms {
                return;
            }
            state.watched.remove(self.key);
        }
        live.dirty = true;
        let conditions = &mut state.conditions;
        gone(conditions, &mut shared.book, self.key, why, cx);
    }
}
