//! The rules once more, hour by hour (day by day) and without any cleverness, for comparison.

use super::*;
use crate::model::profile::CaptureFormula;

/// What is put in for an hour (a day): rule and amount.
pub(super) type PutIn = (Timestamp, String, Option<Decimal>);

/// A series as a plain list of hours.
struct Plain<'a> {
    series: &'a Series,
    first: i64,
    states: Vec<HourState>,
    amounts: Vec<Option<Decimal>>,
}

impl<'a> Plain<'a> {
    fn of(series: &'a Series) -> Self {
        let first = series.known_from;
        let until = series.until.min(series.end);
        let fact = |n: i64| series.hours.iter().find(|fact| fact.start == hour(n));
        let state = |n| fact(n).map_or(HourState::Invalid(why::NO_DATA), |fact| fact.state);
        Self {
            series,
            first,
            states: (first..until).map(state).collect(),
            amounts: (first..until).map(|n| fact(n)?.amount_kg).collect(),
        }
    }

    fn until(&self) -> i64 {
        self.first + i64::try_from(self.states.len()).unwrap()
    }

    fn state(&self, n: i64) -> HourState {
        self.states[usize::try_from(n - self.first).unwrap()]
    }

    fn amount(&self, n: i64) -> Option<Decimal> {
        self.amounts[usize::try_from(n - self.first).unwrap()]
    }

    fn invalid(&self, n: i64) -> bool {
        matches!(self.state(n), HourState::Invalid(_))
    }

    fn controlled(&self, n: i64) -> bool {
        self.state(n) != OUT_OF_CONTROL
    }

    /// Invalid hours around `n` up to the next valid one on either side.
    fn gap(&self, n: i64) -> Vec<i64> {
        let open = |at: &i64| self.state(*at) != HourState::Valid;
        let back = (self.first..n).rev().take_while(open);
        let on = (n..self.until()).take_while(open);
        let mut all: Vec<i64> = back.chain(on).filter(|at| self.invalid(*at)).collect();
        all.sort_unstable();
        all
    }

    fn rate(&self, until: i64) -> Option<Decimal> {
        let hours = || self.first.max(0)..until.min(self.until());
        let running = hours().filter(|n| self.state(*n) != HourState::Stopped);
        let valid = hours().filter(|n| self.state(*n) == HourState::Valid);
        let valid = Decimal::from(valid.count());
        let of = match self.series.profile.capture.formula {
            CaptureFormula::WithoutStops => running.count(),
            CaptureFormula::AllHours => hours().count(),
        };
        valid
            .checked_div(Decimal::from(of))
            .map(|share| share * Decimal::ONE_HUNDRED)
    }

    fn hour(&self, n: i64, tiers: &[SubstitutionTier], whole: bool) -> (String, Option<Decimal>) {
        let gap = self.gap(n);
        let alike = |at: &i64| *at >= 0 && self.controlled(*at) == self.controlled(n);
        let place = gap.iter().position(|at| *at == n).unwrap();
        let from = *gap[..=place]
            .iter()
            .rev()
            .take_while(|at| alike(at))
            .last()
            .unwrap();
        let last = *gap[place..]
            .iter()
            .take_while(|at| alike(at))
            .last()
            .unwrap();
        let end = if whole {
            self.series.end
        } else {
            last.div_euclid(24) * 24 + 24
        };
        let rate = self.rate(end).unwrap();
        let length = u32::try_from(gap.len()).unwrap();
        let Some(tier) = tiers.iter().find(|tier| {
            rate >= tier.capture_min_pct && tier.gap_max_h.is_none_or(|max| length <= max)
        }) else {
            return ("none".into(), None);
        };
        let checks = &self.series.checks;
        let check = checks.iter().rev().find(|check| **check < hour(from + 1));
        let until = match check {
            Some(check) if !self.controlled(n) => (*check).min(hour(from)),
            _ => hour(from),
        };
        let valid = (self.first..from).filter(|at| self.state(*at) == HourState::Valid);
        let over = valid.filter(|at| hour(at + 1) <= until);
        let amounts: Vec<Decimal> = over.filter_map(|at| self.amount(at)).collect();
        let most = usize::try_from(tier.look_back_h).unwrap();
        let seen = &amounts[amounts.len().saturating_sub(most)..];
        match seen.iter().max() {
            Some(kg) => (format!("max-{most}"), Some(*kg)),
            None => ("no-history".into(), None),
        }
    }
}

/// Every invalid hour of the quarter with its provisional and its final rule and amount.
pub(super) fn hours(series: &Series, tiers: &[SubstitutionTier]) -> Vec<(PutIn, PutIn)> {
    let plain = Plain::of(series);
    let all = (plain.first.max(0)..plain.until()).filter(|n| plain.invalid(*n));
    all.map(|n| {
        let (rule, kg) = plain.hour(n, tiers, false);
        let (whole_rule, whole_kg) = plain.hour(n, tiers, true);
        ((hour(n), rule, kg), (hour(n), whole_rule, whole_kg))
    })
    .collect()
}

/// Every day of the quarter that a daily load is put in for, with rule and amount.
pub(super) fn days(series: &Series, look_back: usize) -> Vec<PutIn> {
    let plain = Plain::of(series);
    let whole = |day: &i64| day * 24 >= plain.first && (day + 1) * 24 <= plain.until();
    let hours = |day: i64| day * 24..(day + 1) * 24;
    let count = |day, state| hours(day).filter(|n| plain.state(*n) == state).count();
    let needed = usize::try_from(series.profile.day_min_valid_hours).unwrap();
    let load = |day: i64| {
        let kg = crate::formula::sum(hours(day).filter_map(|n| plain.amount(n)))?;
        (count(day, HourState::Valid) >= needed).then_some(kg)
    };
    let days = || (plain.first.div_euclid(24)..plain.until()).filter(whole);
    let lacking = |day: &i64| load(*day).is_none() && count(*day, HourState::Stopped) < 24;
    let stopped = |day: &i64| count(*day, HourState::Stopped) == 24;
    days()
        .filter(|day| *day >= 0 && lacking(day))
        .map(|day| {
            let row = days().filter(|d| *d >= 0 && *d <= day).rev();
            let row = row
                .take_while(|d| lacking(d) || stopped(d))
                .filter(|d| lacking(d));
            let from = row.last().unwrap();
            let check = series
                .checks
                .iter()
                .rev()
                .find(|c| **c < hour((from + 1) * 24));
            let until = check.map_or(hour(from * 24), |check| (*check).min(hour(from * 24)));
            let over = days().filter(|d| hour((d + 1) * 24) <= until);
            let loads: Vec<Decimal> = over.filter_map(load).collect();
            let seen = &loads[loads.len().saturating_sub(look_back)..];
            let kg = seen.iter().max().copied();
            let rule = kg.map_or("no-history".into(), |_| format!("day-max-{look_back}"));
            (hour(day * 24), rule, kg)
        })
        .collect()
}
