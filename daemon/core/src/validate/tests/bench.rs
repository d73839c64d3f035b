//! An hour and a day of an invented stack and an invented discharge in which nothing is odd, and
//! ways to make something odd.

use crate::aggregate::{HourInput, from_minutes, hour};
use crate::fixture::*;
use crate::model::rows::AggregateOrigin;
use crate::model::*;
use crate::validate::{DaySeries, HourSeries, MarkSpan, day_clues, failed, hour_clues};
use rust_decimal::Decimal;

/// Codes of clues, in their order.
pub(crate) fn codes(clues: &[Clue]) -> Vec<String> {
    clues.iter().map(|clue| clue.check.0.to_string()).collect()
}

/// The fixture's city with measuring ranges.
pub(crate) fn city() -> Registry {
    let mut city = registry();
    let ranges = [
        ("dc-01", "a34013", "50"),
        ("dc-01", "a21026", "100"),
        ("dc-01", "a21002", "300"),
        ("dc-01", "a19001", "25"),
        ("ws-01", "w01018", "300"),
        ("ws-01", "w21003", "20"),
    ];
    for (outlet, code, top) in ranges {
        let outlet = city.outlets.get_mut(outlet).unwrap();
        let factor = outlet.factors.get_mut(code).unwrap();
        (factor.range_min, factor.range_max) = (Some(dec("0")), Some(dec(top)));
    }
    for code in ["w21001", "w01017"] {
        let water = city.outlets.get_mut("ws-01").unwrap();
        let factor = factor(code, true, "0.001", vec![]);
        water.factors.insert(factor.code.clone(), factor);
    }
    city
}

/// A figure that wanders about `middle` by `step` and comes back after 13.
pub(crate) fn wander(n: i64, middle: &str, step: &str) -> Decimal {
    dec(middle) + dec(step) * Decimal::from((n * 5).rem_euclid(13) - 6)
}

fn sent(code: &str, figure: Decimal) -> Value {
    value(code, &figure.to_string(), "N")
}

/// A record as stored, a minute after its end.
pub(crate) fn stored(record: Record, city: &Registry, seq: u64) -> RecordRow {
    let outlet = &city.outlets[&record.outlet];
    let profile = city.profile_at(outlet, record.start).unwrap();
    let received_at = record.start.plus_ms(62_000);
    let values = record.values.into_iter().map(|value| {
        let checks = failed(&value, outlet, profile);
        let stored = StoredValue {
            valid: checks.is_empty(),
            checks,
            received_at,
            seq: Seq(seq),
            superseded: 0,
            value,
        };
        (stored.value.factor.clone(), stored)
    });
    RecordRow {
        outlet: record.outlet,
        kind: record.kind,
        start: record.start,
        resent: record.resent,
        values: values.collect(),
    }
}

/// An hour before it is looked at.
pub(crate) struct HourBench {
    pub(crate) city: Registry,
    pub(crate) minutes: Vec<Record>,
    pub(crate) reported: Option<Record>,
    pub(crate) counted: (u32, u32),
    pub(crate) marks: Vec<MarkSpan>,
    /// Done to the stored rows.
    pub(crate) touch: fn(&mut Vec<RecordRow>),
}

impl HourBench {
    fn new(outlet: &str, values: impl Fn(i64) -> Vec<Value>) -> Self {
        let minutes = 0..60;
        let minutes = minutes.map(|n| record(outlet, RecordKind::Minute, minute(n), values(n)));
        Self {
            city: city(),
            minutes: minutes.collect(),
            reported: None,
            counted: (60, 60),
            marks: Vec::new(),
            touch: |_| {},
        }
    }

    /// An hour of the stack.
    pub(crate) fn gas() -> Self {
        Self::new(GAS, |n| {
            vec![
                sent("a34013", wander(n, "6", "0.2")),
                sent("a21026", wander(n, "20", "0.5")),
                sent("a21002", wander(n, "120", "1.5")),
                sent("a19001", wander(n, "7", "0.1")),
                sent("a01011", wander(n, "11", "0.1")),
                sent("a01012", wander(n, "87", "0.2")),
                sent("a01013", dec("-0.23")),
                sent("a01014", wander(n, "15", "0.1")),
            ]
        })
    }

