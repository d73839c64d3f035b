//! Every check of the catalogue with a case in which it fires and one, as near as it goes, in which
//! it stays quiet.

use super::bench::{DayBench, HourBench, city, wander};
use crate::fixture::*;
use crate::model::*;
use crate::validate::{CATALOGUE, failed, furnace_clues, month_clues};
use std::collections::BTreeSet;

/// Check, does it fire, what came out.
type Case = (&'static str, bool, fn() -> Vec<String>);

fn judged(value: &Value, outlet: &str, change: fn(&mut Registry)) -> Vec<String> {
    let mut city = city();
    change(&mut city);
    let outlet = &city.outlets[outlet];
    let profile = city.profile_at(outlet, Timestamp(0)).unwrap();
    let failed = failed(value, outlet, profile);
    failed.into_iter().map(|c| c.0.to_string()).collect()
}

fn gas(code: &str, text: &str, flag: &str) -> Vec<String> {
    judged(&value(code, text, flag), GAS, |_| {})
}

fn changed(code: &str, change: fn(&mut Value)) -> Vec<String> {
    let mut value = value(code, "20", "N");
    change(&mut value);
    judged(&value, GAS, |_| {})
}

const VALUES: &[Case] = &[
    ("flag", true, || gas("a21026", "20", "D")),
    ("flag", false, || gas("a21026", "20", "N")),
    ("flag-absent", true, || {
        let mut value = value("a21026", "20", "N");
        value.flag = None;
        judged(&value, GAS, |city| {
            city.profiles
                .get_mut("plain@1")
                .unwrap()
                .flag_absent_is_valid = false;
        })
    }),
    ("flag-absent", false, || {
        changed("a21026", |v| v.flag = None)
    }),
    ("unreadable", true, || {
        changed("a21026", |v| v.unreadable = Some("Avg=--".into()))
    }),
    ("unreadable", false, || gas("a21026", "20", "N")),
    ("no-value", true, || changed("a21026", |v| v.avg = None)),
    ("no-value", false, || {
        changed("a21026", |v| (v.avg, v.rtd) = (None, Some(number("20"))))
    }),
    ("below-range", true, || gas("a21026", "-0.1", "N")),
    ("below-range", false, || gas("a21026", "0", "N")),
    ("above-range", true, || gas("a21026", "100.1", "N")),
    ("above-range", false, || gas("a21026", "100", "N")),
    ("far-above-range", true, || gas("a21026", "200.1", "N")),
    ("far-above-range", false, || gas("a21026", "200", "N")),
    ("negative", true, || gas("a21026", "-0.1", "N")),
    ("negative", false, || gas("a01013", "-0.1", "N")),
    ("order", true, || {
        changed("a21026", |v| v.min = Some(number("21")))
    }),
    ("order", false, || {
        changed("a21026", |v| v.min = Some(number("20.0")))
    }),
    ("physics", true, || gas("a19001", "21.8", "N")),
    ("physics", false, || gas("a19001", "21.7", "N")),
];

fn full_scale(flag: &'static str, figure: &'static str) -> Vec<String> {
    let hour = HourBench::gas().each("a21026", |n, value| {
        if n == 7 {
            (value.avg, value.flag) = (Some(number(figure)), Some(Flag(flag.into())));
        }
    });
    hour.codes()
}

fn amount(kg: &'static str) -> Vec<String> {
    let hour = HourBench::water()
        .set("w01018", |_| dec("60"))
        .set("w00000", |_| dec("10"));
    // 60 mg/L at 10 L/s for 60 s.
    hour.each("w01018", |_, value| value.cou = Some(number(kg)))
        .codes()
}

fn converted(text: &'static str) -> Vec<String> {
    let hour = HourBench::gas()
        .set("a21026", |_| dec("20"))
        .set("a19001", |_| dec("11"));
    // 20 * (21 - 6) / (21 - 11) = 30.
    hour.each("a21026", |_, value| value.converted = Some(number(text)))
        .codes()
}

fn pair(part: &str, whole: &str, of_part: &'static str) -> Vec<String> {
    let hour = HourBench::water().set(whole, |n| wander(n, "12", "0.2"));
    hour.set(part, |_| dec(of_part)).codes()
}

const RECORDS: &[Case] = &[
    ("over-scale", true, || full_scale("N", "100")),
    ("over-scale", false, || full_scale("T", "100")),
    ("scale-flag", true, || full_scale("T", "40")),
    ("scale-flag", false, || full_scale("T", "100.2")),
    ("below-detection", true, || {
        let hour = HourBench::gas().factor("a21026", |f| f.detection_limit = Some(dec("18")));
        hour.codes()
    }),
    ("below-detection", false, || {
        let hour = HourBench::gas().factor("a21026", |f| f.detection_limit = Some(dec("17")));
        hour.codes()
    }),
    ("ammonia-above-nitrogen", true, || {
        pair("w21003", "w21001", "13.3")
    }),
    ("ammonia-above-nitrogen", false, || {
        pair("w21003", "w21001", "10.8")
    }),
    ("bod-above-cod", true, || pair("w01017", "w01018", "12")),
    ("bod-above-cod", false, || pair("w01017", "w01018", "10.8")),
    ("o2-at-air", true, || {
        HourBench::gas().set("a19001", |_| dec("21")).codes()
    }),
    ("o2-at-air", false, || {
        HourBench::gas().set("a19001", |_| dec("20.9")).codes()
    }),
    ("parameter-missing", true, || {
        HourBench::gas().without("a01013").codes()
    }),
    ("parameter-missing", false, || {
        // Without a velocity nothing needs the pressure.
        HourBench::gas().without("a01013").without("a01011").codes()
    }),
    ("flow-zero", true, || {
        HourBench::water().set("w00000", |_| dec("0")).codes()
    }),
    ("flow-zero", false, || {
        let hour = HourBench::water().set("w00000", |_| dec("0"));
        hour.flag(&["w01018", "w21003"], 60, "D").codes()
    }),
    ("converted-recomputed", true, || converted("30.7")),
    ("converted-recomputed", false, || converted("30.5")),
    ("amount-recomputed", true, || amount("0.038")),
    ("amount-recomputed", false, || amount("0.036")),
];

fn hour_reported(text: &str) -> Vec<String> {
    let hour = HourBench::gas().set("a21026", |_| dec("35.24"));
    hour.reports(vec![value("a21026", text, "N")]).codes()
}

pub(super) fn stopped(o2: &'static str) -> HourBench {
    let codes = ["a34013", "a21026", "a21002", "a19001", "a01011"];
    HourBench::gas()
        .flag(&codes, 20, "F")
        .set("a19001", move |_| dec(o2))
}

fn flow(m3_per_s: &'static str) -> Vec<String> {
    // 11 m/s over 20 m² make 220 m³/s.
    HourBench::gas().set("a00000", |_| dec(m3_per_s)).codes()
}

fn received(touch: fn(&mut Vec<RecordRow>)) -> Vec<String> {
    let mut hour = HourBench::gas();
    hour.touch = touch;
    hour.codes()
}

fn every(rows: &mut [RecordRow], change: impl Fn(&mut StoredValue)) {
    rows.iter_mut()
        .flat_map(|row| row.values.values_mut())
        .for_each(change);
}

const HOURS: &[Case] = &[
    ("incomplete-hour", true, || {
        let mut hour = HourBench::gas();
        hour.counted = (53, 60);
        hour.codes()
    }),
    ("incomplete-hour", false, || {
        let mut hour = HourBench::gas();
        hour.counted = (54, 60);
        hour.codes()
    }),
    ("hour-differs", true, || hour_reported("28.9")),
    ("hour-differs", false, || hour_reported("35.2")),
    ("constant", true, || {
        HourBench::gas()
            .set("a21026", |n| wander(n, "20", "0.08"))
            .codes()
    }),
    ("constant", false, || {
        HourBench::gas()
            .set("a21026", |n| wander(n, "20", "0.1"))
            .codes()
    }),
    ("identical-minutes", true, || {
        HourBench::gas()
            .set("a21026", |n| wander(n.max(29), "20", "1"))
            .codes()
    }),
    ("identical-minutes", false, || {
        HourBench::gas()
            .set("a21026", |n| wander(n.max(28), "20", "1"))
            .codes()
    }),
    ("ph-step", true, || {
        HourBench::water()
            .set("w01001", |n| if n < 30 { dec("6.5") } else { dec("8.6") })
            .codes()
    }),
    ("ph-step", false, || {
        HourBench::water()
            .set("w01001", |n| if n < 30 { dec("6.5") } else { dec("8.5") })
            .codes()
    }),
    ("zero-while-running", true, || {
        HourBench::gas().set("a21026", |_| dec("0")).codes()
    }),
    ("zero-while-running", false, || {
        let hour = HourBench::gas().set("a21026", |_| dec("0"));
        hour.set("a01011", |_| dec("1")).codes()
    }),
    ("stopped-but-emitting", true, || stopped("8").codes()),
    ("stopped-but-emitting", false, || stopped("20.8").codes()),
    ("range-truncated", true, || {
        HourBench::gas()
            .set(
                "a21026",
                |n| if n % 4 == 0 { dec("99.5") } else { dec("80") },
            )
            .codes()
    }),
    ("range-truncated", false, || {
        HourBench::gas()
            .set(
                "a21026",
                |n| if n % 6 == 0 { dec("99.5") } else { dec("80") },
            )
            .codes()
    }),
    ("flow-off-theory", true, || flow("290")),
    ("flow-off-theory", false, || flow("280")),
    ("clock-ahead", true, || {
        received(|rows| every(rows, |v| v.received_at = minute(-2)))
    }),
    ("clock-ahead", false, || {
        received(|rows| every(&mut rows[..1], |v| v.received_at = minute(-1)))
    }),
    ("back-filled", true, || {
        received(|rows| every(rows, |v| v.received_at = minute(121)))
    }),
    ("back-filled", false, || {
        received(|rows| every(rows, |v| v.received_at = minute(61)))
    }),
    ("out-of-order", true, || {
        received(|rows| every(&mut rows[..1], |v| v.seq = Seq(50)))
    }),
    ("out-of-order", false, || {
        received(|rows| {
            every(&mut rows[..1], |v| v.seq = Seq(50));
            rows[0].resent = true;
        })
    }),
];

fn day_reported(text: &str) -> Vec<String> {
    let day = DayBench::gas().set("a21026", |_| dec("20"));
    day.reports(vec![value("a21026", text, "N")]).codes()
}

fn day_sum(kg: &str) -> Vec<String> {
    let day = DayBench::gas().change(|row| {
        row.factors.get_mut("a21026").unwrap().amount_kg = Some(dec("1.5"));
    });
    let mut sent = value("a21026", "20", "N");
    sent.cou = Some(number(kg));
    day.reports(vec![sent]).codes()
}

fn load_follows(day: DayBench, hour: usize) -> DayBench {
    let start = minute(60 * i64::try_from(hour).unwrap());
    day.change(move |row| {
        if row.start == start {
            row.volume_m3 = Some(dec("100000"));
        }
    })
}

pub(super) fn spike() -> DayBench {
    let day = DayBench::gas().set("a21026", |n| wander(n, "10", "0.2"));
    day.at("a21026", 8, "95")
}

pub(super) fn fallen() -> DayBench {
    let day = DayBench::gas().at("a34013", 9, "2").at("a21026", 9, "6");
    day.at("a21002", 9, "50")
}

fn hugging(middle: &'static str) -> Vec<String> {
    let day = DayBench::gas().change(|row| {
        let so2 = row.factors.get_mut("a21026").unwrap();
        so2.converted = Some(wander(row.start.0 / 3_600_000, middle, "0.1"));
    });
    day.codes()
}

const DAYS: &[Case] = &[
    ("incomplete-day", true, || {
        DayBench::gas().change(|row| row.received = 53).codes()
    }),
    ("incomplete-day", false, || {
        DayBench::gas().change(|row| row.received = 54).codes()
    }),
    ("day-differs", true, || day_reported("20.3")),
    ("day-differs", false, || day_reported("20.2")),
    ("sum-differs", true, || day_sum("35.0")),
    ("sum-differs", false, || day_sum("35.5")),
    ("constant-day", true, || {
        DayBench::gas()
            .set("a21026", |n| wander(n, "20", "0.08"))
            .codes()
    }),
    ("constant-day", false, || {
        DayBench::gas()
            .set("a21026", |n| wander(n, "20", "0.1"))
            .codes()
    }),
    ("identical-hours", true, || {
        DayBench::gas()
            .set("a21026", |n| wander(n / 6, "20", "1"))
            .codes()
    }),
    ("identical-hours", false, || {
        DayBench::gas()
            .set("a21026", |n| wander(n / 5, "20", "1"))
            .codes()
    }),
    ("duplicate-day", true, || {
        DayBench::gas()
            .set("a21026", |n| wander(n - 24, "20", "0.5"))
            .codes()
    }),
    ("duplicate-day", false, || DayBench::gas().codes()),
    ("ph-flat", true, || {
        DayBench::water()
            .set("w01001", |n| wander(n, "7", "0.02"))
            .codes()
    }),
    ("ph-flat", false, || {
        DayBench::water()
            .set("w01001", |n| wander(n, "7", "0.03"))
            .codes()
    }),
    ("velocity-implausible", true, || {
        DayBench::gas().at("a01011", 5, "4.9").codes()
    }),
    ("velocity-implausible", false, || {
        DayBench::gas().at("a01011", 5, "5").codes()
    }),
    ("hour-step", true, || spike().codes()),
    ("hour-step", false, || load_follows(spike(), 8).codes()),
    ("drop-together", true, || fallen().codes()),
    ("drop-together", false, || load_follows(fallen(), 9).codes()),
    ("o2-high", true, || {
        DayBench::gas().at("a19001", 9, "9.7").codes()
    }),
    ("o2-high", false, || {
        DayBench::gas().at("a19001", 9, "9.4").codes()
    }),
    ("limit-hugging", true, || hugging("49")),
    ("limit-hugging", false, || hugging("46")),
    ("furnace-low", true, || furnace(6)),
    ("furnace-low", false, || furnace(5)),
    ("exceeded-days", true, || stack_month(6)),
    ("exceeded-days", false, || stack_month(5)),
];

fn incineration() -> Profile {
    let rule = profile::IncinerationRule {
        furnace_factor: "a01901".into(),
        furnace_min_c: dec("850"),
        furnace_low_max: 5,
        exceeded_days_max: 5,
        pollutants: Vec::new(),
    };
    Profile {
        incineration: Some(rule),
        ..Profile::annex_d("burning@1")
    }
}

/// A day in which the furnace was cold so often.
fn furnace(times: i64) -> Vec<String> {
    let profile = incineration();
    let minutes = (0..times).map(|n| (minute(n * 5), dec("849")));
    let means = crate::incineration::five_minute_means(minute(0), minutes);
    let rule = profile.incineration.as_ref().unwrap();
    let day = crate::incineration::furnace_day(rule, &means, &crate::marks::Effects::default());
    let clues = furnace_clues(&profile, &day, (minute(0), minute(1_440)));
    clues
        .into_iter()
        .map(|clue| clue.check.0.to_string())
        .collect()
}

/// A month with so many days over a limit.
fn stack_month(days: i64) -> Vec<String> {
    let profile = incineration();
    let day = |n: i64| {
        let verdict = LimitVerdict {
            limit: "d".into(),
            judged: dec("90"),
            bound: dec("80"),
            exceeded: true,
            multiple: Some(dec("0.125")),
        };
        let factor = FactorAggregate {
            limits: vec![verdict],
            ..FactorAggregate::default()
        };
        AggregateRow {
            outlet: GAS.into(),
            level: Level::Day,
            start: minute(n * 1_440),
            origin: rows::AggregateOrigin::Computed,
            complete: true,
            volume_m3: None,
            factors: [("a21026".into(), factor)].into(),
            profile: profile.id.clone(),
            received: 0,
            due: 0,
            seq: Seq(1),
            superseded: 0,
        }
    };
    let rows: Vec<AggregateRow> = (0..days).map(day).collect();
    let rule = profile.incineration.as_ref().unwrap();
    let month = crate::incineration::stack_month(rule, &rows);
    let clues = month_clues(&profile, &month, (minute(0), minute(31 * 1_440)));
    clues
        .into_iter()
        .map(|clue| clue.check.0.to_string())
        .collect()
}

#[test]
fn every_check_has_a_case_in_which_it_fires_and_one_in_which_it_is_quiet() {
    let all = || [VALUES, RECORDS, HOURS, DAYS].into_iter().flatten();
    for (check, fires, run) in all() {
        let codes = run();
        assert_eq!(
            codes.iter().any(|code| code == check),
            *fires,
            "{check}: {codes:?}"
        );
    }
    let covered = |fires: bool| -> BTreeSet<&str> {
        let cases = all().filter(|case| case.1 == fires);
        cases.map(|case| case.0).collect()
    };
    let known: BTreeSet<&str> = CATALOGUE.iter().map(|check| check.code).collect();
    assert_eq!(
        covered(true),
        known,
        "checks with a case in which they fire"
    );
    assert_eq!(
        covered(false),
        known,
        "checks with a case in which they are quiet"
    );
}

#[test]
fn where_nothing_is_odd_there_is_no_clue() {
    assert_eq!(HourBench::gas().clues(), []);
    assert_eq!(HourBench::water().clues(), []);
    assert_eq!(DayBench::gas().clues(), []);
    assert_eq!(DayBench::water().clues(), []);
}
