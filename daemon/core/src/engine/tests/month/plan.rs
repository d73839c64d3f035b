//! A random month: what was measured, in all its versions, and what people entered meanwhile.

use super::city::{STEP_MIN, changed_city, city};
use super::{DAYS, MONTH_FROM, dice::Dice};
use crate::engine::Event;
use crate::fixture::*;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::model::*;
use std::sync::Arc;

/// What people enter, in the order of the journal. What is taken back is named by its place here.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Event(Box<Event>),
    WithdrawMark(usize),
    WithdrawTest(usize),
}

/// A month of one outlet.
#[derive(Debug)]
pub(super) struct Month {
    pub(super) outlet: &'static str,
    /// For each record its versions, oldest first.
    pub(super) data: Vec<Vec<Record>>,
    /// With the times of entry, ascending.
    pub(super) entries: Vec<(Timestamp, Entry)>,
}

/// What a day is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    Usual,
    /// High readings for hours.
    High,
    /// Nothing comes: (0) but the station's own day, (1) but some of its hours, (2) at all.
    Silent(u8),
    /// The source is stopped and the values say so.
    Stopped,
    /// Many values do not count.
    Faulty,
}

impl Month {
    pub(super) fn of(outlet: &'static str, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let days = days(&mut dice);
        let mut data = Vec::new();
        for (n, day) in (0..).zip(&days) {
            let from = MONTH_FROM.plus_ms(n * DAY_MS);
            measured(outlet, from, *day, &mut dice, &mut data);
        }
        let mut entries = Entries::of(outlet, &days, &mut dice);
        entries.sort_by_key(|(at, n, _)| (*at, *n));
        // Withdrawals name what they take back by its number; its place is known only now.
        let numbers: Vec<usize> = entries.iter().map(|(_, n, _)| *n).collect();
        let place = |n: usize| numbers.iter().position(|m| *m == n).unwrap();
        let entries = entries.into_iter().map(|(at, _, entry)| match entry {
            Entry::Event(_) => (at, entry),
            Entry::WithdrawMark(n) => (at, Entry::WithdrawMark(place(n))),
            Entry::WithdrawTest(n) => (at, Entry::WithdrawTest(place(n))),
        });
        Self {
            outlet,
            data,
            entries: entries.collect(),
        }
    }
}

/// The days of the month in any order: every month has some of each.
fn days(dice: &mut Dice) -> Vec<Day> {
    let silent = [Day::Silent(0), Day::Silent(1), Day::Silent(2)];
    let others = [Day::High, Day::Stopped, Day::Faulty, Day::Faulty];
    let mut days: Vec<Day> = silent.into_iter().chain(others).chain(others).collect();
    days.resize(usize::try_from(DAYS).unwrap(), Day::Usual);
    for last in (1..days.len()).rev() {
        days.swap(last, dice.place(last + 1));
    }
    days
}

/// What a reading is like.
#[derive(Debug, Clone, Copy)]
struct Mood {
    high: bool,
    flag: &'static str,
}

fn measured(outlet: &str, from: Timestamp, day: Day, dice: &mut Dice, data: &mut Vec<Vec<Record>>) {
    if let Day::Silent(but) = day {
        silent(outlet, from, but, dice, data);
        return;
    }
    let high_from = dice.below(18);
    for hour in 0..24 {
        let start = from.plus_ms(hour * HOUR_MS);
        let mut mood = Mood {
            high: day == Day::High && (high_from..high_from + 6).contains(&hour),
            flag: "N",
        };
        let odds = if day == Day::Faulty { 3 } else { 40 };
        if day == Day::Stopped {
            mood.flag = "F";
        } else if dice.one_in(odds) {
            mood.flag = dice.pick(&["D", "M", "C", "F"]);
        }
        if dice.one_in(odds) {
            // An hour without any record, or with the station's own.
            if dice.one_in(2) {
                data.push(versions(outlet, RecordKind::Hour, start, mood, dice));
            }
            continue;
        }
        mood.high |= dice.one_in(30);
        for step in 0..60 / i64::from(STEP_MIN) {
            if !dice.one_in(40) {
                let at = start.plus_ms(step * i64::from(STEP_MIN) * MINUTE_MS);
                data.push(versions(outlet, RecordKind::Minute, at, mood, dice));
            }
        }
        if dice.one_in(30) {
            data.push(versions(outlet, RecordKind::Hour, start, mood, dice));
        }
    }
}

fn silent(outlet: &str, from: Timestamp, but: u8, dice: &mut Dice, data: &mut Vec<Vec<Record>>) {
    let mood = Mood {
        high: false,
        flag: "N",
    };
    if but == 0 {
        data.push(versions(outlet, RecordKind::Day, from, mood, dice));
    }
    for hour in (0..24).filter(|_| but == 1) {
        if dice.one_in(2) {
            let start = from.plus_ms(hour * HOUR_MS);
            data.push(versions(outlet, RecordKind::Hour, start, mood, dice));
        }
    }
}