    /// An hour of the discharge.
    pub(crate) fn water() -> Self {
        Self::new(WATER, |n| {
            vec![
                sent("w01018", wander(n / 15, "60", "1")),
                sent("w21003", wander(n / 15, "3", "0.1")),
                sent("w01001", wander(n, "7.2", "0.02")),
                sent("w00000", wander(n, "10", "0.1")),
            ]
        })
    }

    /// Changes the factor's value in every minute; a factor that is not there is added.
    pub(crate) fn each(mut self, code: &str, change: impl Fn(i64, &mut Value)) -> Self {
        for (minute, n) in self.minutes.iter_mut().zip(0..) {
            if !minute.values.iter().any(|v| v.factor.as_str() == code) {
                minute.values.push(value(code, "0", "N"));
            }
            let mut values = minute.values.iter_mut();
            let value = values.find(|v| v.factor.as_str() == code).unwrap();
            change(n, value);
        }
        self
    }

    /// Sets the factor's figure.
    pub(crate) fn set(self, code: &str, figure: impl Fn(i64) -> Decimal) -> Self {
        self.each(code, |n, value| {
            value.avg = Some(number(&figure(n).to_string()));
        })
    }

    /// Flags the factors `codes` in the first minutes.
    pub(crate) fn flag(self, codes: &[&str], minutes: i64, flag: &str) -> Self {
        codes.iter().fold(self, |bench, code| {
            bench.each(code, |n, value| {
                if n < minutes {
                    value.flag = Some(Flag(flag.into()));
                }
            })
        })
    }

    pub(crate) fn without(mut self, code: &str) -> Self {
        for minute in &mut self.minutes {
            minute.values.retain(|v| v.factor.as_str() != code);
        }
        self
    }

    pub(crate) fn factor(mut self, code: &str, change: impl Fn(&mut OutletFactor)) -> Self {
        for outlet in self.city.outlets.values_mut() {
            if let Some(factor) = outlet.factors.get_mut(code) {
                change(factor);
            }
        }
        self
    }

    pub(crate) fn profile(mut self, change: impl Fn(&mut Profile)) -> Self {
        self.city.profiles.values_mut().for_each(change);
        self
    }

    pub(crate) fn mark(mut self, kind: MarkKind) -> Self {
        self.marks.push((kind, minute(0), minute(60)));
        self
    }

    /// The station's own hour.
    pub(crate) fn reports(mut self, values: Vec<Value>) -> Self {
        let outlet = self.minutes[0].outlet.clone();
        self.reported = Some(record(outlet.as_str(), RecordKind::Hour, minute(0), values));
        self
    }

    pub(crate) fn clues(&self) -> Vec<Clue> {
        let outlet = &self.city.outlets[&self.minutes[0].outlet];
        let profile = self.city.profile_at(outlet, minute(0)).unwrap();
        let minutes = self.minutes.iter().zip(1..);
        let mut rows: Vec<RecordRow> = minutes
            .map(|(record, seq)| stored(record.clone(), &self.city, seq))
            .collect();
        (self.touch)(&mut rows);
        let slots = from_minutes(&rows, minute(60), 1, profile);
        let figures = hour(&HourInput {
            outlet,
            profile,
            slots: &slots,
            origin: AggregateOrigin::Computed,
        });
        let (received, due) = self.counted;
        let aggregate = AggregateRow {
            outlet: outlet.id.clone(),
            level: Level::Hour,
            start: minute(0),
            origin: AggregateOrigin::Computed,
            complete: true,
            volume_m3: figures.volume_m3,
            factors: figures.factors,
            profile: profile.id.clone(),
            received,
            due,
            seq: figures.seq,
            superseded: 0,
        };
        let reported = self.reported.clone().map(|r| stored(r, &self.city, 99));
        hour_clues(&HourSeries {
            outlet,
            profile,
            from: minute(0),
            until: minute(60),
            rows: &rows,
            reported: reported.as_ref(),
            hour: &aggregate,
            marks: &self.marks,
        })
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        codes(&self.clues())
    }
}

/// Two days before they are looked at; hours count from the first of the day.
pub(crate) struct DayBench {
    pub(crate) city: Registry,
    outlet: OutletId,
    pub(crate) hours: Vec<AggregateRow>,
    pub(crate) yesterday: Vec<AggregateRow>,
    pub(crate) reported: Option<Record>,
    pub(crate) marks: Vec<MarkSpan>,
}

