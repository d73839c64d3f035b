//! Exceedance alarms follow the sequence of judged periods, in period order.
//!
//! One alarm per stretch: raised at the first period outside the limit, kept up to date through
//! those that follow, returned at the next judged period within it. Periods without a verdict
//! (invalid, no data) neither end nor extend a stretch.
//!
//! Late or corrected data. A changed verdict is fitted into the sequence: the stretches around it
//! are read back from the rows and the alarms that stand for them are corrected in place. A stretch
//! nobody was told about is raised, and returned at once when it lies wholly in the past; where one
//! falls apart, the alarm stays with its last part; an alarm whose stretch has vanished returns
//! with `count` 0. Nothing that has returned becomes active again: where the last judged period
//! turns out to be outside after all, a new alarm is raised.
//!
//! So whatever the order in which data came, an alarm is active exactly when the last judged period
//! is outside its limit and the limit may still judge later ones.

use super::context::{Cx, Site};
use super::state::{Live, Shared};
use crate::few::Few;
use crate::model::time::DAY_MS;
use crate::model::{
    AggregateRow, AlarmId, FactorCode, Level, LimitId, LimitPeriod, LimitVerdict, Outlet, Timestamp,
};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeSet;

mod stretch;

/// Stretches by level, factor and limit.
pub(super) type Stretches = Few<SmolStr, Track>;

/// Stretches remembered per limit; corrections of older periods raise anew.
const STRETCHES_MAX: usize = 16;

/// How far around a corrected period its stretch is looked for: a week of hours, a season of days.
fn look_ms(level: Level) -> i64 {
    match level {
        Level::Hour => 7 * DAY_MS,
        Level::Day | Level::Month | Level::Year => 92 * DAY_MS,
    }
}

/// One limit on one factor through time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Track {
    /// Latest judged period.
    judged: Option<Timestamp>,
    /// The alarm that is active.
    active: Option<AlarmId>,
    /// Stretches with their alarms, ascending, never overlapping.
    stretches: Vec<Stretch>,
}

/// Consecutive periods outside the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    alarm: AlarmId,
    /// Start of the first period outside.
    since: Timestamp,
    /// Start of the last period outside.
    until: Timestamp,
}

impl Track {
    /// Gives up the active alarm, which the caller returns.
    pub(super) fn end(&mut self) -> Option<AlarmId> {
        self.active.take()
    }
}

/// What is judged: whose limit, at which level.
#[derive(Clone, Copy)]
struct Subject<'a> {
    level: Level,
    factor: &'a FactorCode,
    limit: &'a LimitId,
}

/// Follows the verdicts of an hour or day row that replaced `old`. Days count when they are over.
/// `site` is the outlet as it is now, whatever judged the row.
pub(super) fn means(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (old, new): (Option<&AggregateRow>, &AggregateRow),
    cx: &mut Cx<'_>,
) {
    if !matches!(new.level, Level::Hour | Level::Day) || !new.complete {
        return;
    }
    let old = old.filter(|row| row.complete);
    let closed = &mut live.state.closed;
    let latest = closed.get_or_insert_with(new.level, || new.start);
    *latest = new.start.max(*latest);
    let latest = *latest;
    expired(live, shared, site, (new.level, latest), cx);
    for (factor, limit) in judged_pairs(old, new) {
        let subject = Subject {
            level: new.level,
            factor,
            limit,
        };
        let key = key_of(new.level, factor, limit);
        let mut track = live.state.stretches.remove(&key).unwrap_or_default();
        let now = verdict(new, subject);
        let before = old.and_then(|row| verdict(row, subject));
        let mut tracker = stretch::Tracker {
            track: &mut track,
            book: &mut shared.book,
            site,
            subject,
            lasts: lasts(site, subject, latest),
        };
        tracker.follow(new.start, (before, now), cx);
        live.state.stretches.insert(key, track);
    }
}

/// The limit is in force for periods after `latest`, the latest that has a row: it may still end a
/// stretch.
fn lasts(site: Site<'_>, subject: Subject<'_>, latest: Timestamp) -> bool {
    let factor = site.outlet.factors.get(subject.factor);
    factor.is_some_and(|factor| {
        factor.limits.iter().any(|limit| {
            limit.id == *subject.limit
                && level_of(limit.period) == subject.level
                && limit.until.is_none_or(|until| latest < until)
        })
    })
}

fn level_of(period: LimitPeriod) -> Level {
    match period {
        LimitPeriod::Hour => Level::Hour,
        LimitPeriod::Day => Level::Day,
        LimitPeriod::Month => Level::Month,
    }
}

/// Key of a limit's stretches.
fn key_of(level: Level, factor: &FactorCode, limit: &LimitId) -> SmolStr {
    format_smolstr!("{}|{factor}|{limit}", level.as_str())
}

/// Returns the alarms of limits that are no longer in force when the latest period begins: nothing
/// will judge them any more.
fn expired(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (level, latest): (Level, Timestamp),
    cx: &mut Cx<'_>,
) {
    for (code, factor) in &site.outlet.factors {
        for limit in &factor.limits {
            if limit.until.is_none_or(|until| latest < until) {
                continue;
            }
            let track = live
                .state
                .stretches
                .get_mut(&key_of(level, code, &limit.id));
            if let Some(alarm) = track.and_then(Track::end) {
                shared.book.back_to_normal(alarm, "limit-over", cx);
            }
        }
    }
}

/// Returns the alarms of limits and permitted amounts that `outlet` has no more.
pub(super) fn keep_only(live: &mut Live, shared: &mut Shared, outlet: &Outlet, cx: &mut Cx<'_>) {
    let limits: BTreeSet<SmolStr> = outlet
        .factors
        .iter()
        .flat_map(|(code, f)| f.limits.iter().map(move |l| (code, l)))
        .map(|(code, limit)| key_of(level_of(limit.period), code, &limit.id))
        .collect();
    let gone = live.state.stretches.iter_mut();
    for (_, track) in gone.filter(|(key, _)| !limits.contains(*key)) {
        if let Some(alarm) = track.end() {
            shared.book.back_to_normal(alarm, "limit-removed", cx);
        }
    }
    super::permitted::keep_only(live, shared, &outlet.permitted, cx);
}

fn judged_pairs<'a>(
    old: Option<&'a AggregateRow>,
    new: &'a AggregateRow,
) -> BTreeSet<(&'a FactorCode, &'a LimitId)> {
    old.into_iter()
        .chain([new])
        .flat_map(|row| &row.factors)
        .flat_map(|(code, f)| f.limits.iter().map(move |v| (code, &v.limit)))
        .collect()
}

fn verdict<'a>(row: &'a AggregateRow, subject: Subject<'_>) -> Option<&'a LimitVerdict> {
    let factor = row.factors.get(subject.factor)?;
    factor.limits.iter().find(|v| v.limit == *subject.limit)
}
