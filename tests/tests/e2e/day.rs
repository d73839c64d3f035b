//! A published day of minutes, sent over TCP, gives the published hours.

use crate::Town;
use cems_tests::api::rows;
use cems_tests::city::{City, GAS_MN, WATER_MN};
use cems_tests::logger::{Frame, Logger};
use cems_tests::place::testdata;
use cems_tests::time::Moment;
use serde_json::Value;
use std::collections::BTreeMap;

/// Columns of a stack's day: name, factor, column of the flag.
const GAS: [(&str, &str, &str); 8] = [
    ("dust_mg_m3", "a34013", "dust_flag"),
    ("so2_mg_m3", "a21026", "so2_flag"),
    ("nox_mg_m3", "a21002", "nox_flag"),
    ("o2_pct", "a19001", "o2_flag"),
    ("temperature_c", "a01012", "flue_flag"),
    ("pressure_kpa", "a01013", "flue_flag"),
    ("moisture_pct", "a01014", "flue_flag"),
    ("velocity_m_s", "a01011", "flue_flag"),
];
/// Columns of a discharge's day.
const WATER: [(&str, &str, &str); 4] = [
    ("cod_mg_l", "w01018", "cod_flag"),
    ("nh3n_mg_l", "w21003", "nh3n_flag"),
    ("ph", "w01001", "ph_flag"),
    ("flow_l_s", "w00000", "flow_flag"),
];
/// Names of the vectors for the factors of a stack.
const NAMES: [(&str, &str); 8] = [
    ("pm", "a34013"),
    ("so2", "a21026"),
    ("nox", "a21002"),
    ("o2", "a19001"),
    ("t", "a01012"),
    ("p_kPa", "a01013"),
    ("h2o", "a01014"),
    ("v", "a01011"),
];

/// The day the data are from.
fn midnight() -> Moment {
    Moment::midnight(2020, 3, 31)
}

/// Sends the minutes of a file and waits for every answer.
async fn send_day(town: &Town, mn: &str, st: &str, file: &str, columns: &[(&str, &str, &str)]) {
    let text = testdata(file);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let mut sent = 0;
    for line in lines {
        let row: BTreeMap<&str, &str> = names.iter().copied().zip(line.split(',')).collect();
        let minute: i64 = row["minute"].parse().expect("a number");
        let fields: Vec<String> = columns
            .iter()
            .map(|(column, factor, flag)| {
                format!("{factor}-Avg={},{factor}-Flag={}", row[column], row[flag])
            })
            .collect();
        let at = midnight().plus_minutes(minute - 1);
        let cp = format!("DataTime={};{}", at.digits(), fields.join(";"));
        let frame = Frame {
            st: st.to_owned(),
            ..Frame::new(mn, "2051", &cp)
        };
        logger.send(frame.text()).await.expect("sent");
        sent += 1;
    }
    assert_eq!(sent, 1_440, "{file}: a day of minutes");
    for _ in 0..sent {
        assert!(logger.answer().await.contains("CN=9014;"));
    }
}

