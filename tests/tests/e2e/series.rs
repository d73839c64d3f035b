//! Series into a database of others (VictoriaMetrics), over a line that is bad in every way there
//! is. Whatever happens, in the end it shows the points of the books, each once.

mod cause;
pub(crate) mod points;
mod proxy;

use crate::alarms::raised;
use crate::inside::Inside;
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, SUPERVISOR_TOKEN};
use cems_tests::time::Moment;
use cems_tests::wait::{SOON, until, until_within};
use points::{Database, Points, expected};
use proxy::{Proxy, Whim};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// Simulated seconds in a second: an hour without the database is six of them.
const SPEED: u32 = 600;
/// A series with a point for each minute that was received.
const VALID: &str =
    "cems_valid{enterprise=jia,factor=a34013,kind=minute,outlet=jia-1,region=shiyan}";
/// The series that is corrected.
const SO2: &str = "cems_value{enterprise=jia,factor=a21026,kind=minute,outlet=jia-1,region=shiyan}";
/// The right token.
const TOKEN: &str = "series-token-of-the-tests";

/// A daemon that feeds a database through a proxy.
struct Feed {
    inside: Inside,
    supervisor: Api,
    proxy: Proxy,
    database: Database,
    books: TempDir,
    /// The first hour of data; the daemon's clock begins six hours later.
    first: Moment,
    /// Hours sent.
    hours: usize,
}

impl Feed {
    async fn start() -> Self {
        let proxy = Proxy::start().await;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let secret = directory.path().join("token");
        std::fs::write(&secret, TOKEN).expect("written");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&secret, private).expect("our own file");
        let destination = format!(
            "[[destination]]\nid = \"series\"\nkind = \"influx\"\nurl = \"http://{}\"\n\
             bucket = \"cems\"\ntoken_file = \"token\"\nbatch_lines = 80\ngzip = false\n\
             corrections = \"later\"\n",
            proxy.address
        );
        City::default().outlet(&destination).write(directory.path());
        let start = Moment::midnight(2025, 3, 17).plus_minutes(10 * 60 + 5);
        let inside = Inside::open(directory, start, SPEED).await;
        let books = tempfile::tempdir().expect("a temporary directory");
        let database = Database::start(books.path(), None).await;
        proxy.lead(database.port);
        Self {
            supervisor: inside.api(SUPERVISOR_TOKEN),
            inside,
            proxy,
            database,
            books,
            first: start.floor_hour().plus_minutes(-6 * 60),
            hours: 0,
        }
    }

    /// Sends the minutes of an hour; each is another one.
    async fn hour(&mut self, number: i64) {
        let hour = self.first.plus_minutes(number * 60);
        let minute = |n: i64| (hour.plus_minutes(n), fields(number * 60 + n));
        let minutes: Vec<(Moment, String)> = (0..60).map(minute).collect();
        self.inside.send_many(GAS_MN, "2051", &minutes).await;
        self.hours += 1;
    }

    async fn status(&self) -> Value {
        rows(&self.supervisor.get("/api/v1/destinations").await)[0].clone()
    }

    /// Waits until nothing is on its way any more and the database shows what the books hold.
    async fn same(&self, what: &str, means: bool) -> Points {
        until_within(3 * SOON, what, async || {
            let status = self.status().await;
            if status["lag_rows"] != 0 || !status["trouble"].is_null() {
                return Err(vec![format!("{status:#}")]);
            }
            let want = expected(&self.inside.duty, self.first, means).await;
            let minutes = want.keys().filter(|(series, _)| *series == VALID).count();
            if minutes != self.hours * 60 {
                return Err(vec![format!("{minutes} minutes are in the books")]);
            }
            let mut shown = self.database.points().await;
            shown.retain(|(series, _), _| {
                let minutes = series.contains("kind=minute");
                let untold = ["cems_period_received", "cems_period_due"];
                let told = !untold.iter().any(|name| series.starts_with(name));
                minutes || (means && told)
            });
            let wrong = differences(&want, &shown);
            if wrong.is_empty() {
                Ok(want)
            } else {
                Err(wrong)
            }
        })
        .await
    }

    /// Waits until the destination is in trouble for this cause; what it is.
    async fn trouble(&self, cause: &str) -> Value {
        until(cause, async || {
            let trouble = self.status().await["trouble"].clone();
            let this = trouble["cause"] == cause;
            if this { Ok(trouble) } else { Err(trouble) }
        })
        .await
    }

    /// Waits until the proxy was asked some times more.
    async fn asked(&self, times: usize) {
        let before = self.proxy.seen().asked;
        until("more attempts", async || {
            let seen = self.proxy.seen();
            if seen.asked >= before + times {
                Ok(())
            } else {
                Err(seen)
            }
        })
        .await;
    }
}

