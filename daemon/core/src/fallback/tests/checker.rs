//! A checker that knows nothing of the machine: it recomputes a fallback from everything that
//! happened.

use super::*;

/// What happened in one minute.
#[derive(Debug, Clone)]
enum Happening {
    Value(usize, Sighting),
    /// Sampled this many minutes before.
    Report(i64),
}

/// The checker: everything that happened, and what was decided from it.
#[derive(Default)]
struct Checker {
    closes_after: i64,
    values: Vec<(i64, usize, Sighting)>,
    closings: Vec<i64>,
    open: Option<Naive>,
    done: Vec<Naive>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Naive {
    opened: i64,
    reasons: Vec<(usize, i64)>,
    samples: Vec<i64>,
    dues_missed: Vec<i64>,
    short: Vec<i64>,
    overdue: Option<i64>,
    closed: Option<i64>,
}

const FACTORS: [&str; 2] = ["a", "b"];

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

    fn minute(&mut self, now: i64) {
        let starving: Vec<(usize, i64)> = (0..FACTORS.len())
            .map(|f| (f, self.last_cover(f)))
            .filter(|(_, last)| now - last >= 60)
            .collect();
        match &mut self.open {
            None if !starving.is_empty() => {
                self.open = Some(Naive {
                    opened: now,
                    reasons: starving,
                    ..Naive::default()
                });
            }
            Some(open) => {
                for (f, last) in starving {
                    if open.reasons.iter().all(|(known, _)| *known != f) {
                        open.reasons.push((f, last));
                    }
                }
            }
            None => {}
        }
        let Some(open) = &mut self.open else { return };
        if now % 1_440 == 0 && now > open.opened {
            let day = now - 1_440..now;
            let samples = open.samples.iter().filter(|s| day.contains(s)).count();
            if open.opened <= day.start && samples < 4 {
                open.short.push(day.start);
                open.overdue = open.overdue.or(Some(now));
            }
        }
        let due = open.samples.iter().max().unwrap_or(&open.opened) + 360;
        if due <= now && !open.dues_missed.contains(&due) {
            open.dues_missed.push(due);
            open.overdue = open.overdue.or(Some(due));
        }
    }

    fn happens(&mut self, now: i64, what: &Happening) {
        match what {
            Happening::Value(factor, sighting) => {
                self.values.push((now, *factor, sighting.clone()));
                let ran = |f| {
                    self.run(f).is_some_and(|(first, last)| {
                        let fresh = now - self.last_cover(f) < 60;
                        fresh && last - first >= self.closes_after
                    })
                };
                if self.open.is_some() && (0..FACTORS.len()).all(ran) {
                    let mut open = self.open.take().unwrap();
                    open.closed = Some(now);
                    open.overdue = None;
                    self.done.push(open);
                    self.closings.push(now);
                }
            }
            Happening::Report(age) => {
                let sampled = now - age;
                let Some(open) = self.open.as_mut().filter(|o| o.opened <= sampled) else {
                    return;
                };
                let newer = open.samples.iter().all(|s| sampled > *s);
                open.samples.push(sampled);
                if newer {
                    let due = sampled + 360;
                    open.overdue = (due <= now).then_some(due);
                    if due <= now {
                        open.dues_missed.push(due);
                    }
                }
            }
        }
    }
}

fn as_naive(row: &FallbackRow, samples: Vec<i64>, dues_missed: Vec<i64>) -> Naive {
    let minutes = |t: Timestamp| t.0 / MINUTE_MS;
    let reasons = row.reasons.iter().map(|reason| match reason {
        FallbackReason::NoValidData { factor, since, .. } => {
            let index = FACTORS.iter().position(|f| *f == factor.as_str()).unwrap();
            (index, minutes(*since))
        }
        FallbackReason::Decision { .. } => panic!("nobody decided"),
    });
    Naive {
        opened: minutes(row.opened_at),
        reasons: reasons.collect(),
        samples,
        dues_missed,
        short: row.short_days.iter().map(|t| minutes(*t)).collect(),
        overdue: row.overdue_since.map(minutes),
        closed: row.closed_at.map(minutes),
    }
}

fn agrees(row: &FallbackRow, naive: &Naive) {
    let samples = naive.samples.clone();
    let missed = naive.dues_missed.len() + naive.short.len();
    assert_eq!(as_naive(row, samples, naive.dues_missed.clone()), *naive);
    assert_eq!(usize::try_from(row.missed).unwrap(), missed);
    assert_eq!(usize::try_from(row.reports).unwrap(), naive.samples.len());
    if row.closed_at.is_none() {
        let due = naive.samples.iter().max().unwrap_or(&naive.opened) + 360;
        assert_eq!(row.next_due, Some(at(due)));
    }
}

/// Stretches of one behaviour of a factor, and reports here and there.
fn days() -> impl Strategy<Value = BTreeMap<i64, Vec<Happening>>> {
    let stretch = (0u8..4, 1i64..400, 1i64..20);
    let factor = prop::collection::vec(stretch, 1..14);
    let reports = prop::collection::vec((0i64..4_320, 0i64..500), 0..20);
    (factor.clone(), factor, reports).prop_map(|(a, b, reports)| {
        let mut days: BTreeMap<i64, Vec<Happening>> = BTreeMap::new();
        for (factor, stretches) in [a, b].into_iter().enumerate() {
            let mut minute = 1;
            for (mode, length, every) in stretches {
                let end = minute + length;
                while minute < end {
                    let sighting = match mode {
                        0 => Some(Sighting::Valid),
                        1 => Some(Sighting::Invalid(vec!["D".into()])),
                        2 => Some(Sighting::Stopped),
                        _ => None,
                    };
                    let value = sighting.map(|s| Happening::Value(factor, s));
                    days.entry(minute).or_default().extend(value);
                    minute += every;
                }
            }
        }
        for (minute, age) in reports {
            days.entry(minute.max(1))
                .or_default()
                .push(Happening::Report(age.min(minute)));
        }
        days
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_the_checker(
        days in days(),
        closes_after in prop::sample::select(vec![0i64, 30]),
    ) {
        let mut desk = Desk::new(terms(closes_after), &FACTORS);
        let mut checker = Checker { closes_after, ..Checker::default() };
        for minute in 1..=4_400 {
            checker.minute(minute);
            for what in days.get(&minute).into_iter().flatten() {
                // The machine hears of time only when something happens.
                match what {
                    Happening::Value(f, sighting) => {
                        desk.value(FACTORS[*f], sighting.clone(), minute);
                    }
                    Happening::Report(age) => {
                        desk.report(minute - age, minute);
                    }
                }
                checker.happens(minute, what);
            }
        }
        desk.advance(4_400);
        prop_assert_eq!(desk.closed.len(), checker.done.len());
        for (row, naive) in desk.closed.iter().zip(&checker.done) {
            agrees(row, naive);
        }
        prop_assert_eq!(desk.machine.row().is_some(), checker.open.is_some());
        if let (Some(row), Some(naive)) = (desk.machine.row(), &checker.open) {
            agrees(row, naive);
        }
    }
}
