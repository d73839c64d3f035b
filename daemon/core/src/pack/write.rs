//! Writing a pack.

use super::bytes::{check_sum, put_len, put_text};
use super::rule::{Known, Rule, figures_of, of_amounts, of_converted, of_means, widest};
use super::{FACTORS_MAX, HOURS_MAX, PackError, VERDICTS_MAX, VERSION, figure, verdict, whole};
use crate::model::rows::AggregateOrigin;
use crate::model::{AggregateRow, FactorAggregate, FactorCode, Level, OutletId, Timestamp};
use crate::validate::code;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Columns, each kept once however often it occurs: most units of the factors of an outlet are the
/// same, and many columns are empty.
#[derive(Default)]
struct Store {
    columns: Vec<Vec<u8>>,
    known: BTreeMap<Vec<u8>, usize>,
}

impl Store {
    fn add(&mut self, column: Vec<u8>) -> usize {
        let next = self.columns.len();
        *self.known.entry(column).or_insert_with_key(|column| {
            self.columns.push(column.clone());
            next
        })
    }

    fn whole(&mut self, values: impl Iterator<Item = u64>) -> usize {
        let values: Vec<u64> = values.collect();
        self.add(whole::encode(&values))
    }
}

/// Texts by number, in alphabetical order.
fn dictionary<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u64> {
    let texts: BTreeSet<&str> = texts.collect();
    texts.into_iter().zip(0..).collect()
}

/// The pack of these hours; of two rows of the same hour the later in the list counts.
pub(super) fn pack<'a>(
    rows: impl IntoIterator<Item = &'a AggregateRow>,
) -> Result<Vec<u8>, PackError> {
    let rows: BTreeMap<Timestamp, &AggregateRow> =
        rows.into_iter().map(|row| (row.start, row)).collect();
    let rows: Vec<&AggregateRow> = rows.into_values().collect();
    let outlet = rows
        .first()
        .map_or(OutletId::new(""), |row| row.outlet.clone());
    let fits = |row: &&AggregateRow| row.level == Level::Hour && row.outlet == outlet;
    if !rows.iter().all(fits) {
        return Err(PackError::Mixed);
    }
    let codes: BTreeSet<&FactorCode> = rows.iter().flat_map(|row| row.factors.keys()).collect();
    if rows.len() > HOURS_MAX || codes.len() > FACTORS_MAX {
        return Err(PackError::TooMany);
    }
    let factors = || rows.iter().flat_map(|row| row.factors.values());
    if factors().any(|f| f.limits.len() > VERDICTS_MAX) {
        return Err(PackError::TooMany);
    }
    let profiles = dictionary(rows.iter().map(|row| row.profile.as_str()));
    let whys = dictionary(factors().filter_map(|f| f.invalid_why.as_deref()));
    let mut store = Store::default();
    let volumes: Vec<Option<Decimal>> = rows
        .iter()
        .map(|row| row.volume_m3.map(|v| v.normalize()))
        .collect();
    let hours = hour_columns(&rows, &volumes, &profiles, &mut store);
    let oxygen_row = oxygen(&rows);
    let oxygen = figures_of(&oxygen_row, |f| f.mean);
    let mut directory = Vec::new();
    for code in &codes {
        let factors: Vec<Option<&FactorAggregate>> =
            rows.iter().map(|row| row.factors.get(*code)).collect();
        put_text(&mut directory, code.as_str());
        for column in factor_columns(&factors, (&volumes, &oxygen), &whys, &mut store) {
            put_len(&mut directory, column);
        }
    }
    let mut out = vec![VERSION];
    put_text(&mut out, outlet.as_str());
    put_len(&mut out, rows.len());
    for texts in [&profiles, &whys] {
        put_len(&mut out, texts.len());
        texts.keys().for_each(|text| put_text(&mut out, text));
    }
    put_len(&mut out, store.columns.len());
    store
        .columns
        .iter()
        .for_each(|c| put_len(&mut out, c.len()));
    hours
        .into_iter()
        .for_each(|column| put_len(&mut out, column));
    put_len(&mut out, codes.len());
    out.extend(directory);
    store.columns.iter().for_each(|c| out.extend_from_slice(c));
    let sum = check_sum(&out);
    out.extend(sum);
    Ok(out)
}

