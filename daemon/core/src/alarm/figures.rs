//! How well the desk does: the performance figures of ISA-18.2 / IEC 62682 over a period, from its
//! alarms and the roster.
//!
//! Only what was announced counts: an alarm suppressed from its first moment told nobody. Rates are
//! per operator and ten minutes, as the standards give their bounds (at most 1 on average, over 10
//! is a flood).

use crate::model::time::{DAY_MS, MINUTE_MS};
use crate::model::{AlarmId, AlarmKind, AlarmRow, AlarmSubject, FactorCode, Priority, Timestamp};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Length of an interval of the rates.
pub const INTERVAL_MS: i64 = 10 * MINUTE_MS;
/// More alarms per operator in an interval are a flood.
pub const FLOOD_OVER: u32 = 10;
/// Active for longer than this is stale.
pub const STALE_MS: i64 = DAY_MS;
/// Gone again within this time is fleeting: one or two minute records.
pub const FLEETING_MS: i64 = 2 * MINUTE_MS;
/// Rows of the list of those who alarm most.
pub const TOP_ROWS: usize = 10;
/// Longest period: a quarter of ten-minute intervals is some thirteen thousand.
pub const SPAN_MS_MAX: i64 = 92 * DAY_MS;

/// What the figures need of one alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Identity.
    pub id: AlarmId,
    /// Kind.
    pub kind: AlarmKind,
    /// About what.
    pub subject: AlarmSubject,
    /// Factor.
    pub factor: Option<FactorCode>,
    /// Which of its kind.
    pub code: Option<SmolStr>,
    /// Priority.
    pub priority: Priority,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When the condition went away.
    pub returned_at: Option<Timestamp>,
    /// When somebody first took notice.
    pub answered_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// It has told nobody.
    pub silent: bool,
    /// It was raised too often.
    pub chattering: bool,
}

impl From<&AlarmRow> for Occurrence {
    fn from(row: &AlarmRow) -> Self {
        let acknowledged = row.acknowledged.as_ref().map(|a| a.at);
        let suppressed_at = row.suppressed.as_ref().map(|s| s.at);
        Self {
            id: row.id,
            kind: row.kind,
            subject: row.subject.clone(),
            factor: row.factor.clone(),
            code: row.code.clone(),
            priority: row.priority,
            raised_at: row.raised_at,
            returned_at: row.returned_at,
            answered_at: row.answered_at.or(acknowledged),
            closed_at: row.closed.as_ref().map(|c| c.at),
            silent: suppressed_at.is_some_and(|at| at == row.raised_at),
            chattering: row.chattering,
        }
    }
}

/// What the alarms are held against.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it; a running period ends now.
    pub until: Timestamp,
    /// People on duty at an instant; 0 counts as one, because somebody must answer.
    pub operators: &'a dyn Fn(Timestamp) -> usize,
    /// Minutes within which a kind should be acknowledged.
    pub within_min: &'a dyn Fn(AlarmKind) -> Option<u32>,
}

/// How long something took, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// Of how many.
    pub count: u64,
    /// Half took no longer.
    pub median_ms: i64,
    /// Nine of ten took no longer.
    pub p90_ms: i64,
    /// The longest.
    pub max_ms: i64,
}

/// How alarms were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// Raised and announced.
    pub raised: u64,
    /// Acknowledged until the end of the period or later.
    pub acknowledged: u64,
    /// Alarms whose kind says how soon, and of which it can be said already.
    pub asked: u64,
    /// Of those acknowledged in time.
    pub in_time: u64,
    /// From raised to first acknowledged.
    pub to_acknowledge: Spread,
    /// From raised to closed.
    pub to_close: Spread,
}

/// Who alarms most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// Kind.
    pub kind: AlarmKind,
    /// About what.
    pub subject: AlarmSubject,
    /// How often.
    pub count: u64,
}