/// What a stack sends of a minute: eight factors with numbers of their own.
fn fields(minute: i64) -> String {
    let factors = ["a34013", "a21026", "a21002", "a19001", "a01011", "a01012"];
    let of = |(n, factor): (i64, &str)| {
        let value = 5 + n + minute % 7;
        format!(
            "{factor}-Avg={value}.{minute:03},{factor}-Min={n},{factor}-Max={value}.999,\
             {factor}-Flag=N"
        )
    };
    let factors: Vec<String> = (0..).zip(factors).map(of).collect();
    format!(
        "{};a01013-Avg=-0.2,a01013-Flag=N;a01014-Avg=10,a01014-Flag=N",
        factors.join(";")
    )
}

fn differences(want: &Points, shown: &Points) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, value) in want {
        match shown.get(key) {
            Some(shown) if (shown - value).abs() <= value.abs() * 1e-12 => {}
            other => wrong.push(format!("{key:?} should be {value}, is {other:?}")),
        }
    }
    for key in shown.keys().filter(|key| !want.contains_key(*key)) {
        wrong.push(format!("{key:?} should not be there"));
    }
    wrong.truncate(10);
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_and_a_killed_database_leave_no_gap() {
    let mut feed = Feed::start().await;
    feed.hour(0).await;
    let points = feed.same("the first hour", false).await;
    assert!(points.len() > 60 * 8 * 2, "{} points", points.len());
    assert_eq!(feed.proxy.seen().token, format!("Token {TOKEN}"));

    // An hour without it.
    feed.proxy.set(Whim::Cut);
    let began = feed.inside.now();
    feed.hour(1).await;
    feed.trouble("unreachable").await;
    until_within(2 * SOON, "an hour to pass", async || {
        let now = feed.inside.now();
        if now >= began.plus_minutes(60) {
            Ok(())
        } else {
            Err(now)
        }
    })
    .await;
    feed.proxy.set(Whim::Pass);
    feed.same("what was missed", false).await;

    // Killed in the middle of a batch: what it took last and had not on its disk comes again.
    let passed = feed.proxy.seen().passed;
    for hour in 2..5 {
        feed.hour(hour).await;
    }
    until("some requests of many", async || {
        let seen = feed.proxy.seen();
        if seen.passed >= passed + 2 {
            Ok(())
        } else {
            Err(seen)
        }
    })
    .await;
    let port = feed.database.port;
    let Feed { database, .. } = feed;
    database.kill();
    let database = Database::start(feed.books.path(), Some(port)).await;
    feed = Feed { database, ..feed };
    feed.same("everything after the kill", false).await;
    feed.inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whims_of_a_server_cost_time_and_nothing_else() {
    let mut feed = Feed::start().await;
    for (hour, whim) in [
        Whim::Say(
            "503 Service Unavailable",
            "retry-after: 5\r\ncontent-length: 0\r\n\r\n",
        ),
        Whim::Say("507 Insufficient Storage", "content-length: 0\r\n\r\n"),
        Whim::Hold,
    ]
    .into_iter()
    .enumerate()
    {
        feed.proxy.set(whim.clone());
        feed.hour(i64::try_from(hour).expect("small")).await;
        if whim == Whim::Hold {
            // It has taken a body and does not say so.
            let passed = feed.proxy.seen().passed;
            until("a body taken in silence", async || {
                let seen = feed.proxy.seen();
                if seen.passed > passed {
                    Ok(())
                } else {
                    Err(seen)
                }
            })
            .await;
        } else {
            feed.asked(2).await;
        }
        feed.proxy.set(Whim::Pass);
        feed.same("what waited", false).await;
    }

    // One line that the server dislikes costs itself alone, and goes when it is sent again.
    let minute = feed.first.plus_minutes(3 * 60 + 20);
    // The first version of a value stands a millisecond late.
    let dislike = Whim::Dislike(
        "factor=a21026,kind=minute".into(),
        (minute.0 + 1).to_string(),
    );
    feed.proxy.set(dislike);
    feed.hour(3).await;
    let path = "/api/v1/destinations/series/refused";
    let refused = until("the refused line", async || {
        let all = feed.supervisor.get(path).await;
        let one = rows(&all).first().cloned();
        one.ok_or(all)
    })
    .await;
    assert_eq!(refused["key"], format!("jia-1/minute/{}", minute.0));
    let why = refused["why"].as_str().expect("a text");
    assert!(
        why.contains("factor=a21026") && why.contains("dislikes"),
        "{why}"
    );
    feed.proxy.set(Whim::Pass);
    let again = format!("/api/v1/destinations/refused/{}/again", refused["id"]);
    feed.supervisor.post(&again, &json!({})).await;
    feed.same("all of it, the refused line too", false).await;
    feed.inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_one_alarm_with_its_cause_and_goes_by_itself() {
    let mut feed = Feed::start().await;
    let said = r#"{"code":"unauthorized","message":"unauthorized access"}"#;
    assert_eq!(said.len(), 55);
    feed.proxy.set(Whim::Say(
        "401 Unauthorized",
        "content-length: 55\r\n\r\n{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}",
    ));
    feed.hour(0).await;
    let alarm = raised(&feed.inside.duty, "health.outbox", |a| a["active"] == true).await;
    let path = format!("/api/v1/alarms/{}", alarm["id"]);
    let detail = feed.inside.duty.get(&path).await.to_string();
    assert!(detail.contains("log-in is not accepted"), "{detail}");
    assert!(!detail.contains(TOKEN), "{detail}");
    let trouble = feed.trouble("unauthorised").await;
    assert!(
        trouble["said"].to_string().contains("unauthorized access"),
        "{trouble}"
    );

    // The same alarm when it then is another cause.
    feed.proxy.set(Whim::Say(
        "404 Not Found",
        "content-length: 18\r\n\r\n404 page not found",
    ));
    let trouble = feed.trouble("no-endpoint").await;
    assert!(
        trouble["said"].to_string().contains("InfluxDB 1.x"),
        "{trouble}"
    );
    feed.proxy.set(Whim::Pass);
    feed.same("what waited for the right token", false).await;
    raised(&feed.inside.duty, "health.outbox", |a| a["active"] == false).await;
    let all = feed.inside.duty.get("/api/v1/alarms").await;
    let outbox = |a: &&Value| a["kind"] == "health.outbox";
    assert_eq!(rows(&all).iter().filter(outbox).count(), 1, "{all:#}");

    // A bucket that is full is another story, told in its own words.
    let full = Whim::Say("507 Insufficient Storage", "content-length: 0\r\n\r\n");
    feed.proxy.set(full);
    feed.hour(1).await;
    let another = |a: &Value| a["active"] == true && a["id"] != alarm["id"];
    let alarm = raised(&feed.inside.duty, "health.outbox", another).await;
    let path = format!("/api/v1/alarms/{}", alarm["id"]);
    let detail = feed.inside.duty.get(&path).await.to_string();
    assert!(detail.contains("has no room"), "{detail}");
    feed.proxy.set(Whim::Pass);
    feed.same("what waited for room", false).await;
    raised(&feed.inside.duty, "health.outbox", |a| a["active"] == false).await;
    feed.inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_show_and_a_fresh_database_gets_the_same_history() {
    let mut feed = Feed::start().await;
    for hour in 0..3 {
        feed.hour(hour).await;
    }
    feed.same("three hours", false).await;
    // Corrected down, up, and down again: no rule of thumb of a database gives the last of these.
    let corrected = feed.first.plus_minutes(75);
    for (value, times) in ["2.5", "44.25", "3.125"].into_iter().zip(2..) {
        let fields = format!("a21026-Avg={value},a21026-Min=1,a21026-Max=50,a21026-Flag=N");
        let minutes = [(corrected, fields)];
        feed.inside.send_many(GAS_MN, "2051", &minutes).await;
        let key = (SO2.to_owned(), corrected.0 + times);
        until("the correction in the books", async || {
            let books = expected(&feed.inside.duty, feed.first, false).await;
            books.contains_key(&key).then_some(()).ok_or("not yet")
        })
        .await;
        let points = feed
            .same("the correction, and the means it shows in", true)
            .await;
        assert_eq!(points[&key].to_string(), value);
    }

    // A new database gets everything that lies behind, means included.
    let books = tempfile::tempdir().expect("a temporary directory");
    feed.database = Database::start(books.path(), None).await;
    feed.proxy.lead(feed.database.port);
    let from = feed.first.plus_minutes(-400 * 24 * 60);
    let end = feed.inside.now();
    let span = json!({ "from": from.iso(), "until": end.iso() });
    let path = "/api/v1/destinations/series/replay";
    feed.supervisor.post(path, &span).await;
    let points = feed.same("history in the new database", true).await;
    let means = points.keys().filter(|(series, _)| series.contains("-mean"));
    assert!(means.count() > 100);
    until("the end of the replay", async || {
        let status = feed.status().await;
        let ended = !status["replays"][0]["ended_at"].is_null();
        ended.then_some(()).ok_or(status)
    })
    .await;
    feed.inside.stop().await;
}
