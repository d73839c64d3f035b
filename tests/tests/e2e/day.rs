//! A published day of minutes, sent over TCP, gives the published hours.

use crate::Town;
use crate::published::{GAS, WATER, hours, send_day};
use cems_tests::api::rows;
use cems_tests::city::{City, GAS_MN, WATER_MN};
use cems_tests::place::testdata;
use serde_json::Value;

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
