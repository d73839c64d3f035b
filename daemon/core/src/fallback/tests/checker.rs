//! A checker that knows nothing of the machine: it recomputes a fallback from everything that
//! happened.

use super::*;

/// What happened in one minute.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Value(usize, Sighting),
    /// Sampled this many minutes before.
    Report(i64),
    /// The sample at this place, counted round, is taken back.
    TakeBack(usize),
    /// A test of a factor was passed or failed.
    Test(usize, QaKind, bool),
    /// A review of the quarter that many before the one of minute 0 was passed or failed.
    Review(i64, bool),
    /// A person opens, or closes.
    Decide(bool),
    /// The written report of the fallback at this place, counted round, is handed in.
    Deliver(usize),
    /// The machine is written out and read again.
    Restart,
}

/// The checker: everything that happened, and what was decided from it.
#[derive(Default)]
pub(super) struct Checker {
    pub(super) closes_after: i64,
    /// Minutes by which the site's clock is ahead.
    pub(super) offset: i64,
    /// Days for which an assessment holds.
    pub(super) valid_days: Option<i64>,
    pub(super) values: Vec<(i64, usize, Sighting)>,
    pub(super) closings: Vec<i64>,
    /// By name, what holds against the equipment.
    pub(super) evidence: BTreeMap<String, String>,
    /// Decisions by quarter, counted back from the one of minute 0.
    pub(super) reviews: BTreeMap<i64, bool>,
    /// Written reports by number: when the fallback opened, and when it was delivered.
    pub(super) written: Vec<(i64, Option<i64>)>,
    pub(super) open: Option<Naive>,
    pub(super) done: Vec<Naive>,
    /// What was told, by minute.
    pub(super) told: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Naive {
    opened: i64,
    reasons: Vec<String>,
    lifted: Vec<usize>,
    pub(super) samples: Vec<i64>,
    dues_missed: Vec<i64>,
    short: Vec<i64>,
    overdue: Option<i64>,
    closed: Option<i64>,
}

pub(super) const FACTORS: [&str; 2] = ["a", "b"];
/// Minutes after which the written report is due here.
pub(super) const WRITTEN: i64 = 24 * 60;

impl Naive {
    fn due(&self) -> i64 {
        self.samples.iter().max().unwrap_or(&self.opened) + 360
    }

    /// The last sample is another one now, or there is none.
    fn resampled(&mut self, newer: bool, now: i64) {
        let due = self.due();
        if due <= now && !self.dues_missed.contains(&due) {
            self.dues_missed.push(due);
        }
        let kept = self.overdue.filter(|_| !newer);
        self.overdue = kept.or((due <= now).then_some(due));
    }
}

impl Checker {
    /// Minutes in which the factor was covered, ascending.
    fn covers(&self, factor: usize) -> Vec<i64> {
        let valid = self
            .values
            .iter()
            .filter(|(_, f, s)| *f == factor && !matches!(s, Sighting::Invalid(_)));
        let mut covers: Vec<i64> = valid.map(|(m, ..)| *m).collect();
        covers.push(0);
        covers.extend(&self.closings);
        covers.sort_unstable();
        covers
    }

    fn last_cover(&self, factor: usize) -> i64 {
        let counts = |(_, f, s): &&(i64, usize, Sighting)| {
            *f == factor && !matches!(s, Sighting::Invalid(_))
        };
        let value = self
            .values
            .iter()
            .rev()
            .find(counts)
            .map_or(0, |(m, ..)| *m);
        value.max(self.closings.last().copied().unwrap_or(0))
    }

    /// Minutes of valid values since the last break, first and last.
    fn run(&self, factor: usize) -> Option<(i64, i64)> {
        let covers = self.covers(factor);
        let gaps = covers
            .windows(2)
            .filter(|w| w[1] - w[0] >= 60)
            .map(|w| w[1] - 1);
        let bad = self
            .values
            .iter()
            .filter(|(_, f, s)| *f == factor && matches!(s, Sighting::Invalid(_)))
            .map(|(m, ..)| *m);
        let broken = gaps.chain(bad).max().unwrap_or(-1);
        let good: Vec<i64> = self
            .values
            .iter()
            .filter(|(m, f, s)| *f == factor && *s == Sighting::Valid && *m > broken)
            .map(|(m, ..)| *m)
            .collect();
        Some((*good.first()?, *good.last()?))
    }

    /// What the assessment says at `now`.
    fn assessment(&self, now: i64) -> Option<String> {
        let last = self.reviews.first_key_value();
        if let Some((quarter, false)) = last {
            return Some(format!("failed {quarter}"));
        }
        let passed = self.reviews.iter().find(|(_, passed)| **passed);
        // The quarter one before that of minute 0 ended at the local midnight before or after it.
        let held_from = match passed {
            Some((1, _)) => -self.offset,
            Some((0, _)) => i64::MAX / 2,
            Some(_) => -self.offset - 92 * 1_440,
            None => 0,
        };
        let lapse = held_from + self.valid_days? * 1_440;
        (lapse <= now).then(|| match last {
            Some((quarter, _)) => format!("expired {quarter} {lapse}"),
            None => "never".to_owned(),
        })
    }

