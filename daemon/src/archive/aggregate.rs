//! Computed hours and days as rows of a file. They are not read back: the store keeps them all.

use super::cells::{Cell, Column, Form, Group};
use super::names::Names;
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::{AggregateRow, FactorAggregate, FactorCode, Registry, Series};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Places of the decimals of a mean: all that a quotient can have.
const PLACES: u32 = 28;
const NUMBER: Form = Form::Decimal(PLACES);

/// The columns, in the order of the file. A row with a factor is about that factor; the row of a
/// period without one holds what belongs to the outlet as a whole.
pub(super) const COLUMNS: [Column; 28] = [
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
        "HJ 212-2017 code; null: the outlet as a whole",
    )
    .bounded(),
    Column::maybe(
        "factor_name",
        Form::Text,
        "name of the factor, as registered when written",
    ),
    Column::maybe(
        "unit",
        Form::Text,
        "unit of mean, converted, min, max and reported",
    ),
    Column::always("kind", Form::Text, "hour-mean or day-mean"),
    Column::always("time", Form::Instant, "start of the period").bounded(),
    Column::maybe(
        "mean",
        NUMBER,
        "mean of the valid values by the outlet's rule",
    )
    .bounded(),
    Column::maybe("converted", NUMBER, "mean at reference oxygen"),
    Column::maybe("min", NUMBER, "least valid value"),
    Column::maybe("max", NUMBER, "greatest valid value"),
    Column::maybe("amount_kg", NUMBER, "emitted amount, kg"),
    Column::maybe(
        "reported",
        NUMBER,
        "mean that the station itself sent for the period",
    ),
    Column::maybe("valid", Form::Truth, "enough valid input to count"),
    Column::maybe(
        "why",
        Form::Text,
        "why it does not count though data were there",
    ),
    Column::maybe(
        "valid_units",
        Form::Small,
        "valid minutes of the hour, hours of the day",
    ),
    Column::maybe("due_units", Form::Small, "minutes or hours due"),
    Column::maybe(
        "stopped_units",
        Form::Small,
        "minutes or hours in which the source stood",
    ),
    Column::maybe(
        "exceeded",
        Form::Truth,
        "outside a limit; null: no limit in force",
    ),
    Column::maybe("multiple", NUMBER, "greatest multiple of exceedance"),
    Column::maybe(
        "volume_m3",
        NUMBER,
        "discharged volume, m3; only where factor is null",
    ),
    Column::maybe(
        "received",
        Form::Small,
        "records received; only where factor is null",
    ),
    Column::maybe("due", Form::Small, "records due; only where factor is null"),
    Column::always("complete", Form::Truth, "the period is over"),
    Column::always("profile", Form::Text, "rule profile that judged it"),
    Column::always(
        "origin",
        Form::Text,
        "computed here, or reported by the station",
    ),
    Column::always(
        "seq",
        Form::Long,
        "highest journal position among the inputs",
    )
    .bounded(),
];

/// Adds periods of one outlet, sorted by factor and time.
pub(super) fn push(group: &mut Group, registry: &Registry, rows: &[AggregateRow]) {
    let Some(first) = rows.first() else { return };
    let names = Names::of(registry, &first.outlet);
    let mut by_factor: BTreeMap<&FactorCode, Vec<(&AggregateRow, &FactorAggregate)>> =
        BTreeMap::new();
    for row in rows {
        group.push(&COLUMNS, &cells(row, None, &names));
        for (code, factor) in &row.factors {
            by_factor.entry(code).or_default().push((row, factor));
        }
    }
    for (code, values) in by_factor {
        for (row, factor) in values {
            group.push(&COLUMNS, &cells(row, Some((code, factor)), &names));
        }
    }
}

fn cells<'a>(
    row: &'a AggregateRow,
    factor: Option<(&'a FactorCode, &'a FactorAggregate)>,
    names: &Names<'a>,
) -> [Cell<'a>; COLUMNS.len()] {
    let (code, figures) = factor.unzip();
    let (name, unit) = code.map_or((None, None), |code| names.factor(code));
    let whole = figures.is_none();
    let decimal = |of: fn(&FactorAggregate) -> Option<Decimal>| Cell::decimal(figures.and_then(of));
    let units = |of: fn(&FactorAggregate) -> u32| figures.map_or(Cell::Null, |f| Cell::few(of(f)));
    let judged = figures.filter(|f| !f.limits.is_empty());
    let exceeded = judged.map(|f| f.limits.iter().any(|verdict| verdict.exceeded));
    let series = Series::Aggregate(row.level).as_str();
    [
        Cell::Text(row.outlet.as_str()),
        Cell::text(names.enterprise()),
        Cell::text(names.region()),
        Cell::text(code.map(FactorCode::as_str)),
        Cell::text(name),
        Cell::text(unit),
        Cell::Text(series),
        Cell::Long(row.start.0),
        decimal(|f| f.mean),
        decimal(|f| f.converted),
        decimal(|f| f.min),
        decimal(|f| f.max),
        decimal(|f| f.amount_kg),
        decimal(|f| f.reported),
        figures.map_or(Cell::Null, |f| Cell::Truth(f.valid)),
        Cell::text(figures.and_then(|f| f.invalid_why.as_deref())),
        units(|f| f.valid_units),
        units(|f| f.due_units),
        units(|f| f.stopped_units),
        exceeded.map_or(Cell::Null, Cell::Truth),
        decimal(|f| f.limits.iter().filter_map(|verdict| verdict.multiple).max()),
        Cell::decimal(row.volume_m3.filter(|_| whole)),
        if whole {
            Cell::few(row.received)
        } else {
            Cell::Null
        },
        if whole {
            Cell::few(row.due)
        } else {
            Cell::Null
        },
        Cell::Truth(row.complete),
        Cell::Text(row.profile.as_str()),
        Cell::Text(match row.origin {
            AggregateOrigin::Computed => "computed",
            AggregateOrigin::Reported => "reported",
        }),
        Cell::count(row.seq.0),
    ]
}
