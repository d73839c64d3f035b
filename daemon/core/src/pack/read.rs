//! Reading a pack.

use super::bytes::{Cursor, check_sum};
use super::rule::Known;
use super::{
    FACTOR_COLUMNS, FACTORS_MAX, FactorColumns, HOUR_COLUMNS, HOURS_MAX, HourColumns, PackError,
    VERSION, Want, figure, whole,
};
use crate::model::rows::AggregateOrigin;
use crate::model::{
    AggregateRow, FactorAggregate, FactorCode, Level, OutletId, ProfileId, Seq, Timestamp,
};
use crate::validate::code;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// Most columns: more than the greatest pack has.
const COLUMNS_MAX: usize = HOUR_COLUMNS + FACTORS_MAX * FACTOR_COLUMNS;
/// Most texts of a dictionary.
const TEXTS_MAX: usize = 1 << 16;

#[derive(Debug)]
struct Factor<'a> {
    code: &'a str,
    columns: [&'a [u8]; FACTOR_COLUMNS],
}

/// An opened pack: its directory. Columns are read when they are asked for.
#[derive(Debug)]
pub struct Pack<'a> {
    outlet: &'a str,
    count: usize,
    profiles: Vec<&'a str>,
    whys: Vec<&'a str>,
    hours: [&'a [u8]; HOUR_COLUMNS],
    factors: Vec<Factor<'a>>,
    /// What rules draw on, read once.
    volumes: OnceCell<Vec<Option<Decimal>>>,
    oxygen: OnceCell<Vec<Option<Decimal>>>,
}

fn texts<'a>(from: &mut Cursor<'a>) -> Result<Vec<&'a str>, PackError> {
    let count = from.count(TEXTS_MAX)?;
    (0..count).map(|_| from.text()).collect()
}

fn pick<'a, const N: usize>(
    from: &mut Cursor<'_>,
    columns: &[&'a [u8]],
) -> Result<[&'a [u8]; N], PackError> {
    let mut picked: [&[u8]; N] = [&[]; N];
    for column in &mut picked {
        let index = from.count(COLUMNS_MAX)?;
        let known = columns.get(index);
        *column = known.ok_or(PackError::Damaged("no such column"))?;
    }
    Ok(picked)
}

impl<'a> Pack<'a> {
    /// Opens a body.
    ///
    /// # Errors
    /// When it is of another version or damaged.
    pub fn open(body: &'a [u8]) -> Result<Self, PackError> {
        let (&version, _) = body
            .split_first()
            .ok_or(PackError::Damaged("it is empty"))?;
        if version != VERSION {
            return Err(PackError::Version(version));
        }
        let (content, sum) = body
            .split_last_chunk()
            .ok_or(PackError::Damaged("it ends too early"))?;
        if check_sum(content) != *sum {
            return Err(PackError::Damaged("its sum does not fit"));
        }
        let mut from = Cursor::new(content);
        from.byte()?;
        let outlet = from.text()?;
        let count = from.count(HOURS_MAX)?;
        let profiles = texts(&mut from)?;
        let whys = texts(&mut from)?;
        let columns = from.count(COLUMNS_MAX)?;
        let lengths: Result<Vec<usize>, _> =
            (0..columns).map(|_| from.count(content.len())).collect();
        let lengths = lengths?;
        // The columns come last, behind the directory that names them.
        let total = lengths
            .iter()
            .try_fold(0usize, |sum, n| sum.checked_add(*n));
        let begin = total.and_then(|total| content.len().checked_sub(total));
        let mut behind = Cursor::new(content);
        behind.take(begin.ok_or(PackError::Damaged("it ends too early"))?)?;
        let columns: Result<Vec<&[u8]>, _> = lengths.iter().map(|n| behind.take(*n)).collect();
        let columns = columns?;
        let hours = pick(&mut from, &columns)?;
        let mut factors: Vec<Factor<'a>> = Vec::new();
        for _ in 0..from.count(FACTORS_MAX)? {
            let code = from.text()?;
            if factors.last().is_some_and(|last| last.code >= code) {
                return Err(PackError::Damaged("factors out of order"));
            }
            let columns = pick(&mut from, &columns)?;
            factors.push(Factor { code, columns });
        }
        from.take(total.unwrap_or_default())?;
        from.end()?;
        Ok(Self {
            outlet,
            count,
            profiles,
            whys,
            hours,
            factors,
            volumes: OnceCell::new(),
            oxygen: OnceCell::new(),
        })
    }