/// A record and its corrections.
fn versions(
    outlet: &str,
    kind: RecordKind,
    start: Timestamp,
    mood: Mood,
    dice: &mut Dice,
) -> Vec<Record> {
    let first = reading(outlet, kind, start, mood, dice);
    let mut all = vec![first];
    while dice.one_in(if all.len() > 1 { 3 } else { 25 }) && all.len() < 4 {
        let mut next = all[all.len() - 1].clone();
        let place = dice.place(next.values.len());
        let value = &mut next.values[place];
        if dice.one_in(3) {
            value.flag = Some(Flag(dice.pick(&["N", "D", "F"]).into()));
        }
        let figure = value.avg.as_ref().unwrap().value;
        let factor = dec(dice.pick(&["0.5", "1.5", "3", "1.01"]));
        value.avg = Some(number(&(figure * factor).to_string()));
        all.push(next);
    }
    all
}

fn reading(
    outlet: &str,
    kind: RecordKind,
    start: Timestamp,
    mood: Mood,
    dice: &mut Dice,
) -> Record {
    // Code, from, to, both in hundredths.
    let table: &[(&str, i64, i64)] = if outlet == GAS {
        &[
            ("a21026", 2_500, 4_200),
            ("a21002", 4_000, 6_500),
            ("a34013", 200, 700),
            ("a19001", 550, 800),
            ("a01011", 900, 1_300),
            ("a01012", 7_500, 9_000),
            ("a01013", -30, -10),
            ("a01014", 1_000, 1_400),
        ]
    } else {
        &[
            ("w01018", 2_500, 5_500),
            ("w21003", 100, 600),
            ("w01001", 650, 800),
            ("w00000", 700, 1_300),
        ]
    };
    let values = table.iter().map(|(code, from, to)| {
        let mut cents = from + dice.below(to - from);
        let rises = matches!(*code, "a21026" | "a21002" | "a34013" | "w01018" | "w21003");
        if mood.high && rises {
            cents = cents * 5 / 2;
        }
        // Of an analyser that is out of order the flow knows nothing.
        let mut flag = if rises || mood.flag == "F" {
            mood.flag
        } else {
            "N"
        };
        let text = match dice.below(400) {
            0 => "-5".to_owned(),
            1 => "9999".to_owned(),
            2 => "450.5".to_owned(),
            n => {
                if n < 8 {
                    flag = "D";
                }
                // The station may know the flow to be nothing while it is stopped.
                if *code == "w00000" && flag == "F" {
                    cents = 0;
                }
                hundredths(cents)
            }
        };
        let mut value = value(code, &text, flag);
        if kind != RecordKind::Minute && rises {
            value.cou = Some(number(&hundredths(dice.below(900))));
        }
        value
    });
    let values = values.collect();
    record(outlet, kind, start, values)
}

fn hundredths(n: i64) -> String {
    rust_decimal::Decimal::new(n, 2).to_string()
}

/// Time of entry, number, entry.
type Numbered = (Timestamp, usize, Entry);

struct Entries<'a> {
    outlet: &'static str,
    all: Vec<Numbered>,
    dice: &'a mut Dice,
}

impl<'a> Entries<'a> {
    fn of(outlet: &'static str, days: &[Day], dice: &'a mut Dice) -> Vec<Numbered> {
        let mut entries = Self {
            outlet,
            all: Vec::new(),
            dice,
        };
        entries.registries();
        for (n, day) in (0..).zip(days) {
            entries.day(MONTH_FROM.plus_ms(n * DAY_MS), *day);
        }
        entries.reviews();
        entries.all
    }

    /// The registry, and another in the middle third, with rules that hold from about then.
    fn registries(&mut self) {
        let third_ms = DAYS * DAY_MS / 3;
        let change = MONTH_FROM.plus_ms(third_ms + self.dice.below(third_ms));
        let rules_from = change.plus_ms(self.dice.below(6 * DAY_MS) - 2 * DAY_MS);
        let rules_from = Timestamp(rules_from.0 / HOUR_MS * HOUR_MS);
        let only = |mut city: Registry| {
            city.outlets.retain(|id, _| id.as_str() == self.outlet);
            Event::Registry(Arc::new(city))
        };
        let (first, second) = (only(city()), only(changed_city(rules_from)));
        self.push(MONTH_FROM.plus_ms(-DAY_MS), first);
        self.push(change, second);
    }

    fn push(&mut self, at: Timestamp, event: Event) -> usize {
        let n = self.all.len();
        // Odd milliseconds, so that nothing else happens at that instant.
        let at = Timestamp(at.0 / 1_000 * 1_000 + 7);
        self.all.push((at, n, Entry::Event(Box::new(event))));
        n
    }

    fn withdraw(&mut self, entered: Timestamp, entry: Entry) {
        if self.dice.one_in(4) {
            let after = self.dice.below(120 * HOUR_MS);
            let at = Timestamp(entered.plus_ms(after).0 / 1_000 * 1_000 + 9);
            let n = self.all.len();
            self.all.push((at, n, entry));
        }
    }