/// The hours of the day, once each one has all its minutes.
async fn hours(town: &Town, outlet: &str) -> Vec<Value> {
    let span = format!(
        "from={}&until={}",
        midnight().iso(),
        midnight().plus_minutes(1_440).iso()
    );
    let path = format!("/api/v1/outlets/{outlet}/records?kind=minute&{span}");
    let minutes = town.api.until(&path, "1440 minutes", |list| {
        list.as_array()
            .filter(|minutes| minutes.len() == 1_440)
            .cloned()
    });
    // Journal position of the last minute of each hour: an hour is done when it has come so far.
    let position = |minute: &Value| -> u64 {
        let values = minute["values"]
            .as_object()
            .expect("values by factor")
            .values();
        values
            .filter_map(|value| value["seq"].as_u64())
            .max()
            .expect("a position")
    };
    let last: Vec<u64> = minutes
        .await
        .chunks(60)
        .map(|hour| hour.iter().map(position).max().expect("60"))
        .collect();
    let path = format!("/api/v1/outlets/{outlet}/aggregates?level=hour&{span}");
    let hours = town
        .api
        .until(&path, "24 hours computed from all that was sent", |list| {
            let hours = list.as_array().filter(|hours| hours.len() == 24)?;
            let done = |(hour, last): (&Value, &u64)| hour["seq"].as_u64() >= Some(*last);
            hours.iter().zip(&last).all(done).then(|| hours.clone())
        })
        .await;
    for (index, hour) in hours.iter().enumerate() {
        let start = hour["start"].as_str().and_then(Moment::parse);
        let offset = i64::try_from(index * 60).expect("a day");
        assert_eq!(start, Some(midnight().plus_minutes(offset)));
    }
    hours
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// Notes a difference beyond the tolerance (relative, and half a unit of the last digit printed).
fn compare(wrong: &mut Vec<String>, what: &str, is: &Value, should: &Value, tolerance: f64) {
    let close = match (number(is), number(should)) {
        (Some(is), Some(should)) => (is - should).abs() <= should.abs() * tolerance + 6e-5,
        (is, should) => is.is_none() && should.is_none(),
    };
    if !close {
        wrong.push(format!("{what} is {is}, should be {should}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stacks_day_gives_the_hours_of_the_vectors() {
    let town = Town::start(&City::default()).await;
    send_day(&town, GAS_MN, "31", "day-gas.csv", &GAS).await;
    let hours = hours(&town, "jia-1").await;
    let mut wrong = Vec::new();
    for line in testdata("day-gas-hours.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).expect("a vector");
        let id = vector["id"].as_str().expect("a name");
        let tolerance = vector["tolerance"].as_f64().expect("a number");
        let number = usize::try_from(vector["hour"].as_u64().expect("a number")).expect("small");
        // The vectors count hours from 1.
        let hour = &hours[number - 1];
        let expected = &vector["expected"];
        let valid = expected["hour_valid"] == true;
        let means = &expected["means_over_N_minutes"];
        for (name, factor) in NAMES {
            let is = &hour["factors"][factor];
            let what = format!("{id}: {name}");
            compare(
                &mut wrong,
                &format!("{what}: mean"),
                &is["mean"],
                &means[name],
                tolerance,
            );
            if is["valid"] != valid {
                wrong.push(format!(
                    "{what}: valid is {}, should be {valid}",
                    is["valid"]
                ));
            }
            let minutes = &vector["minute_flags"]["N"];
            if is["valid_units"] != *minutes {
                wrong.push(format!(
                    "{what}: {} valid minutes, not {minutes}",
                    is["valid_units"]
                ));
            }
        }
        for name in ["pm", "so2", "nox"] {
            let factor = NAMES.iter().find(|(n, _)| *n == name).expect("listed").1;
            let is = &hour["factors"][factor];
            let converted = &means["ref_of_means"][name];
            let what = format!("{id}: {name} converted");
            compare(&mut wrong, &what, &is["converted"], converted, tolerance);
            // An hour that does not count has no amount of its own.
            let amount = if valid {
                &means["kg_h"][name]
            } else {
                &Value::Null
            };
            compare(
                &mut wrong,
                &format!("{id}: {name} kg"),
                &is["amount_kg"],
                amount,
                tolerance,
            );
        }
        let volume = if valid {
            &means["Qsn_m3_h"]
        } else {
            &Value::Null
        };
        compare(
            &mut wrong,
            &format!("{id}: volume"),
            &hour["volume_m3"],
            volume,
            tolerance,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // 198.4 of 200: converting each minute first would give 202.0 and another verdict.
    let verdicts = rows(&hours[14]["factors"]["a21002"]["limits"]);
    assert_eq!(verdicts[0]["exceeded"], false, "{verdicts:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discharges_day_gives_the_hours_computed_apart() {
    let town = Town::start(&City::default()).await;
    send_day(&town, WATER_MN, "32", "day-water.csv", &WATER).await;
    let hours = hours(&town, "yi-1").await;
    let expected: Vec<Value> =
        serde_json::from_str(&testdata("day-water-hours.json")).expect("24 hours");
    let names = [
        ("cod", "w01018"),
        ("nh3n", "w21003"),
        ("ph", "w01001"),
        ("flow", "w00000"),
    ];
    let tolerance = 1e-6;
    let mut wrong = Vec::new();
    for (index, (hour, expected)) in hours.iter().zip(&expected).enumerate() {
        let volume = (&hour["volume_m3"], &expected["volume_m3"]);
        compare(
            &mut wrong,
            &format!("hour {index}: volume"),
            volume.0,
            volume.1,
            tolerance,
        );
        for (name, factor) in names {
            let (is, should) = (&hour["factors"][factor], &expected["factors"][name]);
            let what = format!("hour {index}: {name}");
            compare(
                &mut wrong,
                &format!("{what}: mean"),
                &is["mean"],
                &should["mean"],
                tolerance,
            );
            let (amount, other) = (&is["amount_kg"], &should["amount_kg"]);
            compare(
                &mut wrong,
                &format!("{what}: amount"),
                amount,
                other,
                tolerance,
            );
            if is["valid"] != should["valid"] {
                wrong.push(format!(
                    "{what}: valid {}, not {}",
                    is["valid"], should["valid"]
                ));
            }
            if is["valid_units"] != should["minutes"] {
                let minutes = &should["minutes"];
                wrong.push(format!(
                    "{what}: {} minutes, not {minutes}",
                    is["valid_units"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