    /// Whose hours they are; empty for a pack without hours.
    pub fn outlet(&self) -> &'a str {
        self.outlet
    }

    /// How many hours.
    pub fn hours(&self) -> usize {
        self.count
    }

    /// Codes of the factors, ascending.
    pub fn codes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.factors.iter().map(|factor| factor.code)
    }

    /// The profile of this number.
    pub fn profile(&self, number: usize) -> Option<&'a str> {
        self.profiles.get(number).copied()
    }

    /// The reason of this number; `None` for 0.
    pub fn why(&self, number: usize) -> Option<&'a str> {
        self.whys.get(number.checked_sub(1)?).copied()
    }

    /// Reads what belongs to the hours.
    ///
    /// # Errors
    /// When the pack is damaged.
    pub fn read_hours(&self, into: &mut HourColumns) -> Result<(), PackError> {
        let [start, origin, complete, volume, profile, received, due, seq] = self.hours;
        let n = self.count;
        whole::decode(start, n, &mut into.start, |n| {
            Some(Timestamp(n.cast_signed()))
        })?;
        if !into.start.is_sorted_by(|a, b| a < b) {
            return Err(PackError::Damaged("hours out of order"));
        }
        whole::decode(origin, n, &mut into.reported, yes_or_no)?;
        whole::decode(complete, n, &mut into.complete, yes_or_no)?;
        figure::decode(volume, n, &Known::default(), &mut into.volume_m3)?;
        let most = self.profiles.len();
        whole::decode(profile, n, &mut into.profile, |n| index(n, most))?;
        whole::decode(received, n, &mut into.received, units)?;
        whole::decode(due, n, &mut into.due, units)?;
        whole::decode(seq, n, &mut into.seq, |n| Some(Seq(n)))
    }

    /// Reads the wanted columns of a factor; false when the pack does not have it, and then all
    /// columns are empty.
    ///
    /// # Errors
    /// When the pack is damaged.
    pub fn read(
        &self,
        code: &str,
        want: Want,
        into: &mut FactorColumns,
    ) -> Result<bool, PackError> {
        into.clear();
        let found = self.factors.binary_search_by(|f| f.code.cmp(code));
        let Some(factor) = found.ok().and_then(|at| self.factors.get(at)) else {
            return Ok(false);
        };
        self.read_columns(factor, want, into)?;
        Ok(true)
    }

    fn read_columns(
        &self,
        factor: &Factor<'_>,
        want: Want,
        into: &mut FactorColumns,
    ) -> Result<(), PackError> {
        let [
            present,
            mean,
            converted,
            min,
            max,
            amount,
            reported,
            substituted,
            rest @ ..,
        ] = factor.columns;
        let [valid, valid_units, due, stopped, exempt, why, limits] = rest;
        let n = self.count;
        whole::decode(present, n, &mut into.present, yes_or_no)?;
        if want.any(Want::VALID) {
            whole::decode(valid, n, &mut into.valid, yes_or_no)?;
            let most = self.whys.len() + 1;
            whole::decode(why, n, &mut into.invalid_why, |n| index(n, most))?;
        }
        if want.any(Want::UNITS) {
            whole::decode(due, n, &mut into.due_units, units)?;
            whole::decode(stopped, n, &mut into.stopped_units, units)?;
            whole::decode(exempt, n, &mut into.exempt_units, units)?;
        }
        let figures = Want::MEAN | Want::CONVERTED | Want::AMOUNT | Want::REPORTED | Want::LIMITS;
        if want.any(figures | Want::UNITS) {
            whole::decode(valid_units, n, &mut into.valid_units, units)?;
        }
        let mut known = Known::default();
        if want.any(figures) {
            known.volumes = self.volumes()?;
            known.units = &into.valid_units;
            figure::decode(mean, n, &known, &mut into.mean)?;
            known.means = &into.mean;
        }
        if want.any(Want::CONVERTED | Want::LIMITS) {
            known.oxygen = self.oxygen()?;
            figure::decode(converted, n, &known, &mut into.converted)?;
        }
        if want.any(Want::AMOUNT) {
            figure::decode(amount, n, &known, &mut into.amount_kg)?;
        }
        if want.any(Want::REPORTED) {
            figure::decode(reported, n, &known, &mut into.reported)?;
        }
        if want.any(Want::RANGE) {
            figure::decode(min, n, &Known::default(), &mut into.min)?;
            figure::decode(max, n, &Known::default(), &mut into.max)?;
        }
        if want.any(Want::SUBSTITUTED) {
            figure::decode(substituted, n, &Known::default(), &mut into.substituted_kg)?;
        }
        if want.any(Want::LIMITS) {
            into.verdicts
                .decode(limits, &[&into.mean, &into.converted])?;
        }
        Ok(())
    }

    fn volumes(&self) -> Result<&[Option<Decimal>], PackError> {
        let read = || {
            let mut volumes = Vec::with_capacity(self.count);
            figure::decode(self.hours[3], self.count, &Known::default(), &mut volumes)?;
            Ok(volumes)
        };
        once(&self.volumes, read)
    }

    /// Means of oxygen; none where it is not measured.
    fn oxygen(&self) -> Result<&[Option<Decimal>], PackError> {
        let read = || {
            let mut oxygen = FactorColumns::default();
            self.read(code::OXYGEN, Want::MEAN, &mut oxygen)?;
            Ok(oxygen.mean)
        };
        once(&self.oxygen, read)
    }

    /// All rows, ascending, as they were put in.
    ///
    /// # Errors
    /// When the pack is damaged.
    pub fn rows(&self) -> Result<Vec<AggregateRow>, PackError> {
        let mut hours = HourColumns::default();
        self.read_hours(&mut hours)?;
        let outlet = OutletId::new(self.outlet);
        let profiles: Vec<ProfileId> = self.profiles.iter().map(ProfileId::new).collect();
        let mut rows = Vec::with_capacity(self.count);
        for hour in 0..self.count {
            rows.push(AggregateRow {
                outlet: outlet.clone(),
                level: Level::Hour,
                start: hours.start[hour],
                origin: match hours.reported[hour] {
                    true => AggregateOrigin::Reported,
                    false => AggregateOrigin::Computed,
                },
                complete: hours.complete[hour],
                volume_m3: hours.volume_m3[hour],
                factors: BTreeMap::new(),
                profile: profiles[hours.profile[hour]].clone(),
                received: hours.received[hour],
                due: hours.due[hour],
                seq: hours.seq[hour],
                superseded: 0,
            });
        }
        let mut columns = FactorColumns::default();
        for factor in &self.factors {
            columns.clear();
            self.read_columns(factor, Want::ALL, &mut columns)?;
            let code = FactorCode::new(factor.code);
            for (hour, row) in rows.iter_mut().enumerate() {
                if columns.present[hour] {
                    let factor = self.factor(&columns, hour);
                    row.factors.insert(code.clone(), factor);
                }
            }
        }
        Ok(rows)
    }

    fn factor(&self, columns: &FactorColumns, hour: usize) -> FactorAggregate {
        let (mean, converted) = (columns.mean[hour], columns.converted[hour]);
        FactorAggregate {
            mean,
            converted,
            min: columns.min[hour],
            max: columns.max[hour],
            amount_kg: columns.amount_kg[hour],
            valid: columns.valid[hour],
            valid_units: columns.valid_units[hour],
            due_units: columns.due_units[hour],
            stopped_units: columns.stopped_units[hour],
            reported: columns.reported[hour],
            substituted_kg: columns.substituted_kg[hour],
            invalid_why: self.why(columns.invalid_why[hour]).map(SmolStr::new),
            exempt_units: columns.exempt_units[hour],
            judged: None,
            limits: columns.verdicts.of(hour, mean, converted).collect(),
        }
    }
}

fn once(
    cell: &OnceCell<Vec<Option<Decimal>>>,
    read: impl FnOnce() -> Result<Vec<Option<Decimal>>, PackError>,
) -> Result<&[Option<Decimal>], PackError> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let values = read()?;
    Ok(cell.get_or_init(|| values))
}

fn yes_or_no(number: u64) -> Option<bool> {
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn units(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}

fn index(number: u64, below: usize) -> Option<usize> {
    usize::try_from(number).ok().filter(|n| *n < below)
}