    fn day(&mut self, from: Timestamp, day: Day) {
        let stopped = matches!(day, Day::Silent(_) | Day::Stopped);
        if stopped && !self.dice.one_in(3) {
            let span = (from, from.plus_ms(DAY_MS));
            self.mark(MarkKind::Stopped, span, Vec::new());
        }
        if self.dice.one_in(3) {
            self.marks(from);
        }
        if self.dice.one_in(3) {
            self.test(from);
        }
        let odds = if day == Day::Usual { 12 } else { 2 };
        if self.dice.one_in(odds) {
            self.report(from);
        }
    }

    /// One mark, or several that touch.
    fn marks(&mut self, day: Timestamp) {
        let mut from = day.plus_ms(self.dice.below(20 * 60) * MINUTE_MS);
        loop {
            let kind = MarkKind::ALL[self.dice.place(MarkKind::ALL.len())];
            let longest = self.dice.pick(&[20, 100, 1_000]);
            let until = from.plus_ms((10 + self.dice.below(longest)) * MINUTE_MS);
            let factors = match (self.dice.below(4), self.outlet) {
                (0, GAS) => vec!["a21026".into()],
                (0, _) => vec!["w01018".into()],
                _ => Vec::new(),
            };
            self.mark(kind, (from, until), factors);
            if !self.dice.one_in(2) {
                return;
            }
            from = until;
        }
    }

    fn mark(
        &mut self,
        kind: MarkKind,
        (from, until): (Timestamp, Timestamp),
        factors: Vec<FactorCode>,
    ) {
        let entered = match (kind, self.dice.below(3)) {
            (MarkKind::Maintenance, 0) => from.plus_ms(-self.dice.below(2 * DAY_MS)),
            (_, 1) => until.plus_ms(self.dice.below(4 * HOUR_MS)),
            _ => until.plus_ms(self.dice.below(5 * DAY_MS)),
        };
        let mark = Mark {
            outlet: self.outlet.into(),
            kind,
            factors,
            from,
            until,
            reason: "stated".into(),
            attachments: Vec::new(),
            by: "operator".into(),
        };
        let n = self.push(entered, Event::Mark(mark));
        self.withdraw(entered, Entry::WithdrawMark(n));
    }

    fn test(&mut self, day: Timestamp) {
        let at = day.plus_ms(self.dice.below(24 * 60) * MINUTE_MS);
        let (factor, kind) = if self.outlet == GAS {
            let kinds = [QaKind::ZeroDrift, QaKind::SpanDrift, QaKind::StandardSample];
            (
                self.dice.pick(&["a21026", "a21002"]),
                self.dice.pick(&kinds),
            )
        } else {
            ("w01018", QaKind::StandardSample)
        };
        // Five of eight pass, one needs adjustment, two fail.
        let measured = self
            .dice
            .pick(&["100", "100", "101", "99", "100", "112", "150", "60"]);
        let test = QaTest {
            outlet: self.outlet.into(),
            factor: factor.into(),
            kind,
            at,
            pairs: vec![QaPair {
                reference: dec("100"),
                measured: dec(measured),
            }],
            full_scale: Some(dec("400")),
            note: String::new(),
            attachments: Vec::new(),
            by: "tester".into(),
            from_cn: None,
        };
        let after = self.dice.below(4 * DAY_MS);
        let entered = at.plus_ms(1_000 + after);
        let n = self.push(entered, Event::QaTest(test));
        self.withdraw(entered, Entry::WithdrawTest(n));
    }

    fn report(&mut self, day: Timestamp) {
        for _ in 0..2 + self.dice.below(4) {
            let sampled_at = day.plus_ms(self.dice.below(24 * 60) * MINUTE_MS);
            let (factor, value) = if self.outlet == GAS {
                ("a21026", self.dice.pick(&["31.5", "44"]))
            } else {
                ("w01018", self.dice.pick(&["40", "52.25"]))
            };
            let report = ManualReport {
                outlet: self.outlet.into(),
                sampled_at,
                sampler: "张三".into(),
                method: "HJ 57-2017".into(),
                laboratory: String::new(),
                values: vec![ManualValue {
                    factor: factor.into(),
                    value: dec(value),
                }],
                note: String::new(),
                attachments: Vec::new(),
                corrects: None,
                by: "lab-1".into(),
            };
            let after = self.dice.below(5 * DAY_MS);
            self.push(
                sampled_at.plus_ms(1_000 + after),
                Event::ManualReport(report),
            );
        }
    }

    /// The first quarter is handed in and rejected; that of the stack is accepted after all.
    fn reviews(&mut self) {
        let quarter = minute(-90 * 1_440);
        let (start, end) = time::quarter_of(quarter, UtcOffset::default());
        let mut at = end;
        for step in [ReviewStep::Submit, ReviewStep::Fail, ReviewStep::Pass] {
            if step == ReviewStep::Pass && self.outlet == WATER {
                return;
            }
            at = at.plus_ms(HOUR_MS + self.dice.below(6 * DAY_MS));
            let action = ReviewAction {
                outlet: self.outlet.into(),
                quarter: start,
                step,
                by: "authority".into(),
                note: "seen".into(),
                attachments: Vec::new(),
            };
            self.push(at, Event::Review(action));
        }
    }
}
