//! Received records as rows of a file, and back. A file holds everything that the store holds.

use super::cells::{Cell, Column, Form, Group, holds};
use super::cursor::Cursor;
use super::error::ArchiveError;
use super::names::Names;
use crate::store::{value_row, value_under};
use cems_core::model::rows::{CheckCode, StoredValue};
use cems_core::model::{
    FactorCode, Flag, Number, OutletId, RecordKind, RecordRow, Registry, Seq, Timestamp, Value,
};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Places of the decimals of a record: as many as a station computes with.
const PLACES: u32 = 12;
/// Bits in which the places of one number are noted.
const DIGITS_BITS: u32 = 5;
const NUMBER: Form = Form::Decimal(PLACES);

/// Where each column stands.
mod at {
    pub(super) const OUTLET: usize = 0;
    pub(super) const FACTOR: usize = 3;
    pub(super) const TIME: usize = 7;
    pub(super) const VALUE: usize = 8;
    pub(super) const MIN: usize = 9;
    pub(super) const MAX: usize = 10;
    pub(super) const TOTAL: usize = 11;
    pub(super) const CONVERTED: usize = 12;
    pub(super) const FLAG: usize = 13;
    pub(super) const VALID: usize = 14;
    pub(super) const CHECKS: usize = 15;
    pub(super) const RECEIVED_AT: usize = 16;
    pub(super) const SEQ: usize = 17;
    pub(super) const RESENT: usize = 18;
    pub(super) const SUPERSEDED: usize = 19;
    pub(super) const DIGITS: usize = 20;
    pub(super) const SENT_AS: usize = 21;
    pub(super) const UNREADABLE: usize = 22;
    pub(super) const REST: usize = 23;
}

/// The column that says which outlet a row group is about, and the one with the times.
pub(super) const OUTLET: usize = at::OUTLET;
/// See [`OUTLET`].
pub(super) const TIME: usize = at::TIME;

/// A column is needed to make a record again of which outlet and kind are known.
pub(super) fn is_needed(index: usize) -> bool {
    index == at::FACTOR || index >= at::TIME
}

/// The columns, in the order of the file.
pub(super) const COLUMNS: [Column; 24] = [
    Column::always("outlet", Form::Text, "outlet").bounded(),
    Column::maybe(
        "enterprise",
        Form::Text,
        "enterprise, as registered when written",
    )
    .bounded(),
    Column::maybe("region", Form::Text, "region, as registered when written").bounded(),
    Column::maybe(
        "factor",
        Form::Text,
        "HJ 212-2017 code; null: no factor came",
    )
    .bounded(),
    Column::maybe(
        "factor_name",
        Form::Text,
        "name of the factor, as registered when written",
    ),
    Column::maybe("unit", Form::Text, "unit of value, min, max and converted"),
    Column::always("kind", Form::Text, "realtime, minute, hour or day"),
    Column::always(
        "time",
        Form::Instant,
        "start of the interval, or the instant",
    )
    .bounded(),
    Column::maybe("value", NUMBER, "mean (-Avg), or real-time value (-Rtd)").bounded(),
    Column::maybe("min", NUMBER, "least value (-Min)"),
    Column::maybe("max", NUMBER, "greatest value (-Max)"),
    Column::maybe(
        "total",
        NUMBER,
        "amount of the interval (-Cou), in the unit of HJ 212-2017",
    ),
    Column::maybe(
        "converted",
        NUMBER,
        "value at reference oxygen, as sent (-Zs)",
    ),
    Column::maybe("flag", Form::Text, "HJ 212 flag, as sent"),
    Column::always("valid", Form::Truth, "the value counts"),
    Column::maybe(
        "checks",
        Form::Text,
        "checks that failed, separated by commas",
    ),
    Column::always("received_at", Form::Instant, "when it was received"),
    Column::always("seq", Form::Long, "journal position it came from").bounded(),
    Column::always("resent", Form::Truth, "the record was marked as re-sent"),
    Column::always(
        "superseded",
        Form::Small,
        "versions that this value replaced",
    ),
    Column::always(
        "digits",
        Form::Small,
        "decimal places as sent, five bits for each number",
    ),
    Column::maybe(
        "sent_as",
        Form::Text,
        "the code as sent, where it is not the factor's",
    ),
    Column::maybe(
        "unreadable",
        Form::Text,
        "what should have been a number, as name=text",
    ),
    Column::maybe(
        "rest",
        Form::Text,
        "the value as JSON, where the columns are not exact",
    ),
];

