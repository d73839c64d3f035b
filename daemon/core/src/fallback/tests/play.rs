//! The machine against the checker: any values, reports, tests, reviews, decisions, over three days
//! of any clock, with restarts.

use super::checker::{Checker, FACTORS, Happening, WRITTEN, agrees, told};
use super::*;

/// Offsets of the site's clock, minutes: midnight falls at any place, and at the last one the first
/// silence opens a fallback at 22:00.
const OFFSETS: [i32; 4] = [0, 480, -570, 1_260];

type Days = BTreeMap<i64, Vec<Happening>>;

/// Stretches of one behaviour of a factor: valid, invalid, stopped, silent.
fn stretches(factor: usize, list: &[(u8, i64, i64)], days: &mut Days) {
    let mut minute = 1;
    for (mode, length, every) in list {
        let end = minute + length;
        while minute < end {
            let sighting = match mode {
                0 | 4 | 5 => Some(Sighting::Valid),
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

/// What people do.
fn deed() -> impl Strategy<Value = Happening> {
    let kind = prop::sample::select(vec![QaKind::SpanDrift, QaKind::Comparison]);
    prop_oneof![
        12 => (0i64..500).prop_map(Happening::Report),
        3 => any::<usize>().prop_map(Happening::TakeBack),
        3 => (0usize..2, kind, any::<bool>()).prop_map(|(f, k, bad)| Happening::Test(f, k, bad)),
        2 => (0i64..3, any::<bool>()).prop_map(|(q, passed)| Happening::Review(q, passed)),
        2 => any::<bool>().prop_map(Happening::Decide),
        1 => any::<usize>().prop_map(Happening::Deliver),
        2 => Just(Happening::Restart),
    ]
}

fn days() -> impl Strategy<Value = Days> {
    let stretch = (0u8..6, 1i64..400, 1i64..20);
    let factor = prop::collection::vec(stretch, 1..14);
    let deeds = prop::collection::vec((1i64..4_320, deed()), 0..30);
    (factor.clone(), factor, deeds).prop_map(|(a, b, deeds)| {
        let mut days = Days::new();
        stretches(0, &a, &mut days);
        stretches(1, &b, &mut days);
        for (minute, deed) in deeds {
            let deed = match deed {
                Happening::Report(age) => Happening::Report(age.min(minute)),
                other => other,
            };
            days.entry(minute).or_default().push(deed);
        }
        days
    })
}

/// Tells the machine what the checker is told next.
fn tell(desk: &mut Desk, checker: &Checker, what: &Happening, now: i64) {
    match what {
        Happening::Value(factor, sighting) => desk.value(FACTORS[*factor], sighting.clone(), now),
        Happening::Report(age) => {
            desk.report(now - age, now);
        }
        Happening::TakeBack(place) => {
            let samples = checker.open.as_ref().map(|open| open.samples.clone());
            if let Some(mut samples) = samples.filter(|samples| !samples.is_empty()) {
                let place = place % samples.len();
                samples.remove(place);
                desk.take_back(place, now);
                desk.recount(&samples, now);
            }
        }
        Happening::Test(factor, kind, failed) => {
            desk.tested(FACTORS[*factor], *kind, failed.then_some(now), now);
        }
        Happening::Review(back, passed) => {
            // Quarters before that of the local 1970-01-01 begin 92 and 184 days earlier.
            let start = at(-desk.offset_min() - back * 92 * 1_440);
            desk.reviewed(start, *passed, now);
        }
        Happening::Decide(true) => {
            desk.advance(now);
            desk.decide_open(at(now));
        }
        Happening::Decide(false) => {
            desk.decide_close(now);
        }
        Happening::Deliver(place) => {
            desk.advance(now);
            let count = checker.written.len();
            if count > 0 {
                let number = u64::try_from(place % count + 1).unwrap();
                desk.machine.delivered(FallbackId(number));
            }
        }
        Happening::Restart => desk.restart(),
    }
}

impl Desk {
    /// Withdraws the row at this place among those that count for the open fallback.
    fn take_back(&mut self, place: usize, now: i64) {
        let seq = Seq(self.seq);
        let id = self.machine.row().map(|row| row.id);
        let own = self.reports.iter_mut();
        let own = own.filter(|row| row.fallback == id && row.counts());
        let row = own
            .into_iter()
            .nth(place)
            .expect("the checker has a sample there");
        row.withdrawn = Some(Withdrawal {
            at: at(now),
            by: "lab-1".into(),
            reason: "wrong stack".into(),
            seq,
        });
    }

    /// The sheet says what the machine counted.
    fn sheet_agrees(&self, row: &FallbackRow, now: i64) {
        let terms = Terms::new(&self.rule, self.offset);
        let sheet = crate::fallback::compliance::sheet(row, &self.reports, at(now), &terms);
        let missed = sheet.dues.iter().filter(|line| line.missed);
        let missed: Vec<Timestamp> = missed.map(|line| line.due).collect();
        assert_eq!(missed, row.missed_dues);
        let short = sheet.days.iter().filter(|day| day.short);
        let short: Vec<Timestamp> = short.map(|day| day.day).collect();
        assert_eq!(short, row.short_days);
        assert!(sheet.as_counted);
        assert_eq!(sheet.totals.reports, row.reports);
        let last = sheet.dues.last().unwrap();
        if row.closed_at.is_none() {
            assert_eq!(Some(last.due), row.next_due);
            assert_eq!(sheet.days.last().unwrap().reports, row.reports_today);
        }
    }

    fn offset_min(&self) -> i64 {
        i64::from(self.offset.minutes())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_the_checker(
        days in days(),
        closes_after in prop::sample::select(vec![0i64, 30]),
        offset in prop::sample::select(OFFSETS.to_vec()),
        valid_days in prop::sample::select(vec![None, None, Some(1u32), Some(2)]),
        every_minute in any::<bool>(),
    ) {
        let rule = FallbackRule {
            written_due_h: u32::try_from(WRITTEN / 60).unwrap(),
            written_remind_before_h: vec![4],
            review_valid_days: valid_days,
            ..rule(u32::try_from(closes_after).unwrap())
        };
        let mut desk = Desk::new(rule, &FACTORS);
        desk.offset = UtcOffset::from_minutes(offset).unwrap();
        let mut checker = Checker {
            closes_after,
            offset: offset.into(),
            valid_days: valid_days.map(i64::from),
            ..Checker::default()
        };
        for minute in 1..=4_400 {
            checker.minute(minute);
            // Otherwise the machine hears of time only when something happens.
            if every_minute {
                desk.advance(minute);
            }
            for what in days.get(&minute).into_iter().flatten() {
                desk.seq += 1;
                tell(&mut desk, &checker, what, minute);
                checker.happens(minute, what);
            }
        }
        desk.advance(4_400);
        prop_assert_eq!(desk.closed.len(), checker.done.len());
        for (row, naive) in desk.closed.iter().zip(&checker.done) {
            agrees(row, naive, offset.into());
            desk.sheet_agrees(row, 4_400);
        }
        prop_assert_eq!(desk.machine.row().is_some(), checker.open.is_some());
        if let (Some(row), Some(naive)) = (desk.machine.row(), &checker.open) {
            agrees(row, naive, offset.into());
            desk.sheet_agrees(row, 4_400);
        }
        // When it was told is known only where the machine heard of every minute.
        let words = |list: Vec<String>| -> Vec<String> {
            let when = |line: String| match every_minute {
                true => line,
                false => line.split_once(' ').unwrap().1.to_owned(),
            };
            let mut list: Vec<String> = list.into_iter().map(when).collect();
            list.sort_unstable();
            list
        };
        prop_assert_eq!(words(told(&desk)), words(checker.told));
    }
}