    /// Sets or clears what holds under a name, and what follows.
    fn hold(&mut self, name: &str, what: Option<String>, now: i64) {
        let before = self.evidence.get(name).cloned();
        if before == what {
            return;
        }
        self.evidence.remove(name);
        if let (Some(before), Some(open)) = (&before, &mut self.open) {
            let stands =
                |place: &usize| open.reasons[*place] == *before && !open.lifted.contains(place);
            let place = (0..open.reasons.len()).rfind(stands);
            open.lifted.extend(place);
        }
        if let Some(what) = what {
            self.evidence.insert(name.to_owned(), what.clone());
            self.because(vec![what], now);
        }
        self.may_close(now);
    }

    fn because(&mut self, mut reasons: Vec<String>, now: i64) {
        if let Some(open) = &mut self.open {
            open.reasons.extend(reasons);
            return;
        }
        if reasons.is_empty() {
            return;
        }
        let held = self.evidence.values();
        let held: Vec<_> = held.filter(|r| !reasons.contains(r)).cloned().collect();
        reasons.extend(held);
        self.written.push((now, None));
        self.open = Some(Naive {
            opened: now,
            reasons,
            ..Naive::default()
        });
    }

    fn may_close(&mut self, now: i64) {
        let Some(open) = &self.open else { return };
        let ran = |f| {
            self.run(f).is_some_and(|(first, last)| {
                let fresh = now - self.last_cover(f) < 60;
                fresh && last - first >= self.closes_after
            })
        };
        let decided = open.reasons.iter().any(|reason| reason == "decided");
        if !decided && self.evidence.is_empty() && (0..FACTORS.len()).all(ran) {
            self.close(now);
        }
    }

    fn close(&mut self, now: i64) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.closed = Some(now);
        open.overdue = None;
        self.done.push(open);
        self.closings.push(now);
    }

    pub(super) fn minute(&mut self, now: i64) {
        self.hold("review", self.assessment(now), now);
        let starving = (0..FACTORS.len()).filter_map(|f| {
            let last = self.last_cover(f);
            let name = format!("none {} {last}", FACTORS[f]);
            let word = name.rsplit_once(' ').unwrap().0;
            let known = self
                .open
                .as_ref()
                .is_some_and(|open| open.reasons.iter().any(|reason| reason.starts_with(word)));
            (now - last >= 60 && !known).then_some(name)
        });
        let starving: Vec<String> = starving.collect();
        self.because(starving, now);
        self.obligations(now);
        self.clocks(now);
    }

    fn obligations(&mut self, now: i64) {
        let local = now + self.offset;
        let Some(open) = &mut self.open else { return };
        if local.rem_euclid(1_440) == 0 && now > open.opened {
            let day = now - 1_440..now;
            let samples = open.samples.iter().filter(|s| day.contains(s)).count();
            if open.opened <= day.start && samples < 4 {
                open.short.push(day.start);
                open.overdue = open.overdue.or(Some(now));
            }
        }
        let due = open.due();
        if due <= now && !open.dues_missed.contains(&due) {
            open.dues_missed.push(due);
            open.overdue = open.overdue.or(Some(due));
        }
    }

    fn clocks(&mut self, now: i64) {
        let mut told = Vec::new();
        if let Some(open) = &self.open {
            let number = self.done.len() + 1;
            let day = now - (now + self.offset).rem_euclid(1_440);
            let today = open.samples.iter().filter(|s| **s >= day).count();
            for ahead in [60, 15] {
                if now + ahead == open.due() {
                    told.push(format!("{now} #{number} report due {}", now + ahead));
                }
                let short = open.opened <= day && today < 4;
                if now + ahead == day + 1_440 && short {
                    told.push(format!("{now} #{number} day due {}", now + ahead));
                }
            }
            for (step, after) in [(1, 30), (2, 120)] {
                if let Some(since) = open.overdue.filter(|since| now - after == *since) {
                    let of_day = !open.dues_missed.contains(&since);
                    let owed = if of_day { "day" } else { "report" };
                    told.push(format!("{now} #{number} {owed} since {since} step {step}"));
                }
            }
        }
        for (number, (opened, _)) in (1..).zip(&self.written).filter(|(_, w)| w.1.is_none()) {
            let due = opened + WRITTEN;
            if now == due - 240 {
                told.push(format!("{now} #{number} written due {due}"));
            }
            if now == due {
                told.push(format!("{now} #{number} written overdue"));
            }
            for (step, after) in [(1, 30), (2, 120)] {
                if now == due + after {
                    told.push(format!("{now} #{number} written since {due} step {step}"));
                }
            }
        }
        self.told.extend(told);
    }