/// Adds records of one outlet, sorted by factor and time.
pub(super) fn push(
    group: &mut Group,
    registry: &Registry,
    records: &[RecordRow],
) -> Result<(), ArchiveError> {
    let Some(first) = records.first() else {
        return Ok(());
    };
    let names = Names::of(registry, &first.outlet);
    let mut by_factor: BTreeMap<&FactorCode, Vec<(&RecordRow, &StoredValue)>> = BTreeMap::new();
    for record in records {
        if record.values.is_empty() {
            let bare = row(record, None, &names, "", None);
            group.push(&COLUMNS, &bare);
        }
        for (code, stored) in &record.values {
            by_factor.entry(code).or_default().push((record, stored));
        }
    }
    for (code, values) in by_factor {
        for (record, stored) in values {
            let plain = is_plain(code, stored, record.kind);
            let rest = (!plain).then(|| value_under(code, stored)).transpose()?;
            let checks = joined(&stored.checks);
            let value = Some((code, stored));
            let cells = row(record, value, &names, &checks, rest.as_deref());
            group.push(&COLUMNS, &cells);
        }
    }
    Ok(())
}

fn joined(checks: &[CheckCode]) -> String {
    let mut all = String::new();
    for check in checks {
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(&check.0);
    }
    all
}

fn row<'a>(
    record: &'a RecordRow,
    value: Option<(&'a FactorCode, &'a StoredValue)>,
    names: &Names<'a>,
    checks: &'a str,
    rest: Option<&'a str>,
) -> [Cell<'a>; COLUMNS.len()] {
    let (code, stored) = value.unzip();
    let sent = stored.map(|s| &s.value);
    let (name, unit) = code.map_or((None, None), |code| names.factor(code));
    let number = |of: fn(&Value) -> Option<&Number>| {
        Cell::decimal(sent.and_then(of).map(|number| number.value))
    };
    [
        Cell::Text(record.outlet.as_str()),
        Cell::text(names.enterprise()),
        Cell::text(names.region()),
        Cell::text(code.map(FactorCode::as_str)),
        Cell::text(name),
        Cell::text(unit),
        Cell::Text(record.kind.as_str()),
        Cell::Long(record.start.0),
        number(Value::figure),
        number(|v| v.min.as_ref()),
        number(|v| v.max.as_ref()),
        number(|v| v.cou.as_ref()),
        number(|v| v.converted.as_ref()),
        Cell::text(sent.and_then(|v| v.flag.as_ref()).map(|f| f.0.as_str())),
        Cell::Truth(stored.is_some_and(|s| s.valid)),
        Cell::text((!checks.is_empty()).then_some(checks)),
        Cell::Long(stored.map_or(0, |s| s.received_at.0)),
        Cell::count(stored.map_or(0, |s| s.seq.0)),
        Cell::Truth(record.resent),
        Cell::few(stored.map_or(0, |s| s.superseded)),
        Cell::Small(sent.map_or(0, digits)),
        Cell::text(sent.and_then(|v| v.sent_as.as_deref())),
        Cell::text(sent.and_then(|v| v.unreadable.as_deref())),
        Cell::text(rest),
    ]
}

/// The numbers of a value in the order of [`at::VALUE`] and those behind it.
fn numbers(value: &Value) -> [Option<&Number>; 5] {
    let Value {
        min,
        max,
        cou,
        converted,
        ..
    } = value;
    [
        value.figure(),
        min.as_ref(),
        max.as_ref(),
        cou.as_ref(),
        converted.as_ref(),
    ]
}

/// Decimal places of the numbers: `12.50` and `12.5` are one number and two texts.
fn digits(value: &Value) -> i32 {
    let mut all = 0;
    for number in numbers(value).into_iter().rev() {
        let places = number.map_or(0, |n| n.value.scale().min(PLACES));
        all = (all << DIGITS_BITS) | places;
    }
    i32::try_from(all).expect("five numbers of five bits are below 2^25")
}

