//! Rows come back as they were, damage is seen, and nothing that bytes say brings the reader down.

use super::bytes::check_sum;
use super::*;
use crate::fixture::*;
use crate::model::rows::AggregateOrigin;
use crate::model::time::HOUR_MS;
use crate::model::{FactorAggregate, Level, LimitVerdict, Seq, Timestamp};
use crate::quantity::internal;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::sync::OnceLock;

/// The hours that the engine makes of the two days of minute records.
fn hours_of_the_day(outlet: &str) -> Vec<AggregateRow> {
    static HOURS: OnceLock<Vec<AggregateRow>> = OnceLock::new();
    let hours = HOURS.get_or_init(|| {
        let mut bench = Bench::with(registry(), minute(-10));
        for record in gas_day().into_iter().chain(water_day()) {
            bench.send(minute(1_441), data(record));
        }
        bench.tick(minute(1_460));
        let rows = bench.tables().aggregates.into_values();
        rows.filter(|row| row.level == Level::Hour).collect()
    });
    let own = hours.iter().filter(|row| row.outlet.as_str() == outlet);
    let own: Vec<AggregateRow> = own.cloned().collect();
    assert_eq!(own.len(), 24);
    own
}

/// Rows as text: what a reader of the store would see.
fn text(rows: &[AggregateRow]) -> String {
    serde_json::to_string(rows).unwrap()
}

#[test]
fn the_hours_of_a_real_day_come_back_to_the_letter() {
    for outlet in [GAS, WATER] {
        let rows = hours_of_the_day(outlet);
        assert!(
            rows.iter()
                .any(|r| r.factors.values().any(|f| !f.limits.is_empty()))
                || outlet == WATER
        );
        let body = Pack::of(&rows).unwrap();
        let back = Pack::open(&body).unwrap().rows().unwrap();
        assert_eq!(text(&back), text(&rows), "{outlet}");
    }
}

#[test]
fn formulas_stand_in_for_what_follows_from_them() {
    let rows = hours_of_the_day(GAS);
    let whole = Pack::of(&rows).unwrap();
    let mut without = rows;
    for factor in without.iter_mut().flat_map(|row| row.factors.values_mut()) {
        factor.converted = None;
        factor.amount_kg = None;
        factor.limits.clear();
    }
    let bare = Pack::of(&without).unwrap();
    let more = whole.len() - bare.len();
    // Constants, verdicts and where they begin and end; 19 hours of three pollutants in full would
    // be six bytes for each of 114 figures.
    assert!(
        more < 200,
        "{more} bytes for converted means, amounts and verdicts"
    );
}

#[test]
fn only_the_wanted_columns_are_read() {
    let rows = hours_of_the_day(GAS);
    let body = Pack::of(&rows).unwrap();
    let pack = Pack::open(&body).unwrap();
    let mut columns = FactorColumns::default();
    assert!(
        pack.read("a21026", Want::AMOUNT | Want::VALID, &mut columns)
            .unwrap()
    );
    for (hour, row) in rows.iter().enumerate() {
        let factor = &row.factors["a21026"];
        assert_eq!(columns.amount_kg[hour], factor.amount_kg);
        assert_eq!(columns.valid[hour], factor.valid);
    }
    assert!(columns.min.is_empty() && columns.reported.is_empty() && columns.due_units.is_empty());
    assert!(!pack.read("a99999", Want::ALL, &mut columns).unwrap());
    assert!(columns.present.is_empty() && columns.amount_kg.is_empty());
}