    pub(super) fn happens(&mut self, now: i64, what: &Happening) {
        match what {
            Happening::Value(factor, sighting) => {
                self.values.push((now, *factor, sighting.clone()));
                self.may_close(now);
            }
            Happening::Report(age) => {
                let sampled = now - age;
                if let Some(open) = self.open.as_mut().filter(|o| o.opened <= sampled) {
                    let newer = open.samples.iter().all(|s| sampled > *s);
                    open.samples.push(sampled);
                    if newer {
                        open.resampled(true, now);
                    }
                }
            }
            Happening::TakeBack(place) => {
                if let Some(open) = self.open.as_mut().filter(|o| !o.samples.is_empty()) {
                    let before = open.due();
                    open.samples.remove(place % open.samples.len());
                    if open.due() != before {
                        open.resampled(false, now);
                    }
                }
            }
            Happening::Test(factor, kind, failed) => {
                let what = failed.then(|| format!("control {} {kind:?} {now}", FACTORS[*factor]));
                let name = format!("control|{}|{}", FACTORS[*factor], kind.as_str());
                self.hold(&name, what, now);
            }
            Happening::Review(quarter, passed) => {
                self.reviews.insert(*quarter, *passed);
                self.hold("review", self.assessment(now), now);
            }
            Happening::Decide(true) => self.because(vec!["decided".to_owned()], now),
            Happening::Decide(false) => self.close(now),
            Happening::Deliver(place) => {
                let count = self.written.len().max(1);
                if let Some(written) = self.written.get_mut(place % count) {
                    written.1.get_or_insert(now);
                }
            }
            Happening::Restart => {}
        }
    }
}

fn as_reason(reason: &FallbackReason, offset: i64) -> String {
    let minutes = |t: &Timestamp| t.0 / MINUTE_MS;
    let back = |quarter: &Timestamp| match (minutes(quarter) + offset) / 1_440 {
        0 => 0,
        -92 => 1,
        _ => 2,
    };
    match reason {
        FallbackReason::NoValidData { factor, since, .. }
        | FallbackReason::EquipmentState { factor, since, .. } => {
            format!("none {factor} {}", minutes(since))
        }
        FallbackReason::OutOfControl {
            factor,
            kind,
            since,
            ..
        } => format!("control {factor} {kind:?} {}", minutes(since)),
        FallbackReason::ReviewFailed { quarter, .. } => format!("failed {}", back(quarter)),
        FallbackReason::ReviewExpired { quarter, since } => {
            format!("expired {} {}", back(quarter), minutes(since))
        }
        FallbackReason::NotReviewed { .. } => "never".to_owned(),
        FallbackReason::Decision { .. } => "decided".to_owned(),
    }
}

pub(super) fn agrees(row: &FallbackRow, naive: &Naive, offset: i64) {
    let minutes = |t: Timestamp| t.0 / MINUTE_MS;
    let list = |times: &[Timestamp]| -> Vec<i64> { times.iter().map(|t| minutes(*t)).collect() };
    let place = |lifting: &Lifting| usize::try_from(lifting.reason).unwrap();
    let reasons = row.reasons.iter().map(|r| as_reason(r, offset));
    let seen = Naive {
        opened: minutes(row.opened_at),
        reasons: reasons.collect(),
        lifted: row.lifted.iter().map(place).collect(),
        samples: naive.samples.clone(),
        dues_missed: list(&row.missed_dues),
        short: list(&row.short_days),
        overdue: row.overdue_since.map(minutes),
        closed: row.closed_at.map(minutes),
    };
    assert_eq!(seen, *naive);
    let missed = naive.dues_missed.len() + naive.short.len();
    assert_eq!(usize::try_from(row.missed).unwrap(), missed);
    assert_eq!(usize::try_from(row.reports).unwrap(), naive.samples.len());
    if row.closed_at.is_none() {
        assert_eq!(row.next_due, Some(at(naive.due())));
    }
}

/// What the machine told, in the words of the checker.
pub(super) fn told(desk: &Desk) -> Vec<String> {
    let minutes = |t: &Timestamp| t.0 / MINUTE_MS;
    let mut told = Vec::new();
    for (turn, now) in &desk.at {
        told.extend(match turn {
            Turn::Reminder(id, owed, due) => Some(format!(
                "{now} #{id} {} due {}",
                owed.as_str(),
                minutes(due)
            )),
            Turn::Escalate(id, owed, since, step) => Some(format!(
                "{now} #{id} {} since {} step {step}",
                owed.as_str(),
                minutes(since)
            )),
            Turn::Written(id, _) => Some(format!("{now} #{id} written overdue")),
            _ => None,
        });
    }
    told
}