/// The figures of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Raised and announced.
    pub raised: u64,
    /// Raised and suppressed from the first moment.
    pub silent: u64,
    /// Intervals of ten minutes, the last one possibly shorter.
    pub intervals: u64,
    /// People on duty on average, at least one.
    pub operators: Option<Decimal>,
    /// Alarms per operator and interval, on average.
    pub rate_mean: Option<Decimal>,
    /// The highest of an interval, and when it began.
    pub rate_max: Option<(Decimal, Timestamp)>,
    /// Intervals with more than [`FLOOD_OVER`] alarms per operator.
    pub flood_intervals: u64,
    /// Who alarms most, at most [`TOP_ROWS`].
    pub top: Vec<Top>,
    /// Share of all alarms that those are, %.
    pub top_share_pct: Option<Decimal>,
    /// Active at the end for longer than [`STALE_MS`], oldest first.
    pub stale: Vec<AlarmId>,
    /// Conditions that chattered.
    pub chattering: u64,
    /// Gone within [`FLEETING_MS`].
    pub fleeting: u64,
    /// How many of which priority.
    pub priorities: BTreeMap<Priority, u64>,
    /// How they were answered.
    pub all: Answers,
    /// The same by priority.
    pub by_priority: BTreeMap<Priority, Answers>,
}

