//! A sealed day as a file: a day of minutes, the day settles, its files appear, DuckDB and Arrow
//! find in them what the API says, to the last digit; a late correction, and they do so again.

use crate::inside::Inside;
use crate::published::GAS;
use cems_tests::city::{City, GAS_MN, WATER_MN};
use cems_tests::place::{profile_directory, root, testdata};
use cems_tests::process::run;
use cems_tests::time::Moment;
use cems_tests::wait::until;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Simulated seconds a second: the files are looked over every ten minutes, so once a second here.
const SPEED: u32 = 600;
/// Decimal places of the columns that are summed, by kind.
const PLACES: [(&str, u32); 3] = [("minute", 12), ("hour-mean", 28), ("day-mean", 28)];

/// For an outlet and a factor, how many values there are and their sum as a whole number of the
/// last decimal place.
type Totals = BTreeMap<String, (u64, i128)>;

/// The day the minutes are told of.
fn midnight() -> Moment {
    Moment::midnight(2026, 11, 18)
}

fn span() -> String {
    let end = midnight().plus_minutes(1_440);
    format!("from={}&until={}", midnight().iso(), end.iso())
}

/// The Python with DuckDB and Arrow that `tests/run` makes.
fn python() -> PathBuf {
    let beside = || {
        let profile = profile_directory();
        let target = profile.parent().expect("target/PROFILE");
        target.join("tables/bin/python")
    };
    let path = std::env::var_os("CEMS_TABLES_PYTHON").map_or_else(beside, PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing: the files are opened by programs that others wrote; `tests/run` makes it, \
         or: /usr/bin/python3 -m venv TARGET/tables && TARGET/tables/bin/pip install \
         pyarrow duckdb",
        path.display()
    );
    path
}

