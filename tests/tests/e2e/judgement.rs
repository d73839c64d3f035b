//! What bears on data after they came, through the API: marks, tests of the equipment, validity
//! reviews. Each story enters something about a fortnight of hours that are there already, looks
//! at what the figures become, and takes it back.

mod control;
mod kill;
mod mark;
mod review;

use crate::alarms::minute;
use crate::inside::Inside;
use cems_tests::api::{Api, rows};
use cems_tests::city::{AUDITOR_TOKEN, City, GAS_MN, Outlet, SUPERVISOR_TOKEN, WATER_MN};
use cems_tests::process::{assert_books_hold, run};
use cems_tests::random::Random;
use cems_tests::time::Moment;
use serde_json::{Value, json};
use std::path::Path;

/// Hours of a day.
const DAY_H: i64 = 24;
/// A minute of the city takes two seconds, what is settled after five seconds a sixth of one.
const SPEED: u32 = 30;
/// The factor that the stories are about.
const SO2: &str = "a21026";
/// A factor that they must leave alone.
const NOX: &str = "a21002";

/// The present of the stories: the second week of a quarter.
fn present() -> Moment {
    Moment::midnight(2026, 7, 14).plus_minutes(10 * 60 + 5)
}

/// A full hour of July (or June, with days below 1).
fn hour(day: i64, hour: i64) -> Moment {
    Moment::midnight(2026, 7, 1).plus_minutes(((day - 1) * DAY_H + hour) * 60)
}

/// The stack `jia-1` and the discharge `yi-1`, whose loggers send hours and nothing else.
fn city() -> City {
    let hourly =
        "[outlet.expect]\nrealtime_s = 0\nminute_min = 0\nhour = true\nno_data_after_s = 10800\n";
    let gas = Outlet::gas("jia-1", GAS_MN).table(hourly);
    let water = Outlet::water("yi-1", WATER_MN).table(hourly);
    City::empty().outlet(&gas.text()).outlet(&water.text())
}

/// A daemon, and those who have a say.
struct Court {
    inside: Inside,
    supervisor: Api,
    auditor: Api,
}

impl Court {
    async fn start() -> Self {
        Self::around(Inside::start(&city(), present(), SPEED).await)
    }

    fn around(inside: Inside) -> Self {
        Self {
            supervisor: inside.api(SUPERVISOR_TOKEN),
            auditor: inside.api(AUDITOR_TOKEN),
            inside,
        }
    }

    async fn restart(self) -> Self {
        Self::around(self.inside.restart().await)
    }

    /// Sends the hours from one to another, with SO2 as it is at each of them.
    async fn send(&mut self, from: Moment, until: Moment, so2: impl Fn(Moment) -> String) {
        let mut at = from;
        let mut hours = Vec::new();
        while at < until {
            hours.push((at, minute(&so2(at))));
            at = at.plus_minutes(60);
        }
        self.inside.send_many(GAS_MN, "2061", &hours).await;
    }

    /// Rows of `jia-1` of one level from June to the present, ascending.
    async fn aggregates(&self, level: &str) -> Vec<Value> {
        let (from, until) = (hour(-29, 0).iso(), present().iso());
        let path =
            format!("/api/v1/outlets/jia-1/aggregates?level={level}&from={from}&until={until}");
        rows(&self.inside.duty.get(&path).await).to_vec()
    }

    /// What an hour says about a factor.
    async fn of_hour(&self, at: Moment, factor: &str) -> Value {
        let until = at.plus_minutes(60);
        let path = format!(
            "/api/v1/outlets/jia-1/aggregates?level=hour&from={}&until={}",
            at.iso(),
            until.iso()
        );
        rows(&self.inside.duty.get(&path).await)[0]["factors"][factor].clone()
    }

    /// Everything that is computed about `jia-1`. A quarter names the newest test among its inputs,
    /// also one that changes nothing, and a mean counts what it replaced; both are left out.
    async fn figures(&self) -> Value {
        let mut all = serde_json::Map::new();
        for level in ["hour", "day", "month"] {
            let mut rows = self.aggregates(level).await;
            for row in &mut rows {
                row.as_object_mut().expect("a row").remove("superseded");
            }
            all.insert(level.to_owned(), Value::Array(rows));
        }
        let path = "/api/v1/outlets/jia-1/quarters";
        let mut quarters = self.inside.duty.get(path).await;
        for row in quarters.as_array_mut().expect("a list") {
            row.as_object_mut().expect("a row").remove("seq");
        }
        all.insert("quarters".to_owned(), quarters);
        Value::Object(all)
    }

