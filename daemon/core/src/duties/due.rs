//! When an instance opens and falls due.

use super::period::DutyPeriod;
use crate::model::time::{DAY_MS, HOUR_MS};
use crate::model::{
    Day, DutyDeadline, DutyRule, DutyTrigger, Speaks, Timestamp, UtcOffset, WorkCalendar,
};
use smol_str::SmolStr;

/// What opens an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A period, on this day of it.
    Period(DutyPeriod, Day),
    /// A moment from which, or towards which, the time counts.
    Trigger(Timestamp),
}

/// The opening of a recurring row that `day` lies behind or on, within the period of `day`.
pub fn current_opening(rule: &DutyRule, day: Day) -> Option<(DutyPeriod, Day)> {
    let DutyTrigger::Every { period, .. } = rule.trigger else {
        return None;
    };
    let period = DutyPeriod::containing(period, day);
    let opens = opens_on(rule, period);
    (opens <= day && rule.in_force(opens)).then_some((period, opens))
}

/// The first opening of a recurring row after `day`; `None` when it opens no more.
pub fn next_opening(rule: &DutyRule, day: Day) -> Option<(DutyPeriod, Day)> {
    let DutyTrigger::Every { period, .. } = rule.trigger else {
        return None;
    };
    // A row that begins later opens with the first period that begins then.
    let after = rule.from.map_or(day, |from| day.max(from.minus(1)));
    let mut period = DutyPeriod::containing(period, after);
    if opens_on(rule, period) <= after {
        period = period.next();
    }
    let opens = opens_on(rule, period);
    rule.in_force(opens).then_some((period, opens))
}

fn opens_on(rule: &DutyRule, period: DutyPeriod) -> Day {
    let DutyTrigger::Every {
        opens: Some((month, day)),
        ..
    } = rule.trigger
    else {
        return period.start;
    };
    in_month(period.start.year(), month, day)
}

/// A day of a month, or its last one when the month is shorter.
fn in_month(year: i32, month: u32, day: u32) -> Day {
    let days = (1..=day.min(31)).rev();
    days.filter_map(|day| Day::new(year, month, day))
        .next()
        .unwrap_or_else(|| Day::new(year, 1, 1).expect("every year has a first day"))
}

/// The name of the period spoken about.
pub(super) fn label(speaks: Speaks, period: DutyPeriod) -> SmolStr {
    match speaks {
        Speaks::Current => period.label(),
        Speaks::Previous => period.previous().label(),
    }
}

impl Opening {
    /// The name of the round of a period; `None` for a moment, whose cause has a number.
    pub fn label(&self, rule: &DutyRule) -> Option<SmolStr> {
        match (self, rule.trigger) {
            (Self::Period(period, _), DutyTrigger::Every { speaks, .. }) => {
                Some(label(speaks, *period))
            }
            _ => None,
        }
    }
}

/// First instant at which an instance is late; `None` when the row cannot open that way.
pub fn due_at(
    rule: &DutyRule,
    opening: &Opening,
    calendar: &WorkCalendar,
    offset: UtcOffset,
) -> Option<Timestamp> {
    use DutyDeadline as D;
    let n_days = |ms: i64, n: u32| i64::from(n).saturating_mul(ms);
    let day = match (rule.deadline, *opening) {
        (D::WorkingDay { n }, Opening::Period(period, _)) => {
            return Some(calendar.nth_working_day(period.start, n).end(offset));
        }
        (D::PeriodEnd, Opening::Period(period, _)) => period.end().minus(1),
        (D::DayOfMonth { month, day }, Opening::Period(period, _)) => {
            let start = period.start;
            in_month(start.year(), month.unwrap_or(start.month()), day)
        }
        (D::Day { n }, Opening::Period(period, _)) => period.start.plus(n.saturating_sub(1)),
        (D::WorkingDaysAfter { n }, Opening::Trigger(at)) => {
            let day = Day::of(at, offset);
            return Some(calendar.add_working_days(day, n).end(offset));
        }
        (D::DaysAfter { n }, Opening::Trigger(at)) => Day::of(at, offset).plus(n),
        (D::HoursAfter { n }, Opening::Trigger(at)) => {
            return Some(at.plus_ms(n_days(HOUR_MS, n)));
        }
        (D::DaysBefore { n }, Opening::Trigger(at)) => {
            return Some(at.plus_ms(-n_days(DAY_MS, n)));
        }
        _ => return None,
    };
    let day = if rule.moves {
        calendar.working_day_from(day)
    } else {
        day
    };
    Some(day.end(offset))
}