/// What DuckDB and Arrow find in the files.
fn read_by_others(data: &Path) -> Value {
    let output = Command::new(python())
        .arg(root().join("tests/testdata/parquet_totals.py"))
        .arg(data.join("parquet"))
        .output()
        .expect("python runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn totals(found: &Value) -> Totals {
    let entries = found["totals"].as_object().expect("totals").iter();
    let total = |entry: &Value| {
        let count = entry[0].as_u64().expect("a count");
        let sum = entry[1].as_str().expect("a sum").parse();
        (count, sum.expect("a whole number"))
    };
    entries
        .map(|(key, entry)| (key.clone(), total(entry)))
        .collect()
}

/// A decimal of the API as a whole number of a decimal place; nothing is rounded.
fn whole(value: &Value, places: u32) -> Option<i128> {
    let number: Decimal = value.as_str()?.parse().expect("a decimal");
    let missing = places.checked_sub(number.scale()).expect("so many places");
    Some(number.mantissa() * 10_i128.pow(missing))
}

/// The same totals from what the API says.
async fn totals_of_api(inside: &Inside, kind: &str, places: u32) -> Totals {
    let mut all = Totals::new();
    for outlet in ["jia-1", "yi-1"] {
        let list = match kind {
            "minute" => format!("records?kind=minute&{}", span()),
            "hour-mean" => format!("aggregates?level=hour&{}", span()),
            _ => format!("aggregates?level=day&{}", span()),
        };
        let rows = inside
            .duty
            .get(&format!("/api/v1/outlets/{outlet}/{list}"))
            .await;
        for row in rows.as_array().expect("a list") {
            let factors = row.get("values").or_else(|| row.get("factors"));
            for (factor, figures) in factors.and_then(Value::as_object).expect("by factor") {
                let figure = match kind {
                    "minute" => &figures["avg"]["value"],
                    _ => &figures["amount_kg"],
                };
                if let Some(number) = whole(figure, places) {
                    let entry = all.entry(format!("{outlet}/{factor}")).or_default();
                    entry.0 += 1;
                    entry.1 += number;
                }
            }
        }
    }
    all
}

/// Files and API say the same; gives what the files say of themselves.
async fn agreed(inside: &Inside, data: &Path) -> Option<Value> {
    let found = read_by_others(data);
    for (kind, places) in PLACES {
        let theirs = totals(&found[kind]);
        assert!(!theirs.is_empty(), "{kind}");
        if theirs != totals_of_api(inside, kind, places).await {
            return None;
        }
    }
    Some(found)
}

/// The time of a minute record, and its fields.
type Minute = (Moment, String);

/// Minutes of the stack as published, and of a discharge that repeats an hour.
fn minutes() -> (Vec<Minute>, Vec<Minute>) {
    let text = testdata("day-gas.csv");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let mut gas = Vec::new();
    for (minute, line) in (0..).zip(lines) {
        let row: BTreeMap<&str, &str> = names.iter().copied().zip(line.split(',')).collect();
        let field = |(column, factor, flag): &(&str, &str, &str)| {
            format!("{factor}-Avg={},{factor}-Flag={}", row[column], row[flag])
        };
        let fields: Vec<String> = GAS.iter().map(field).collect();
        gas.push((midnight().plus_minutes(minute), fields.join(";")));
    }
    let water = |minute: i64| {
        let fields = format!(
            "w01018-Avg={}.{:02},w01018-Flag=N;w21003-Avg=1.{:03},w21003-Flag=N;\
             w01001-Avg=7.1,w01001-Flag=N;w00000-Avg=12.5,w00000-Flag=N",
            40 + minute % 7,
            minute % 60,
            minute % 60
        );
        (midnight().plus_minutes(minute), fields)
    };
    (gas, (0..1_440).map(water).collect())
}

async fn records(inside: &Inside) -> Value {
    let path = format!("/api/v1/outlets/jia-1/records?kind=minute&{}", span());
    inside.duty.get(&path).await
}

fn file(data: &Path, kind: &str) -> PathBuf {
    data.join("parquet")
        .join(kind)
        .join("date=2026-11-18/part-0.parquet")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_day_is_a_file_that_others_read_and_a_corrected_one_again() {
    let city = City::default().archive("read_after_d = 0");
    let mut inside = Inside::start(&city, midnight().plus_minutes(1_450), SPEED).await;
    let data = inside.directory().join("data");
    let (gas, water) = minutes();
    inside.send_many(GAS_MN, "2051", &gas).await;
    inside.send_many(WATER_MN, "2051", &water).await;
    for outlet in ["jia-1", "yi-1"] {
        let path = format!("/api/v1/outlets/{outlet}/records?kind=minute&{}", span());
        let whole = |list: &Value| (list.as_array()?.len() == 1_440).then_some(());
        inside.duty.until(&path, "1440 minutes", whole).await;
    }
    let from_the_store = records(&inside).await;
    assert!(!file(&data, "minute").exists(), "the day has not settled");

    // Two days and an hour later.
    let settled = midnight().plus_minutes(3 * 1_440 + 60);
    let mut inside = inside.restart_at(settled).await;
    for (kind, _) in PLACES {
        let there = || file(&data, kind).exists().then_some(()).ok_or("no file");
        until(kind, async || there()).await;
    }
    let found = until("files and API agree", async || {
        agreed(&inside, &data).await.ok_or("they differ")
    });
    let found = found.await;
    assert_eq!(found["minute"]["dates"][0], "2026-11-18");
    assert_eq!(found["minute"]["notes"]["cems.site"], "试验市监控中心");
    assert_eq!(found["minute"]["notes"]["cems.utc_offset"], "+08:00");
    assert_eq!(
        records(&inside).await,
        from_the_store,
        "read back from the file"
    );

    // A minute comes again with another value: it replaces the first, and its hour and day with it.
    let (at, fields) = &gas[600];
    let old = format!("a21026-Avg={}", field_of(fields, "a21026-Avg="));
    let corrected = fields.replace(&old, "a21026-Avg=33.125");
    assert_ne!(&corrected, fields);
    inside.send(GAS_MN, "2051", *at, &corrected).await;
    let before = found["minute"]["notes"]["cems.seq"].clone();
    let again = until("the corrected day is written anew", async || {
        let now = agreed(&inside, &data).await.ok_or("files and API differ")?;
        let newer = now["minute"]["notes"]["cems.seq"] != before;
        if newer { Ok(now) } else { Err("the old file") }
    });
    let again = again.await;
    assert_ne!(totals(&again["minute"]), totals(&found["minute"]));
    assert_ne!(totals(&again["hour-mean"]), totals(&found["hour-mean"]));
    assert_ne!(totals(&again["day-mean"]), totals(&found["day-mean"]));
    let text = records(&inside).await[600]["values"]["a21026"]["avg"]["text"].clone();
    assert_eq!(text, "33.125");

    let data_text = data.to_str().expect("a plain name");
    let checked = run(&["archive", "--data", data_text, "--check", "--json"], b"");
    let said: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert!(checked.status.success(), "{said}");
    assert_eq!(
        (&said["different"], &said["stale"]),
        (&0.into(), &0.into()),
        "{said}"
    );
    inside.stop().await;
}

/// The number behind a name.
fn field_of<'a>(fields: &'a str, name: &str) -> &'a str {
    let behind = fields.split(name).nth(1).expect("the field");
    behind.split([',', ';']).next().expect("a number")
}