/// Works the figures out. `alarms`: all that were raised within the period, and those raised before
/// it that may still be active; each once, in any order.
pub fn figures(alarms: &[Occurrence], terms: Terms<'_>) -> Figures {
    let (from, until) = (terms.from, terms.until);
    let within = |at: Timestamp| from <= at && at < until;
    let mine: Vec<&Occurrence> = alarms.iter().filter(|a| within(a.raised_at)).collect();
    let told: Vec<&Occurrence> = mine.iter().copied().filter(|a| !a.silent).collect();
    let rates = rates(&told, terms);
    let mut priorities = BTreeMap::new();
    for alarm in &told {
        *priorities.entry(alarm.priority).or_insert(0u64) += 1;
    }
    let (top, top_share_pct) = top(&told);
    let by_priority = Priority::ALL.into_iter().filter_map(|priority| {
        let of: Vec<&Occurrence> = told
            .iter()
            .copied()
            .filter(|a| a.priority == priority)
            .collect();
        (!of.is_empty()).then(|| (priority, answers(&of, terms)))
    });
    Figures {
        from,
        until,
        raised: count(told.len()),
        silent: count(mine.len() - told.len()),
        intervals: rates.intervals,
        operators: rates.operators,
        rate_mean: rates.mean,
        rate_max: rates.max,
        flood_intervals: rates.floods,
        top,
        top_share_pct,
        stale: stale(alarms, until),
        chattering: chattering(&told),
        fleeting: count(told.iter().filter(|a| is_fleeting(a)).count()),
        priorities,
        all: answers(&told, terms),
        by_priority: by_priority.collect(),
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

struct Rates {
    intervals: u64,
    operators: Option<Decimal>,
    mean: Option<Decimal>,
    max: Option<(Decimal, Timestamp)>,
    floods: u64,
}

/// Alarms per operator in each interval, those without any included.
fn rates(told: &[&Occurrence], terms: Terms<'_>) -> Rates {
    let mut of: BTreeMap<i64, u64> = BTreeMap::new();
    for alarm in told {
        let n = alarm.raised_at.since_ms(terms.from).div_euclid(INTERVAL_MS);
        *of.entry(n).or_default() += 1;
    }
    let mut rates = Rates {
        intervals: 0,
        operators: None,
        mean: None,
        max: None,
        floods: 0,
    };
    let (mut people, mut sum) = (0u64, Decimal::ZERO);
    let mut start = terms.from;
    while start < terms.until {
        let n = start.since_ms(terms.from).div_euclid(INTERVAL_MS);
        let operators = count((terms.operators)(start).max(1));
        let alarms = of.get(&n).copied().unwrap_or(0);
        let rate = Decimal::from(alarms) / Decimal::from(operators);
        rates.intervals += 1;
        people += operators;
        sum += rate;
        if rate > Decimal::from(FLOOD_OVER) {
            rates.floods += 1;
        }
        if alarms > 0 && rates.max.is_none_or(|(most, _)| rate > most) {
            rates.max = Some((rate, start));
        }
        start = start.plus_ms(INTERVAL_MS);
    }
    let intervals = Decimal::from(rates.intervals);
    rates.operators = Decimal::from(people).checked_div(intervals);
    rates.mean = sum.checked_div(intervals);
    rates
}

fn top(told: &[&Occurrence]) -> (Vec<Top>, Option<Decimal>) {
    let mut of: BTreeMap<(AlarmKind, &AlarmSubject), u64> = BTreeMap::new();
    for alarm in told {
        *of.entry((alarm.kind, &alarm.subject)).or_default() += 1;
    }
    let mut list: Vec<_> = of.into_iter().collect();
    list.sort_by_key(|(key, n)| (std::cmp::Reverse(*n), *key));
    list.truncate(TOP_ROWS);
    let sum: u64 = list.iter().map(|(_, n)| n).sum();
    let share = Decimal::from(sum) * Decimal::ONE_HUNDRED;
    let share = share.checked_div(Decimal::from(count(told.len())));
    let rows = list.into_iter().map(|((kind, subject), count)| Top {
        kind,
        subject: subject.clone(),
        count,
    });
    (rows.collect(), share)
}

/// Active at `until` for longer than [`STALE_MS`], and not closed.
fn stale(alarms: &[Occurrence], until: Timestamp) -> Vec<AlarmId> {
    let old = alarms.iter().filter(|alarm| {
        let gone = [alarm.returned_at, alarm.closed_at];
        let holds = gone.into_iter().flatten().all(|at| at >= until);
        holds && !alarm.silent && until.since_ms(alarm.raised_at) > STALE_MS
    });
    let mut old: Vec<(Timestamp, AlarmId)> = old.map(|a| (a.raised_at, a.id)).collect();
    old.sort_unstable();
    old.into_iter().map(|(_, id)| id).collect()
}

/// Conditions of which at least one alarm was raised too often.
fn chattering(told: &[&Occurrence]) -> u64 {
    let often = told.iter().filter(|alarm| alarm.chattering);
    let mut keys: Vec<_> = often
        .map(|a| (a.kind, &a.subject, &a.factor, &a.code))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    count(keys.len())
}

fn is_fleeting(alarm: &Occurrence) -> bool {
    let gone = alarm.returned_at;
    gone.is_some_and(|at| at.since_ms(alarm.raised_at) <= FLEETING_MS)
}

fn answers(told: &[&Occurrence], terms: Terms<'_>) -> Answers {
    let mut out = Answers {
        raised: count(told.len()),
        ..Answers::default()
    };
    let (mut noticed, mut closed) = (Vec::new(), Vec::new());
    for alarm in told {
        let took = |at: Option<Timestamp>| at.map(|at| at.since_ms(alarm.raised_at).max(0));
        let waited = took(alarm.answered_at);
        noticed.extend(waited);
        closed.extend(took(alarm.closed_at));
        let Some(within) = (terms.within_min)(alarm.kind) else {
            continue;
        };
        let within_ms = i64::from(within) * MINUTE_MS;
        // Who has still time is neither late nor in time.
        let over = terms.until.since_ms(alarm.raised_at) > within_ms;
        if waited.is_some() || over {
            out.asked += 1;
        }
        if waited.is_some_and(|waited| waited <= within_ms) {
            out.in_time += 1;
        }
    }
    out.acknowledged = count(noticed.len());
    out.to_acknowledge = spread(noticed);
    out.to_close = spread(closed);
    out
}

/// By nearest rank: the figure is one that occurred.
fn spread(mut took: Vec<i64>) -> Spread {
    took.sort_unstable();
    let rank = |pct: usize| {
        let n = (took.len() * pct).div_ceil(100).max(1);
        took.get(n - 1).copied().unwrap_or(0)
    };
    Spread {
        count: count(took.len()),
        median_ms: rank(50),
        p90_ms: rank(90),
        max_ms: rank(100),
    }
}

#[cfg(test)]
mod tests;
