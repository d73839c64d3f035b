//! `/live` tells what changed, to those who may know.

use crate::http::{Console, Request, read_until};
use cems_core::model::{AlarmId, OutletId, Role};
use cems_dashboards::ConsoleOptions;
use cems_dashboards::backend::Change;
use tokio::io::AsyncReadExt;

fn live(role: Role) -> Request {
    Request::get("/live").visit(role, "en")
}

#[tokio::test]
async fn a_page_learns_what_changed() {
    let console = Console::start().await;
    let mut stream = console.open(live(Role::DutyOfficer)).await;
    let hello = read_until(&mut stream, "\"now\":").await;
    assert!(hello.contains("text/event-stream"), "{hello}");
    assert!(hello.contains("event: tick"), "{hello}");
    let qs = Change::Values(OutletId::new("qs-01"));
    console
        .backend
        .announce(&[qs.clone(), Change::Alarm(AlarmId(30))]);
    console.backend.announce(&[qs]);
    let news = read_until(&mut stream, "values:qs-01").await;
    assert!(news.contains("event: change"), "{news}");
    assert!(
        news.contains(r#""topics":["alarms","values","values:qs-01"]"#),
        "{news}"
    );
}

#[tokio::test]
async fn outlets_outside_the_scope_are_not_named() {
    let console = Console::start().await;
    let mut stream = console.open(live(Role::EnterpriseUser)).await;
    read_until(&mut stream, "\"now\":").await;
    console
        .backend
        .announce(&[Change::Values(OutletId::new("qs-01"))]);
    console
        .backend
        .announce(&[Change::Values(OutletId::new("yt-01"))]);
    let news = read_until(&mut stream, "values:yt-01").await;
    assert!(!news.contains("qs-01"), "{news}");
}

#[tokio::test]
async fn a_reader_that_lagged_is_told_to_fetch_everything() {
    let console = Console::start().await;
    let mut stream = console.open(live(Role::DutyOfficer)).await;
    read_until(&mut stream, "\"now\":").await;
    // Many more than the channel holds, within one turn of this single-threaded runtime.
    for _ in 0..1_000 {
        console.backend.announce(&[Change::Health]);
    }
    let news = read_until(&mut stream, "\"topics\"").await;
    assert!(news.contains(r#""topics":["all"]"#), "{news}");
    console.backend.announce(&[Change::Registry]);
    read_until(&mut stream, "\"registry\"").await;
}

#[tokio::test]
async fn streams_end_when_the_daemon_stops() {
    let (stop, closing) = tokio::sync::watch::channel(false);
    let options = ConsoleOptions {
        closing: Some(closing),
        ..ConsoleOptions::default()
    };
    let console = Console::start_with(options).await;
    let mut stream = console.open(live(Role::DutyOfficer)).await;
    read_until(&mut stream, "\"now\":").await;
    stop.send(true).unwrap();
    let end = read_until(&mut stream, "0\r\n\r\n").await;
    assert!(!end.contains("event: change"));
    drop(stream);
}

#[tokio::test]
async fn without_a_session_there_is_no_stream() {
    let console = Console::start().await;
    let mut stream = console
        .open(Request::get("/live").header("connection", "close"))
        .await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
}