#[test]
fn days_may_come_in_any_order_and_twice() {
    let day = hours_of_the_day(GAS);
    let shifted = |days: i64| -> Vec<AggregateRow> {
        let mut rows = day.clone();
        for row in &mut rows {
            row.start = row.start.plus_ms(24 * HOUR_MS * days);
        }
        rows
    };
    let days: Vec<Vec<AggregateRow>> = (0..5).map(shifted).collect();
    let whole = Pack::of(&days.concat()).unwrap();
    for order in [[0, 1, 2, 3, 4, 0], [4, 2, 0, 1, 3, 2], [3, 3, 1, 4, 0, 2]] {
        let mut body = Vec::new();
        let mut late = days[order[0]].clone();
        late[7].volume_m3 = Some(dec("1"));
        late[9].factors.clear();
        body = replace_day(&body, &late).unwrap();
        for n in order {
            body = replace_day(&body, &days[n]).unwrap();
        }
        assert_eq!(body, whole, "{order:?}");
    }
}

#[test]
fn what_is_no_month_of_an_outlet_is_refused() {
    let gas = hours_of_the_day(GAS);
    let water = hours_of_the_day(WATER);
    let mut mixed = vec![gas[0].clone(), gas[1].clone()];
    mixed[1].outlet = "another".into();
    assert_eq!(Pack::of(&mixed), Err(PackError::Mixed));
    let body = Pack::of(&gas).unwrap();
    let mut later = water;
    for row in &mut later {
        row.start = row.start.plus_ms(24 * HOUR_MS);
    }
    assert_eq!(replace_day(&body, &later), Err(PackError::Mixed));
    let mut day = gas[0].clone();
    day.level = Level::Day;
    assert_eq!(Pack::of(&[day]), Err(PackError::Mixed));
    let many: Vec<AggregateRow> = (0..=1_024i64)
        .map(|n| AggregateRow {
            start: Timestamp(n * HOUR_MS),
            ..gas[0].clone()
        })
        .collect();
    assert_eq!(Pack::of(&many), Err(PackError::TooMany));
    let nothing = Pack::of(&[]).unwrap();
    assert!(Pack::open(&nothing).unwrap().rows().unwrap().is_empty());
}

#[test]
fn damage_to_a_byte_is_always_seen() {
    let body = Pack::of(&hours_of_the_day(WATER)).unwrap();
    for at in 0..body.len() {
        let mut damaged = body.clone();
        damaged[at] ^= 0x10;
        assert!(Pack::open(&damaged).is_err(), "byte {at}");
        assert!(Pack::open(&body[..at]).is_err(), "cut at {at}");
    }
}

fn figure() -> impl Strategy<Value = Decimal> {
    let wide = (
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<bool>(),
        0u32..=28,
    )
        .prop_map(|(lo, mid, hi, sign, scale)| Decimal::from_parts(lo, mid, hi, sign, scale));
    let reading = (-20_000i64..2_000_000, 0u32..=3).prop_map(|(n, s)| Decimal::new(n, s));
    let mean = (0i64..600_000, 1u32..=60)
        .prop_map(|(sum, n)| internal(Decimal::new(sum, 2) / Decimal::from(n)));
    prop_oneof![1 => wide, 4 => reading, 4 => mean].prop_map(|v| v.normalize())
}

fn verdict() -> impl Strategy<Value = (u8, Decimal, Decimal, bool, Option<Decimal>)> {
    (
        0u8..6,
        figure(),
        figure(),
        any::<bool>(),
        option::of(figure()),
    )
}

prop_compose! {
    fn factor()(
        figures in vec(option::weighted(0.7, figure()), 7),
        valid in any::<bool>(),
        units in vec(prop_oneof![4 => 0u32..=60, 1 => any::<u32>()], 4),
        why in option::weighted(0.1, "[a-z-]{1,12}"),
        verdicts in vec(verdict(), 0..3),
    ) -> FactorAggregate {
        let (mean, converted) = (figures[0], figures[1]);
        let limits = verdicts.into_iter().map(|(way, other, bound, exceeded, multiple)| {
            let round = |v: Decimal| crate::limits::round(v, 1, crate::model::Rounding::HalfEven);
            let judged = match way {
                0 => mean,
                1 => converted,
                2 => mean.map(round),
                3 => converted.map(round),
                _ => None,
            };
            let judged = judged.unwrap_or(other).normalize();
            let ratio = judged.checked_div(bound).and_then(|r| r.checked_sub(Decimal::ONE));
            LimitVerdict {
                limit: ["h", "day-2", "特别限值"][usize::from(way % 3)].into(),
                judged,
                bound,
                exceeded,
                multiple: if way % 2 == 0 { multiple } else { ratio.map(internal) },
            }
        });
        FactorAggregate {
            mean, converted, min: figures[2], max: figures[3], amount_kg: figures[4],
            reported: figures[5], substituted_kg: figures[6],
            valid, valid_units: units[0], due_units: units[1], stopped_units: units[2],
            exempt_units: units[3],
            invalid_why: why.map(Into::into),
            judged: None,
            limits: limits.collect(),
        }
    }
}

