//! A centre that has acknowledged everything loses its database, and gets the period again because
//! a person asks for it: each record once, with progress to the end.

use super::{Scripted, frames, nothing_owed, tell};
use crate::Town;
use cems_tests::api::rows;
use cems_tests::city::{AUDITOR_TOKEN, City, GAS_MN, Outlet, SUPERVISOR_TOKEN};
use cems_tests::process::assert_books_hold;
use cems_tests::time::now;
use cems_tests::wait::until;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Minutes of data: as many minute records, and an hour record.
const TOLD: i64 = 70;

/// A station that uploads to one centre that answers always.
async fn station(centre: &Scripted) -> Town {
    let city = City::empty().outlet(&Outlet::gas("jia-1", GAS_MN).text());
    let address = centre.address;
    let uplink = format!(
        "[[uplink]]\nid = \"centre\"\naddress = \"{address}\"\nedition = \"2017\"\n\
         over_time_s = 30\nhistory_per_min = 6000\n\n\
         [[uplink.outlet]]\noutlet = \"jia-1\"\npassword = \"123456\"\n"
    );
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = directory.path().join("cemsd.toml");
    let text = [city.text(), uplink].join("\n");
    std::fs::write(&config, text).expect("the test's directory can be written");
    Town::open(directory, config).await
}

async fn all_there(centre: &Scripted, count: usize) {
    until("every record at the centre", async || {
        let seen = centre.records().len();
        if seen == count { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[tokio::test]
async fn a_centre_that_lost_its_database_gets_the_period_again() {
    let centre = Scripted::new(usize::MAX).await;
    let mut station = station(&centre).await;
    let from = now().floor_hour().plus_minutes(-24 * 60);
    let first = frames(from, 0..TOLD);
    let count = first.len();
    let address = Arc::new(Mutex::new(station.daemon.hj212));
    tell(first, address, Duration::ZERO).await;
    all_there(&centre, count).await;
    nothing_owed(&station.data()).await;
    let before = centre.records();
    assert!(before.values().all(|times| *times == 1), "{before:?}");

    // The database of the centre is gone.
    centre.seen.lock().expect("whole").clear();
    let path = "/api/v1/uplinks/centre/replays";
    let span = json!({ "from": from.iso(), "until": from.plus_minutes(12 * 60).iso() });
    let (status, _) = station.api_of(AUDITOR_TOKEN).try_post(path, &span).await;
    assert_eq!(status.as_u16(), 403, "an auditor asks for nothing");
    let api = station.api_of(SUPERVISOR_TOKEN);
    let early = json!({ "from": from.plus_minutes(-60).iso(), "until": from.iso() });
    let (status, problem) = api.try_post(path, &early).await;
    assert_eq!(status.as_u16(), 422, "{problem:#}");
    assert_eq!(problem["code"], "replay-before-stored");
    api.post(path, &span).await;
    let replays = "/api/v1/uplinks/replays";
    let done = api
        .until(replays, "the end of the replay", |list| {
            let replay = list.as_array()?.first()?;
            (replay["percent"] == 100).then(|| replay.clone())
        })
        .await;
    let number = |name: &str| done[name].as_u64().and_then(|n| usize::try_from(n).ok());
    assert_eq!(done["stage"], "done", "{done:#}");
    assert_eq!(
        (number("booked"), number("acknowledged")),
        (Some(count), Some(count))
    );
    assert_eq!(
        (number("waiting"), number("passed_over")),
        (Some(0), Some(0))
    );
    assert_eq!(centre.records(), before, "each record once more");
    nothing_owed(&station.data()).await;
    receipts_tell_it(&station, count).await;

    // It is told after a restart as well, and nothing is sent a third time.
    assert!(station.daemon.stop().await.success());
    station.restart().await;
    let told = station.api_of(SUPERVISOR_TOKEN).get(replays).await;
    assert_eq!(rows(&told), std::slice::from_ref(&done));
    assert_eq!(centre.records(), before);
    a_kill_changes_no_figure(&mut station, &centre, &span, count).await;
    assert!(station.daemon.stop().await.success());
    assert_books_hold(&station.data());
}

/// Killed while it books or sends, the station neither loses nor doubles a booking.
async fn a_kill_changes_no_figure(
    station: &mut Town,
    centre: &Scripted,
    span: &Value,
    count: usize,
) {
    centre.seen.lock().expect("whole").clear();
    let api = station.api_of(SUPERVISOR_TOKEN);
    api.post("/api/v1/uplinks/centre/replays", span).await;
    station.daemon.kill();
    station.restart().await;
    let api = station.api_of(SUPERVISOR_TOKEN);
    let done = api
        .until("/api/v1/uplinks/replays", "the second replay", |list| {
            let replay = list.as_array()?.first()?;
            (replay["percent"] == 100).then(|| replay.clone())
        })
        .await;
    assert_eq!(done["id"], 2, "{done:#}");
    let number = |name: &str| done[name].as_u64().and_then(|n| usize::try_from(n).ok());
    let figures = (number("booked"), number("acknowledged"));
    assert_eq!(figures, (Some(count), Some(count)), "{done:#}");
    assert_eq!(centre.records().len(), count);
    nothing_owed(&station.data()).await;
}

/// Every receipt has both sendings, and who asked stands in the audit trail.
async fn receipts_tell_it(station: &Town, count: usize) {
    let api = station.api_of(SUPERVISOR_TOKEN);
    let until = now().floor_hour();
    let from = until.plus_minutes(-24 * 60 - 60);
    let list = format!("/api/v1/uplinks/receipts?uplink=centre&from={from}&until={until}");
    let told = api.get(&list).await;
    let receipts = rows(&told["rows"]);
    assert_eq!(receipts.len(), count);
    for row in receipts {
        assert_eq!(row["state"], "acknowledged", "{row:#}");
        assert_eq!(row["times"], 2, "{row:#}");
        assert_eq!(
            (&row["resent"], &row["corrected"]),
            (&true.into(), &false.into())
        );
    }
    let trail = station.api_of(AUDITOR_TOKEN).get("/api/v1/audit").await;
    let asked: Vec<&Value> = rows(&trail)
        .iter()
        .filter(|row| row["what"] == "uplink.replay")
        .collect();
    assert_eq!(asked.len(), 1, "{trail:#}");
    assert_eq!(asked[0]["object"], "uplink/centre");
}
