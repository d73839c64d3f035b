//! Many outlets that tell the two published days.

use cems_core::model::{
    FactorCode, Flag, Number, OutletId, RecordKind, RecordRow, Seq, StoredValue, Timestamp, Value,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Kind of the records.
pub(super) const KIND: RecordKind = RecordKind::Minute;
/// Minutes of a day.
pub(super) const MINUTES: usize = 1_440;
/// 2026-11-22T00:00:00+08:00.
pub(super) const DAY: Timestamp = Timestamp(1_795_276_800_000);

/// Column of the table, factor, an amount is sent with it, a value at reference oxygen is.
type Measured = (&'static str, &'static str, bool, bool);

const GAS: [Measured; 8] = [
    ("dust_mg_m3", "a34013", true, true),
    ("so2_mg_m3", "a21026", true, true),
    ("nox_mg_m3", "a21002", true, true),
    ("o2_pct", "a19001", false, false),
    ("temperature_c", "a01012", false, false),
    ("pressure_kpa", "a01013", false, false),
    ("moisture_pct", "a01014", false, false),
    ("velocity_m_s", "a01011", false, false),
];
const WATER: [Measured; 4] = [
    ("cod_mg_l", "w01018", true, false),
    ("nh3n_mg_l", "w21003", true, false),
    ("ph", "w01001", false, false),
    ("flow_l_s", "w00000", true, false),
];

/// One factor over a day: the values and their flags.
struct Line {
    measured: Measured,
    values: Vec<Option<Decimal>>,
    flags: Vec<String>,
}

/// The outlets.
pub(super) struct City {
    outlets: Vec<OutletId>,
    days: [Vec<Line>; 2],
}

impl City {
    pub(super) fn of(outlets: usize) -> Self {
        let gas = include_str!("../../../tests/testdata/day-gas.csv");
        let water = include_str!("../../../tests/testdata/day-water.csv");
        let name = |n: usize| OutletId::new(format!("outlet-{n:03}"));
        Self {
            outlets: (0..outlets).map(name).collect(),
            days: [table(gas, &GAS), table(water, &WATER)],
        }
    }

    pub(super) fn outlets(&self) -> &[OutletId] {
        &self.outlets
    }

    /// The records of one minute: of four outlets three are stacks.
    pub(super) fn minute(&self, minute: usize) -> Vec<RecordRow> {
        let each = self.outlets.iter().enumerate();
        each.map(|(n, outlet)| self.record(n, outlet, minute))
            .collect()
    }

    fn record(&self, n: usize, outlet: &OutletId, minute: usize) -> RecordRow {
        let day = &self.days[usize::from(n % 4 == 3)];
        let start = DAY.plus_ms(ms(minute) * 60_000);
        // A logger sends some seconds after the minute, never twice at the same one.
        let jitter = (minute * 7_919 + n * 104_729) % 3_733;
        let received_at = start.plus_ms(60_000 + ms(n * 37 % 900) + ms(jitter));
        let seq = 1_000_000 + (minute * self.outlets.len() + n) * 3 + jitter % 3;
        let seq = Seq(u64::try_from(seq).unwrap());
        let values = day.iter().filter_map(|line| {
            let value = line.at(n, minute)?;
            let code = FactorCode::new(line.measured.1);
            let stored = StoredValue {
                valid: value.flag == Some(Flag(SmolStr::new("N"))),
                value,
                checks: Vec::new(),
                received_at,
                seq,
                superseded: 0,
            };
            Some((code, stored))
        });
        RecordRow {
            outlet: outlet.clone(),
            kind: KIND,
            start,
            resent: false,
            values: values.collect(),
        }
    }
}

impl Line {
    /// The value of outlet `n`: its day began at another minute and runs on another level.
    fn at(&self, n: usize, minute: usize) -> Option<Value> {
        let len = self.values.len();
        let place = (minute + n * 97) % len;
        let level = Decimal::new(100 + 7 * ms(n % 13), 2);
        let of = |place: usize| {
            let value = self.values[place % len]?;
            Some((value * level).round_dp(value.scale().max(1)))
        };
        let value = of(place)?;
        let around = [of(place + len - 1), Some(value), of(place + 1)];
        let (_, factor, amount, converted) = self.measured;
        // An amount in grams of the minute, a conversion as an oxygen of eight percent gives it.
        let grams = amount.then(|| (value * Decimal::new(412, 1)).round_dp(2));
        let converted = converted.then(|| (value * Decimal::new(1154, 3)).round_dp(2));
        Some(Value {
            factor: FactorCode::new(factor),
            sent_as: None,
            rtd: None,
            avg: number(Some(value)),
            min: number(around.iter().flatten().min().copied()),
            max: number(around.iter().flatten().max().copied()),
            cou: number(grams),
            converted: number(converted),
            flag: Some(Flag(SmolStr::new(&self.flags[place]))),
            unreadable: None,
        })
    }
}

fn number(value: Option<Decimal>) -> Option<Number> {
    let value = value?;
    let text = SmolStr::new(value.to_string());
    Some(Number { value, text })
}

fn ms(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

/// The table's columns; a factor has the flag of its own, or that of the flue.
fn table(text: &str, factors: &[Measured]) -> Vec<Line> {
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let place = |name: &str| heads.iter().position(|head| *head == name);
    let line = |measured: &Measured| {
        let values = place(measured.0).unwrap();
        let stem = measured.0.split('_').next().unwrap();
        let flags = place(&format!("{stem}_flag")).or_else(|| place("flue_flag"));
        let flag = |row: &Vec<&str>| flags.map_or("N", |flag| row[flag]).to_owned();
        Line {
            measured: *measured,
            values: rows.iter().map(|row| row[values].parse().ok()).collect(),
            flags: rows.iter().map(flag).collect(),
        }
    };
    let lines: BTreeMap<&str, Line> = factors.iter().map(|m| (m.1, line(m))).collect();
    lines.into_values().collect()
}