impl DayBench {
    fn new(outlet: &str, means: impl Fn(i64) -> Vec<(&'static str, Decimal)>) -> Self {
        let row = |n: i64| AggregateRow {
            outlet: outlet.into(),
            level: Level::Hour,
            start: minute(60 * n),
            origin: AggregateOrigin::Computed,
            complete: true,
            volume_m3: Some(wander(n, "500000", "1000")),
            factors: means(n)
                .into_iter()
                .map(|(code, mean)| (code.into(), mean_of(mean)))
                .collect(),
            profile: "plain@1".into(),
            received: 60,
            due: 60,
            seq: Seq(1),
            superseded: 0,
        };
        Self {
            city: city(),
            outlet: outlet.into(),
            hours: (0..24).map(row).collect(),
            yesterday: (-24..0).map(row).collect(),
            reported: None,
            marks: Vec::new(),
        }
    }

    /// A day of the stack.
    pub(crate) fn gas() -> Self {
        Self::new(GAS, |n| {
            vec![
                ("a34013", wander(n, "6", "0.2")),
                ("a21026", wander(n, "20", "0.5")),
                ("a21002", wander(n, "120", "1.5")),
                ("a19001", wander(n, "7", "0.1")),
                ("a01011", wander(n, "11", "0.1")),
            ]
        })
    }

    /// A day of the discharge.
    pub(crate) fn water() -> Self {
        Self::new(WATER, |n| {
            vec![
                ("w01018", wander(n, "60", "1")),
                ("w21003", wander(n, "3", "0.1")),
                ("w01001", wander(n, "7.2", "0.05")),
                ("w00000", wander(n, "10", "0.1")),
            ]
        })
    }

    pub(crate) fn set(mut self, code: &str, mean: impl Fn(i64) -> Decimal) -> Self {
        for (row, n) in self.hours.iter_mut().zip(0..) {
            row.factors.get_mut(code).unwrap().mean = Some(mean(n));
        }
        self
    }

    /// Changes one hour's mean.
    pub(crate) fn at(self, code: &str, hour: i64, figure: &str) -> Self {
        let means: Vec<Decimal> = self
            .hours
            .iter()
            .map(|row| row.factors[code].mean.unwrap())
            .collect();
        self.set(code, |n| {
            if n == hour {
                dec(figure)
            } else {
                means[usize::try_from(n).unwrap()]
            }
        })
    }

    pub(crate) fn change(mut self, change: impl Fn(&mut AggregateRow)) -> Self {
        self.hours.iter_mut().for_each(change);
        self
    }

    pub(crate) fn factor(mut self, code: &str, change: impl Fn(&mut OutletFactor)) -> Self {
        let outlet = self.city.outlets.get_mut(&self.outlet).unwrap();
        change(outlet.factors.get_mut(code).unwrap());
        self
    }

    pub(crate) fn mark(mut self, kind: MarkKind) -> Self {
        self.marks.push((kind, minute(0), minute(24 * 60)));
        self
    }

    /// The station's own day.
    pub(crate) fn reports(mut self, values: Vec<Value>) -> Self {
        self.reported = Some(record(
            self.outlet.as_str(),
            RecordKind::Day,
            minute(0),
            values,
        ));
        self
    }

    pub(crate) fn clues(&self) -> Vec<Clue> {
        let outlet = &self.city.outlets[&self.outlet];
        let reported = self.reported.clone().map(|r| stored(r, &self.city, 99));
        day_clues(&DaySeries {
            outlet,
            profile: self.city.profile_at(outlet, minute(0)).unwrap(),
            from: minute(0),
            until: minute(24 * 60),
            hours: &self.hours,
            yesterday: &self.yesterday,
            reported: reported.as_ref(),
            marks: &self.marks,
        })
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        codes(&self.clues())
    }
}

fn mean_of(mean: Decimal) -> FactorAggregate {
    FactorAggregate {
        mean: Some(mean),
        amount_kg: Some(mean),
        valid: true,
        valid_units: 60,
        due_units: 60,
        ..FactorAggregate::default()
    }
}
