//! Stories of the fallback, and a property against a checker that recomputes everything from the
//! full list of what happened, minute by minute, without keeping any state of its own between
//! minutes but what was decided.

use super::*;
use proptest::prelude::*;

const OUTLET: &str = "dc-01";

fn terms(closes_after_min: i64) -> Terms {
    Terms {
        opens_after_ms: 60 * MINUTE_MS,
        closes_after_ms: closes_after_min * MINUTE_MS,
        max_gap_ms: 360 * MINUTE_MS,
        reports_per_day: 4,
        offset: UtcOffset::from_minutes(0).unwrap(),
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp(minute * MINUTE_MS)
}

/// A machine with its numbering.
struct Desk {
    machine: Machine,
    last_id: u64,
    terms: Terms,
    closed: Vec<FallbackRow>,
    turns: Vec<Turn>,
}

impl Desk {
    fn new(terms: Terms, factors: &[&str]) -> Self {
        let mut machine = Machine::default();
        let codes: Vec<FactorCode> = factors.iter().map(|code| FactorCode::new(*code)).collect();
        machine.watch(&codes, at(0));
        Self {
            machine,
            last_id: 0,
            terms,
            closed: Vec::new(),
            turns: Vec::new(),
        }
    }

    fn note(&mut self, turns: Vec<Turn>) {
        for turn in turns {
            if let Turn::Closed(row) = &turn {
                self.closed.push((**row).clone());
            }
            self.turns.push(turn);
        }
    }

    fn advance(&mut self, minute: i64) {
        let outlet = OutletId::new(OUTLET);
        let id = Identity {
            outlet: &outlet,
            last_id: &mut self.last_id,
            seq: Seq(0),
        };
        let turns = self.machine.advance(at(minute), &self.terms, id);
        self.note(turns);
    }

    fn value(&mut self, factor: &str, sighting: Sighting, minute: i64) {
        self.advance(minute);
        let times = (at(minute), at(minute));
        let turn = self
            .machine
            .observe(&factor.into(), sighting, times, &self.terms, Seq(0));
        self.note(turn.into_iter().collect());
    }

    fn report(&mut self, sampled: i64, minute: i64) -> Option<bool> {
        self.advance(minute);
        let (counted, turns) = self
            .machine
            .report(at(sampled), at(minute), &self.terms, Seq(0));
        self.note(turns);
        counted.map(|(_, late)| late)
    }

    fn row(&self) -> &FallbackRow {
        self.machine.row().unwrap()
    }
}

#[test]
fn it_opens_when_the_time_runs_out_and_names_what_it_saw() {
    let mut desk = Desk::new(terms(0), &["a", "b"]);
    desk.value("a", Sighting::Valid, 10);
    desk.value("b", Sighting::Valid, 10);
    for minute in 11..70 {
        desk.value("a", Sighting::Valid, minute);
        desk.value("b", Sighting::Invalid(vec!["D".into()]), minute);
    }
    assert!(desk.machine.row().is_none());
    desk.advance(300);
    let row = desk.row();
    assert_eq!(row.opened_at, at(70));
    let reason = |code: &str, since, seen: &[&str]| FallbackReason::NoValidData {
        factor: code.into(),
        since,
        seen: seen.iter().map(|s| SmolStr::new(*s)).collect(),
    };
    // The silence of `a` joins when its own hour has passed.
    assert_eq!(
        row.reasons,
        [reason("b", at(10), &["D"]), reason("a", at(69), &[])]
    );
    assert_eq!(row.next_due, Some(at(70 + 360)));
}

#[test]
fn a_source_that_says_it_is_stopped_owes_no_data_but_must_go_on_saying_so() {
    let mut desk = Desk::new(terms(0), &["a"]);
    for minute in 0..500 {
        desk.value("a", Sighting::Stopped, minute);
    }
    assert!(desk.machine.row().is_none());
    desk.advance(558);
    assert!(desk.machine.row().is_none());
    desk.advance(559);
    assert_eq!(desk.row().opened_at, at(559));
}

#[test]
fn four_a_day_across_midnight_from_ten_in_the_evening() {
    let mut desk = Desk::new(terms(0), &["a"]);
    let evening = 22 * 60;
    desk.value("a", Sighting::Valid, evening - 60);
    desk.advance(evening);
    assert_eq!(desk.row().opened_at, at(evening));
    // Before the opening: kept by the caller, not counted.
    assert_eq!(desk.report(evening - 10, evening + 5), None);
    let day = 1_440;
    for sample in [evening + 120, day + 300, day + 620, day + 940, day + 1_260] {
        assert_eq!(desk.report(sample, sample + 20), Some(false), "{sample}");
    }
    desk.advance(2 * day);
    let row = desk.row();
    assert_eq!(
        (row.reports, row.missed, row.short_days.as_slice()),
        (5, 0, &[][..])
    );
    assert_eq!(row.reports_today, 0);
    // The second full day gets three samples, close enough to each other.
    for sample in [2 * day + 100, 2 * day + 430, 2 * day + 760] {
        assert_eq!(desk.report(sample, sample), Some(false));
    }
    desk.advance(3 * day);
    let row = desk.row();
    assert_eq!(row.short_days, [at(2 * day)]);
    // The gap since 12:40 ran out at 18:40, the short day at midnight: two misses, one alarm.
    assert_eq!(row.missed, 2);
    assert_eq!(row.overdue_since, Some(at(2 * day + 760 + 360)));
    assert_eq!(desk.report(3 * day, 3 * day + 1), Some(true));
    assert_eq!(desk.row().overdue_since, None);
    assert!(desk.turns.contains(&Turn::Relieved));
}

#[test]
fn an_old_sample_does_not_end_an_overdue_one() {
    let mut desk = Desk::new(terms(0), &["a"]);
    desk.advance(60 + 360);
    assert_eq!(desk.row().overdue_since, Some(at(420)));
    // Sampled in time, reported 400 minutes later: its own successor is overdue already.
    assert_eq!(desk.report(400, 800), Some(true));
    assert_eq!(desk.row().overdue_since, Some(at(760)));
    assert_eq!(desk.row().missed, 2);
    // Older than the last one: counts as a report, moves nothing.
    desk.report(300, 810);
    assert_eq!(
        (desk.row().reports, desk.row().overdue_since),
        (2, Some(at(760)))
    );
}

#[test]
fn it_closes_when_all_have_been_valid_without_a_break() {
    let mut desk = Desk::new(terms(30), &["a", "b"]);
    desk.advance(100);
    for minute in 100..140 {
        desk.value("a", Sighting::Valid, minute);
    }
    assert!(desk.closed.is_empty());
    for minute in 140..=170 {
        desk.value("a", Sighting::Valid, minute);
        let b = if minute == 150 {
            Sighting::Invalid(vec!["C".into()])
        } else {
            Sighting::Valid
        };
        desk.value("b", b, minute);
    }
    assert!(desk.closed.is_empty());
    for minute in 171..=181 {
        desk.value("a", Sighting::Valid, minute);
        desk.value("b", Sighting::Valid, minute);
    }
    let row = &desk.closed[0];
    assert_eq!(row.closed_at, Some(at(181)));
    assert_eq!(row.closed_why.as_deref(), Some("valid-data"));
    assert_eq!((row.next_due, row.overdue_since), (None, None));
}

#[test]
fn what_a_person_opened_only_a_person_closes() {
    let mut desk = Desk::new(terms(0), &["a"]);
    let outlet = OutletId::new(OUTLET);
    let id = Identity {
        outlet: &outlet,
        last_id: &mut desk.last_id,
        seq: Seq(0),
    };
    let words = (UserId::new("supervisor"), "验收过期".to_owned());
    let turn = desk.machine.decide_open(words, at(5), &desk.terms, id);
    assert_eq!(turn, Turn::Opened);
    desk.value("a", Sighting::Valid, 6);
    assert!(desk.closed.is_empty());
    let turn = desk.machine.close(at(7), "复核通过".into(), Seq(0));
    assert!(matches!(turn, Some(Turn::Closed(row)) if row.closed_at == Some(at(7))));
    assert_eq!(desk.machine.close(at(8), String::new(), Seq(0)), None);
    // The time without data counts from the closing, so that it does not open again at once.
    assert_eq!(desk.machine.next_deadline(&desk.terms), Some(at(67)));
}

#[test]
fn a_sample_noted_to_the_minute_of_the_opening_counts() {
    let mut desk = Desk::new(terms(0), &["a"]);
    let outlet = OutletId::new(OUTLET);
    let id = Identity {
        outlet: &outlet,
        last_id: &mut desk.last_id,
        seq: Seq(0),
    };
    let words = (UserId::new("duty"), "设备故障".to_owned());
    let opened = at(10).plus_ms(30_000);
    desk.machine.decide_open(words, opened, &desk.terms, id);
    assert_eq!(desk.report(9, 11), None, "the minute before does not");
    assert_eq!(desk.report(10, 11), Some(false));
    assert_eq!(desk.row().reports, 1);
    assert_eq!(desk.row().next_due, Some(at(10 + 360)));
}

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
