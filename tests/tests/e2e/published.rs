//! Two published days of minutes: how they are sent, and the hours they become.

use crate::Town;
use cems_tests::logger::{Frame, Logger};
use cems_tests::place::testdata;
use cems_tests::time::Moment;
use serde_json::Value;
use std::collections::BTreeMap;

/// Columns of a stack's day: name, factor, column of the flag.
pub(crate) const GAS: [(&str, &str, &str); 8] = [
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
pub(crate) const WATER: [(&str, &str, &str); 4] = [
    ("cod_mg_l", "w01018", "cod_flag"),
    ("nh3n_mg_l", "w21003", "nh3n_flag"),
    ("ph", "w01001", "ph_flag"),
    ("flow_l_s", "w00000", "flow_flag"),
];
/// The day the data are from.
pub(crate) fn midnight() -> Moment {
    Moment::midnight(2020, 3, 31)
}

/// Sends the minutes of a file and waits for every answer.
pub(crate) async fn send_day(
    town: &Town,
    mn: &str,
    st: &str,
    file: &str,
    columns: &[(&str, &str, &str)],
) {
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
pub(crate) async fn hours(town: &Town, outlet: &str) -> Vec<Value> {
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