fn oxygen<'a>(rows: &[&'a AggregateRow]) -> Vec<Option<&'a FactorAggregate>> {
    rows.iter()
        .map(|row| row.factors.get(code::OXYGEN))
        .collect()
}

fn hour_columns(
    rows: &[&AggregateRow],
    volumes: &[Option<Decimal>],
    profiles: &BTreeMap<&str, u64>,
    store: &mut Store,
) -> [usize; super::HOUR_COLUMNS] {
    let profile = |row: &&AggregateRow| profiles.get(row.profile.as_str()).copied();
    [
        store.whole(rows.iter().map(|row| row.start.0.cast_unsigned())),
        store.whole(
            rows.iter()
                .map(|row| u64::from(row.origin == AggregateOrigin::Reported)),
        ),
        store.whole(rows.iter().map(|row| u64::from(row.complete))),
        store.add(figure::encode(volumes, &Known::default(), [])),
        store.whole(rows.iter().map(|row| profile(row).unwrap_or_default())),
        store.whole(rows.iter().map(|row| u64::from(row.received))),
        store.whole(rows.iter().map(|row| u64::from(row.due))),
        store.whole(rows.iter().map(|row| row.seq.0)),
    ]
}

fn factor_columns(
    factors: &[Option<&FactorAggregate>],
    (volumes, oxygen): (&[Option<Decimal>], &[Option<Decimal>]),
    whys: &BTreeMap<&str, u64>,
    store: &mut Store,
) -> [usize; super::FACTOR_COLUMNS] {
    let count = |of: fn(&FactorAggregate) -> u32| -> Vec<u32> {
        factors.iter().map(|f| f.map_or(0, of)).collect()
    };
    let units = count(|f| f.valid_units);
    let means = figures_of(factors, |f| f.mean);
    let mut known = Known {
        units: &units,
        volumes,
        ..Known::default()
    };
    let rule = of_means(&means, &known);
    let mean = store.add(figure::encode(&means, &known, rule));
    known.means = &means;
    known.oxygen = oxygen;
    let figures = |of: fn(&FactorAggregate) -> Option<Decimal>,
                   rule: fn(&[Option<Decimal>], &Known<'_>) -> Option<Rule>,
                   store: &mut Store| {
        let values = figures_of(factors, of);
        let rule = rule(&values, &known);
        store.add(figure::encode(&values, &known, rule))
    };
    let why = |f: &FactorAggregate| Some(whys.get(f.invalid_why.as_deref()?)?.saturating_add(1));
    let whys = factors.iter().map(|f| f.and_then(why).unwrap_or_default());
    let whole = |values: Vec<u32>| values.into_iter().map(u64::from);
    [
        store.whole(factors.iter().map(|f| u64::from(f.is_some()))),
        mean,
        figures(|f| f.converted, of_converted, store),
        figures(|f| f.min, |_, _| None, store),
        figures(|f| f.max, |_, _| None, store),
        figures(|f| f.amount_kg, of_amounts, store),
        figures(|f| f.reported, of_reported, store),
        figures(|f| f.substituted_kg, |_, _| None, store),
        store.whole(
            factors
                .iter()
                .map(|f| u64::from(f.is_some_and(|f| f.valid))),
        ),
        store.whole(whole(count(|f| f.valid_units))),
        store.whole(whole(count(|f| f.due_units))),
        store.whole(whole(count(|f| f.stopped_units))),
        store.whole(whole(count(|f| f.exempt_units))),
        store.whole(whys),
        store.add(verdict::encode(factors)),
    ]
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of several ways to find a rule"
)]
fn of_reported(values: &[Option<Decimal>], _: &Known<'_>) -> Option<Rule> {
    let scale = widest(values);
    Some(Rule::Rounded { scale })
}