prop_compose! {
    fn row()(
        hour in 0i64..744,
        volume_m3 in option::of(figure()),
        factors in btree_map("(a21026|a19001|w00000|[a-z]{0,30})", factor(), 0..4),
        (reported, complete) in any::<(bool, bool)>(),
        profile in "(plain@1|hj75@2)",
        (received, due, seq) in any::<(u32, u32, u64)>(),
    ) -> AggregateRow {
        AggregateRow {
            outlet: "invented".into(),
            level: Level::Hour,
            start: minute(60 * hour),
            origin: match reported {
                true => AggregateOrigin::Reported,
                false => AggregateOrigin::Computed,
            },
            complete,
            volume_m3,
            factors: factors.into_iter().map(|(k, v)| (k.as_str().into(), v)).collect(),
            profile: profile.as_str().into(),
            received,
            due,
            seq: Seq(seq),
            superseded: 0,
        }
    }
}

fn month() -> impl Strategy<Value = Vec<AggregateRow>> {
    vec(row(), 0..30).prop_map(|rows| {
        let by_start = rows.into_iter().map(|row| (row.start, row));
        let by_start: std::collections::BTreeMap<_, _> = by_start.collect();
        by_start.into_values().collect()
    })
}

/// Reads everything there is to read; whatever the bytes are, this ends.
fn read_all(body: &[u8]) -> Result<Vec<AggregateRow>, PackError> {
    let pack = Pack::open(body)?;
    let mut columns = FactorColumns::default();
    for code in pack.codes() {
        for want in [Want::LIMITS, Want::AMOUNT | Want::RANGE, Want::ALL] {
            // A damaged column is an error of that column alone.
            let _ = pack.read(code, want, &mut columns);
        }
    }
    pack.rows()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_come_back(rows in month()) {
        let body = Pack::of(&rows).unwrap();
        let back = read_all(&body).unwrap();
        prop_assert_eq!(text(&back), text(&rows));
        prop_assert_eq!(back, rows);
    }

    #[test]
    fn the_order_of_rows_does_not_show(rows in month(), cut in 0usize..30) {
        let body = Pack::of(&rows).unwrap();
        let mut other = rows.clone();
        other.reverse();
        prop_assert_eq!(&Pack::of(&other).unwrap(), &body);
        let (first, second) = rows.split_at(cut.min(rows.len()));
        let halves = replace_day(&Pack::of(second).unwrap(), first).unwrap();
        prop_assert_eq!(&halves, &body);
    }

    #[test]
    fn random_bytes_are_no_pack(mut bytes in vec(any::<u8>(), 0..400), sealed in any::<bool>()) {
        if sealed {
            bytes.insert(0, VERSION);
            let sum = check_sum(&bytes);
            bytes.extend(sum);
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn damage_under_a_right_sum_ends_in_rows_or_an_error(
        rows in month(),
        hits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let mut body = Pack::of(&rows).unwrap();
        body.truncate(body.len() - 8);
        for (at, byte) in hits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        let sum = check_sum(&body);
        body.extend(sum);
        if let Ok(read) = read_all(&body) {
            // What could be read can be written.
            let _ = Pack::of(&read);
        }
    }
}