/// The columns alone give back the value as it is stored.
fn is_plain(code: &FactorCode, stored: &StoredValue, kind: RecordKind) -> bool {
    let value = &stored.value;
    let exact = |number: &&Number| {
        holds(number.value, PLACES) && number.value.to_string() == number.text.as_str()
    };
    let other = match kind {
        RecordKind::Realtime => &value.avg,
        RecordKind::Minute | RecordKind::Hour | RecordKind::Day => &value.rtd,
    };
    let checked = stored.checks.iter();
    other.is_none()
        && value.factor == *code
        && numbers(value).iter().flatten().all(exact)
        && checked
            .clone()
            .all(|c| !c.0.is_empty() && !c.0.contains(','))
}

/// Makes records again from rows that are all of `outlet`: those with `from <= start < until`.
pub(super) fn collect(
    cursor: &mut Cursor<'_>,
    wanted: (&OutletId, RecordKind, Timestamp, Timestamp),
    records: &mut BTreeMap<Timestamp, RecordRow>,
) -> Option<()> {
    let (outlet, kind, from, until) = wanted;
    while cursor.step() {
        let start = Timestamp(cursor.long(at::TIME)?);
        if start < from || start >= until {
            continue;
        }
        let resent = cursor.truth(at::RESENT)?;
        let record = records.entry(start).or_insert_with(|| RecordRow {
            outlet: outlet.clone(),
            kind,
            start,
            resent,
            values: BTreeMap::new(),
        });
        if let Some(code) = cursor.text(at::FACTOR) {
            let code = FactorCode::new(code);
            let stored = stored(cursor, &code, kind)?;
            record.values.insert(code, stored);
        }
    }
    Some(())
}

fn stored(cursor: &Cursor<'_>, code: &FactorCode, kind: RecordKind) -> Option<StoredValue> {
    let seq = Seq(u64::try_from(cursor.long(at::SEQ)?).ok()?);
    if let Some(rest) = cursor.text(at::REST) {
        return value_row(code, seq, rest).ok();
    }
    let digits = u32::try_from(cursor.small(at::DIGITS)?).ok()?;
    // `Some(None)`: there is none; `None`: the file is not sound.
    let number = |column: usize| -> Option<Option<Number>> {
        if !cursor.has(column) {
            return Some(None);
        }
        let shift = u32::try_from(column - at::VALUE).ok()? * DIGITS_BITS;
        let places = (digits >> shift) & ((1 << DIGITS_BITS) - 1);
        let value = cursor.decimal(column, PLACES, places)?;
        let text = SmolStr::new(value.to_string());
        Some(Some(Number { value, text }))
    };
    let figure = number(at::VALUE)?;
    let (rtd, avg) = match kind {
        RecordKind::Realtime => (figure, None),
        RecordKind::Minute | RecordKind::Hour | RecordKind::Day => (None, figure),
    };
    let checks = cursor.text(at::CHECKS).into_iter();
    Some(StoredValue {
        value: Value {
            factor: code.clone(),
            sent_as: cursor.text(at::SENT_AS).map(SmolStr::new),
            rtd,
            avg,
            min: number(at::MIN)?,
            max: number(at::MAX)?,
            cou: number(at::TOTAL)?,
            converted: number(at::CONVERTED)?,
            flag: cursor.text(at::FLAG).map(|text| Flag(SmolStr::new(text))),
            unreadable: cursor.text(at::UNREADABLE).map(SmolStr::new),
        },
        valid: cursor.truth(at::VALID)?,
        checks: checks
            .flat_map(|all| all.split(','))
            .map(|check| CheckCode(SmolStr::new(check)))
            .collect(),
        received_at: Timestamp(cursor.long(at::RECEIVED_AT)?),
        seq,
        superseded: u32::try_from(cursor.small(at::SUPERSEDED)?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_they_are_looked_for() {
        let places = [
            (at::OUTLET, "outlet"),
            (at::FACTOR, "factor"),
            (at::TIME, "time"),
            (at::VALUE, "value"),
            (at::MIN, "min"),
            (at::MAX, "max"),
            (at::TOTAL, "total"),
            (at::CONVERTED, "converted"),
            (at::FLAG, "flag"),
            (at::VALID, "valid"),
            (at::CHECKS, "checks"),
            (at::RECEIVED_AT, "received_at"),
            (at::SEQ, "seq"),
            (at::RESENT, "resent"),
            (at::SUPERSEDED, "superseded"),
            (at::DIGITS, "digits"),
            (at::SENT_AS, "sent_as"),
            (at::UNREADABLE, "unreadable"),
            (at::REST, "rest"),
        ];
        for (place, name) in places {
            assert_eq!(COLUMNS[place].name, name);
        }
    }
}