    /// Waits until the row of a quarter says what is wanted about SO2, and gives what it says.
    async fn quarter(&self, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = "/api/v1/outlets/jia-1/quarters";
        let found = |list: &Value| {
            let quarters = list.as_array()?;
            let row = quarters.iter().find(|row| row["quarter"] == name)?;
            let so2 = &row["factors"][SO2];
            wanted(so2).then(|| so2.clone())
        };
        self.inside.duty.until(path, what, found).await
    }

    /// Waits until the figures are these again, to the last digit.
    async fn until_figures_are(&self, before: &Value) {
        cems_tests::wait::until("the figures of before", async || {
            let now = self.figures().await;
            if now == *before {
                Ok(())
            } else {
                Err(different(&now, before, ""))
            }
        })
        .await;
    }

    /// Stops it; the books must hold, and the year computed again must be the one in them.
    async fn adjourn(self) {
        let directory = self.inside.close().await;
        let data = directory.path().join("data");
        assert_books_hold(&data);
        assert_year_stands(&data);
    }
}

/// Where two values are not the same.
fn different(a: &Value, b: &Value, path: &str) -> Vec<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => a
            .iter()
            .flat_map(|(name, value)| different(value, &b[name], &format!("{path}/{name}")))
            .collect(),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => (0..a.len())
            .flat_map(|n| different(&a[n], &b[n], &format!("{path}/{n}")))
            .collect(),
        _ if a == b => Vec::new(),
        _ => vec![format!("{path}: {a}, should be {b}")],
    }
}

/// `cemsd recompute` finds every hour as it is in the books.
fn assert_year_stands(data: &Path) {
    let data = data
        .to_str()
        .expect("temporary directories have plain names");
    let output = run(
        &["recompute", "--year", "2026", "--json", "--data", data],
        b"",
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    assert_eq!(report["differences"], 0, "cemsd recompute: {report:#}");
    assert!(output.status.success(), "cemsd recompute: {report:#}");
}

/// SO2 of an ordinary hour: between 20 and 28 mg/m3, a little more each hour and again from below.
fn ordinary(at: Moment) -> String {
    let number = (at.0 / 3_600_000).rem_euclid(9);
    format!("{}.5", 20 + number)
}

fn exact(value: &Value) -> rust_decimal::Decimal {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("a number: {value}"));
    text.parse().expect("a number")
}

/// The only row that fits.
fn one<'a>(list: &'a Value, what: &str, fits: impl Fn(&Value) -> bool) -> &'a Value {
    let found: Vec<&Value> = rows(list).iter().filter(|row| fits(row)).collect();
    assert_eq!(found.len(), 1, "{what} in {list:#}");
    found[0]
}

/// Base64 of RFC 4648 in a few lines of its own.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let byte = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letter = move |n: usize| {
            let index = usize::try_from(bits >> (18 - 6 * n) & 63).expect("six bits");
            char::from(LETTERS[index])
        };
        let filled = three.len() + 1;
        (0..4).map(move |n| if n < filled { letter(n) } else { '=' })
    };
    bytes.chunks(3).flat_map(group).collect()
}

/// A file of random bytes, and what it is called.
fn file(random: &mut Random, name: &str, bytes: usize) -> (Vec<u8>, Value) {
    let content: Vec<u8> = (0..bytes)
        .map(|_| random.number().to_le_bytes()[0])
        .collect();
    let sent = json!({"name": name, "content_base64": base64(&content)});
    (content, sent)
}

/// A mark to be entered.
fn mark(outlet: &str, from: Moment, until: Moment, files: &[Value]) -> Value {
    json!({
        "outlet": outlet, "kind": "fault", "factors": [SO2], "from": from.iso(),
        "until": until.iso(), "reason": "采样泵故障", "files": files,
    })
}
