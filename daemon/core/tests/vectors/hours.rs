//! Cases of the area: means of hours, days and months, and when they count (`zj-gas-*`, `va-*`
//! but for the capture rate).

use crate::case::{Case, Outcome};
use crate::world::{minute, row, rules, stack, stack_day, valid};
use cems_core::aggregate::{Children, Figures, HourInput, Slot, from_minutes, hour, longer};
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::time::HOUR_MS;
use cems_core::model::{AggregateRow, FactorAggregate, Level, Outlet, Profile, RecordRow};
use rust_decimal::Decimal;
use serde_json::Value;

/// Auxiliary quantities by the names of the cases.
const AUXILIARY: [(&str, &str); 5] = [
    ("o2", "a19001"),
    ("t", "a01012"),
    ("p_kPa", "a01013"),
    ("h2o", "a01014"),
    ("v", "a01011"),
];
/// Pollutants that the real day has.
const POLLUTANTS: [(&str, &str); 3] = [("pm", "a34013"), ("so2", "a21026"), ("nox", "a21002")];

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    Some(match case.id.as_str() {
        "va-hour-60" => hour_of_minutes(case),
        "va-day-24" | "va-day-19" => day_of_hours(case),
        "va-month-2-22" => february_of_days(case),
        id if id.starts_with("zj-gas-A-") => real_hour(case),
        _ => return None,
    })
}

fn count(case: &Case, name: &str) -> u32 {
    case.input(name).try_into().unwrap()
}

fn is_valid(case: &Case, figures: &Figures) -> Outcome {
    let expected = case.expected["valid"].as_bool().unwrap();
    case.same("valid", figures.factors["a21026"].valid, expected)
}

/// The figures of an hour made of these slots.
fn of_slots(slots: &[Slot], outlet: &Outlet, profile: &Profile) -> Figures {
    hour(&HourInput {
        outlet,
        profile,
        slots,
        origin: AggregateOrigin::Computed,
    })
}

/// As many minutes of a real hour with nothing but valid ones.
fn hour_of_minutes(case: &Case) -> Outcome {
    let (outlet, profile) = (stack(), rules());
    let mut minutes = stack_day(&outlet, &profile);
    minutes.truncate(count(case, "valid_minutes").try_into().unwrap());
    let slots = from_minutes(&minutes, minute(60), 1, &profile);
    is_valid(case, &of_slots(&slots, &outlet, &profile))
}

/// `valid_n` shorter periods that count, and the rest that do not.
fn periods(level: Level, valid_n: u32, all: u32) -> Vec<AggregateRow> {
    (0..all)
        .map(|n| {
            let factor = FactorAggregate {
                valid: n < valid_n,
                ..valid(Decimal::TEN)
            };
            let days = if level == Level::Day { 1_440 } else { 60 };
            let start = minute(i64::from(n) * days);
            row(level, start, [("a21026".into(), factor)].into())
        })
        .collect()
}

fn day_of_hours(case: &Case) -> Outcome {
    let valid_hours = count(case, "valid_hours");
    let figures = longer(&Children {
        outlet: &stack(),
        profile: &rules(),
        level: Level::Day,
        units: 24,
        february: false,
        rows: &periods(Level::Hour, valid_hours, count(case, "operating_hours")),
    });
    let units = figures.factors["a21026"].valid_units;
    case.same("valid hours", units, valid_hours)?;
    is_valid(case, &figures)
}

fn february_of_days(case: &Case) -> Outcome {
    case.same("month", count(case, "month"), 2)?;
    let figures = longer(&Children {
        outlet: &stack(),
        profile: &rules(),
        level: Level::Month,
        units: 28,
        february: true,
        rows: &periods(Level::Day, count(case, "valid_days"), 28),
    });
    is_valid(case, &figures)
}

/// An hour of the real day. Its hours count from one.
fn real_hour(case: &Case) -> Outcome {
    let mut outlet = stack();
    let gas = outlet.gas.as_mut().unwrap();
    gas.area_m2 = case.input("area_m2");
    gas.reference_o2_pct = Some(case.input("o2_ref"));
    let n = i64::from(count(case, "hour") - 1);
    let (from, until) = (minute(60 * n), minute(60 * n).plus_ms(HOUR_MS));
    let mut minutes = stack_day(&outlet, &rules());
    minutes.retain(|record| from <= record.start && record.start < until);
    let of = |profile: &Profile| {
        let slots = from_minutes(&minutes, until, 1, profile);
        of_slots(&slots, &outlet, profile)
    };
    let figures = of(&rules());
    flags(case, &minutes, &figures)?;
    means(case, &figures)?;
    let minute_by_minute = of(&Profile {
        convert_after_mean: false,
        ..rules()
    });
    let expected = &case.expected["means_over_N_minutes"];
    let converted = |f: &FactorAggregate| f.converted;
    pollutants(case, &expected["ref_of_means"], &figures, converted)?;
    let of_minutes = &expected["mean_of_minute_refs"];
    pollutants(case, of_minutes, &minute_by_minute, converted)?;
    // The case has flow and amounts also for hours that do not count, which here have none: one
    // valid minute is enough to compare them.
    let lenient = of(&Profile {
        hour_min_valid_minutes: 1,
        ..rules()
    });
    let flow = lenient.volume_m3.map(|m3| m3.round_dp(1));
    case.near("Qsn", &expected["Qsn_m3_h"], flow)?;
    pollutants(case, &expected["kg_h"], &lenient, |f| f.amount_kg)?;
    let counts = case.expected["hour_valid"].as_bool().unwrap();
    case.same(
        "volume",
        figures.volume_m3,
        lenient.volume_m3.filter(|_| counts),
    )?;
    for (name, code) in POLLUTANTS {
        let (strict, lenient) = (&figures.factors[code], &lenient.factors[code]);
        case.same(name, strict.valid, counts)?;
        let amount = lenient.amount_kg.filter(|_| counts);
        case.same(name, strict.amount_kg, amount)?;
    }
    Ok(())
}

/// The minutes by flag, and what the hour made of them.
fn flags(case: &Case, minutes: &[RecordRow], figures: &Figures) -> Outcome {
    let expected = case.inputs["minute_flags"].as_object().unwrap();
    let listed = |flag: &str| {
        let listed = expected.get(flag).and_then(Value::as_u64);
        u32::try_from(listed.unwrap_or(0)).unwrap()
    };
    for (name, code) in POLLUTANTS {
        for flag in expected.keys() {
            let is = |record: &&RecordRow| {
                let sent = record.values[code].value.flag.as_ref();
                sent.is_some_and(|sent| sent.0 == *flag)
            };
            let n = minutes.iter().filter(is).count();
            case.same(flag, u32::try_from(n).unwrap(), listed(flag))?;
        }
        let factor = &figures.factors[code];
        case.same(name, factor.valid_units, listed("N"))?;
        case.same(name, factor.stopped_units, listed("F"))?;
    }
    Ok(())
}

fn means(case: &Case, figures: &Figures) -> Outcome {
    let expected = &case.expected["means_over_N_minutes"];
    for (name, code) in AUXILIARY.into_iter().chain(POLLUTANTS) {
        case.near(name, &expected[name], figures.factors[code].mean)?;
    }
    Ok(())
}

fn pollutants(
    case: &Case,
    expected: &Value,
    figures: &Figures,
    figure: fn(&FactorAggregate) -> Option<Decimal>,
) -> Outcome {
    for (name, code) in POLLUTANTS {
        case.near(name, &expected[name], figure(&figures.factors[code]))?;
    }
    Ok(())
}
