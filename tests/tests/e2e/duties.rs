//! Duties with a clock through the API, across National Day of 2026: what opens, who may complete
//! it, what becomes overdue, and that a restart and a rebuild change nothing.

use crate::inside::Inside;
use crate::judgement::base64;
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, JIA_USER, Outlet, PASSWORD, SUPERVISOR_TOKEN, WATER_MN};
use cems_tests::process::assert_books_hold;
use cems_tests::time::Moment;
use serde_json::{Value, json};

/// Simulated seconds per real second: a day takes a minute and a half.
const SPEED: u32 = 1_000;
/// The total of September: due by the end of the seventh working day, 15 October.
const TOTAL: &str = "/api/v1/duties/month-total:jia:2026-09";
const DUE: &str = "2026-10-16T00:00:00+08:00";

/// A city whose loggers are not expected to send, so that nothing else is told.
fn city() -> City {
    let silent = "[outlet.fallback]\nopens_after_min = 10080\n";
    let gas = Outlet::gas("jia-1", GAS_MN).table(silent);
    let water = Outlet::water("yi-1", WATER_MN).table(silent);
    City::empty().outlet(&gas.text()).outlet(&water.text())
}

fn october(day: i64, hour: i64) -> Moment {
    Moment::midnight(2026, 10, 1).plus_minutes(((day - 1) * 24 + hour) * 60)
}

async fn keys(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await;
    let keys = rows(&list).iter().map(|row| row["key"].as_str());
    keys.map(|key| key.expect("a key").to_owned()).collect()
}

fn completion(files: &[Value]) -> Value {
    json!({"note": "已报送", "files": files})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_after_national_day_is_opened_completed_and_told() {
    let inside = Inside::start(&city(), october(1, 9), SPEED).await;
    let supervisor = inside.api(SUPERVISOR_TOKEN);
    let total = inside.jia.get(TOTAL).await;
    assert_eq!(total["duty"]["due_at"], DUE, "{total:#}");
    assert_eq!(total["duty"]["standing"], "open");

    // Nobody is told of checks on them, nor of what others owe.
    let own = keys(&inside.jia, "/api/v1/duties").await;
    assert!(
        own.iter()
            .all(|key| !key.contains("check-form") && !key.contains(":yi"))
    );
    let check = "month-check:jia:2026-10".to_owned();
    assert!(!own.contains(&check), "{own:?}");
    assert!(keys(&supervisor, "/api/v1/duties").await.contains(&check));
    let (status, _) = inside.jia.try_get(&format!("/api/v1/duties/{check}")).await;
    assert_eq!(status.as_u16(), 404);

    // A document is needed, and the authority does not do the enterprise's work.
    let complete = format!("{TOTAL}/complete");
    let (status, answer) = inside.jia.try_post(&complete, &completion(&[])).await;
    assert_eq!(status.as_u16(), 422, "{answer:#}");
    let file = json!({"name": "总量报表.pdf", "content_base64": base64(b"total")});
    let with_file = completion(&[file]);
    let (status, _) = supervisor.try_post(&complete, &with_file).await;
    assert_eq!(status.as_u16(), 403);
    inside.jia.post(&complete, &with_file).await;
    let done = inside.jia.get(TOTAL).await;
    assert_eq!(done["duty"]["standing"], "done", "{done:#}");
    let sha256 = done["duty"]["done"]["attachments"][0]["sha256"].as_str();
    let document = format!("{TOTAL}/files/{}", sha256.expect("a hash"));
    assert_eq!(inside.duty.bytes(&document).await, b"total");

    // A finding of the last day before: twenty working days from 8 October on.
    let finding = json!({
        "rule": "finding-published",
        "subject": "yi",
        "trigger_at": october(0, 15).iso(),
        "note": "台账不全",
    });
    let (status, _) = inside.jia.try_post("/api/v1/duties", &finding).await;
    assert_eq!(status.as_u16(), 403);
    let receipt = supervisor.post("/api/v1/duties", &finding).await;
    let key = format!("finding-published:yi:entry-{}", receipt["seq"]);
    let found = supervisor.get(&format!("/api/v1/duties/{key}")).await;
    assert_eq!(
        found["duty"]["due_at"], "2026-11-04T00:00:00+08:00",
        "{found:#}"
    );

    // The disclosure status is due on the second working day; nobody enters it.
    let overdue = |row: &Value| {
        let mut alarms = rows(row).iter();
        let wanted = |a: &&Value| a["kind"] == "duty.overdue" && a["subject"] == "jia";
        alarms.find(wanted).cloned()
    };
    let inside = later(inside, october(10, 1)).await;
    let alarm = inside
        .duty
        .until("/api/v1/alarms?open=true", "what is overdue", overdue)
        .await;
    assert_eq!(alarm["active"], true, "{alarm:#}");
    let late = "/api/v1/duties/month-disclosure:jia:2026-09";
    let standing = inside.jia.get(late).await["duty"]["standing"].clone();
    assert_eq!(standing, "overdue");
    let file = json!({"name": "公开情况.pdf", "content_base64": base64(b"late")});
    inside
        .jia
        .post(&format!("{late}/complete"), &completion(&[file]))
        .await;
    let standing = inside.jia.get(late).await["duty"]["standing"].clone();
    assert_eq!(standing, "done-late");

    let before = inside.duty.get("/api/v1/duties?ended=true").await;
    let inside = inside.restart().await;
    assert_eq!(inside.duty.get("/api/v1/duties?ended=true").await, before);
    feed(&inside).await;
    let directory = inside.close().await;
    assert_books_hold(&directory.path().join("data"));
}

/// Stops, and starts again at a later moment.
async fn later(inside: Inside, at: Moment) -> Inside {
    inside.restart_at(at).await
}

/// A person's feed: its secret is shown once, and is in no file.
async fn feed(inside: &Inside) {
    let person = Api::log_in(inside.console(), JIA_USER, PASSWORD).await;
    let page = person.submit("/calendar/feed", &[]).await;
    let start = page
        .find("/calendar.ics?token=")
        .expect("the address of the feed");
    let address: String = page[start..]
        .chars()
        .take_while(|c| !matches!(c, '<' | '"' | ' '))
        .collect();
    let token = address.rsplit('=').next().expect("a secret").to_owned();
    assert_eq!(token.len(), 64, "{address}");
    let nobody = Api::new(inside.console(), "no-token");
    let text = String::from_utf8(nobody.bytes(&address).await).expect("UTF-8");
    let text = text.replace("\r\n ", "");
    assert!(
        text.contains("UID:self-monitoring-month:jia:2026-09@cemsd"),
        "{text}"
    );
    assert!(!text.contains("month-check"), "{text}");
    let (status, _) = nobody.try_get("/calendar.ics?token=0000").await;
    assert_eq!(status.as_u16(), 404);
    for file in walk(inside.directory()) {
        let bytes = std::fs::read(&file).expect("a file of the daemon");
        let holds = bytes.windows(token.len()).any(|w| w == token.as_bytes());
        assert!(!holds, "the secret is in {}", file.display());
    }
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}
