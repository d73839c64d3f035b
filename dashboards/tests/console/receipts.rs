//! Receipts of uploads: who sees which, the filters, the pages of the list, and the file.

use crate::http::{Console, Request};
use cems_core::model::Role;

/// The period of all records of the fiction.
const ALL: &str = "from=2026-03-18T00:00:00%2B08:00&until=2026-03-19T00:00:00%2B08:00";

#[tokio::test]
async fn the_page_says_what_is_where_and_what_is_missing() {
    let console = Console::start().await;
    let page = Request::get("/receipts").visit(Role::Supervisor, "en");
    let page = console.ask(page).await.body;
    for said in [
        "192.0.2.80:9003",
        "not connected",
        "connection refused",
        ">642<br>",
        "#184207",
        ">1604<",
        "receipts are kept for 30 days",
        "2026-03-18 14:20:00",
        "sent-unanswered",
        "not for this centre",
        "<code>9014</code>",
        "corrected",
        "/destinations",
        "2026-03-18 13:20:00",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let page = Request::get("/receipts").visit(Role::Supervisor, "zh-CN");
    let page = console.ask(page).await.body;
    for said in ["上传回执", "缺口", "已发送，未应答", "回执保留 30 天"] {
        assert!(page.contains(said), "{said}");
    }
    let open = Request::get("/receipts?open=1&uplink=city").visit(Role::Supervisor, "en");
    let open = console.ask(open).await.body;
    assert!(!open.contains("<code>9014</code>"), "nothing acknowledged");
    assert!(open.contains("<option value=\"city\" selected>city</option>"));
}

#[tokio::test]
async fn a_scope_hides_other_outlets_and_the_addresses_of_centres() {
    let console = Console::start().await;
    let own = Request::get("/receipts").visit(Role::EnterpriseUser, "en");
    let own = console.ask(own).await.body;
    assert!(own.contains("Incinerator stack"), "{own}");
    for hidden in ["Boiler 1 stack", "192.0.2.80", "connection refused"] {
        assert!(!own.contains(hidden), "{hidden}");
    }
    let path = format!("/api/v1/uplinks/receipts?{ALL}");
    let rows = Request::get(&path).bearer(Role::EnterpriseUser);
    let rows = console.ask(rows).await.json();
    let rows = rows["rows"].as_array().unwrap().clone();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["outlet"] == "yt-01"));
    let other = Request::get("/api/v1/uplinks/receipts?outlet=qs-01");
    let other = other.bearer(Role::EnterpriseUser);
    assert_eq!(console.ask(other).await.status, 404);
    let gaps = Request::get("/api/v1/uplinks/gaps").bearer(Role::EnterpriseUser);
    let gaps = console.ask(gaps).await.json();
    assert!(
        gaps.as_array()
            .unwrap()
            .iter()
            .all(|gap| gap["outlet"] == "yt-01")
    );
    let lines = Request::get("/api/v1/uplinks").bearer(Role::EnterpriseUser);
    let lines = console.ask(lines).await.json();
    assert_eq!(lines[0]["address"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_link_is_there_where_something_is_uploaded() {
    let console = Console::start().await;
    for (path, linked) in [("/outlets/qs-01", true), ("/outlets/mx-01", false)] {
        let page = Request::get(path).visit(Role::Supervisor, "en");
        let page = console.ask(page).await.body;
        assert!(page.contains("<a href=\"/receipts\""), "the menu of {path}");
        assert_eq!(page.contains("/receipts?outlet="), linked, "{path}");
    }
    console.backend.without_uplinks();
    let page = Request::get("/receipts").visit(Role::Supervisor, "en");
    let page = console.ask(page).await.body;
    assert!(page.contains("[[uplink]]") && page.contains("uplink.toml"));
    assert!(
        !page.contains("<a href=\"/receipts\""),
        "nothing in the menu"
    );
    assert!(!page.contains("id=\"gaps\""));
}

#[tokio::test]
async fn wrong_questions_are_answered_in_words() {
    let console = Console::start().await;
    for (query, code, text) in [
        ("kind=week", 400, "kind week"),
        ("before=yesterday", 400, "before yesterday"),
        ("from=2026-01-01T00:00:00Z", 400, "until - from > 31 d"),
        ("uplink=pigeon", 404, ""),
    ] {
        let path = format!("/api/v1/uplinks/receipts?{query}");
        let answer = console.ask(Request::get(&path).bearer(Role::Auditor)).await;
        assert_eq!(answer.status, code, "{query}");
        let said = answer.json()["text"].as_str().unwrap().to_owned();
        assert!(said.contains(text), "{query}: {said}");
    }
    let path = "/api/v1/uplinks/receipts/file?format=pdf";
    let answer = console.ask(Request::get(path).bearer(Role::Auditor)).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn the_list_as_a_file_has_what_the_page_has() {
    let console = Console::start().await;
    let path = format!("/api/v1/uplinks/receipts/file?uplink=city&{ALL}");
    let file = Request::get(&path).visit(Role::Supervisor, "en");
    let file = console.ask(file.header("accept-language", "en")).await;
    assert_eq!(file.status, 200, "{}", file.body);
    assert!(file.header("content-disposition").contains("receipts.csv"));
    let lines: Vec<&str> = file.body.lines().collect();
    assert_eq!(
        lines.len(),
        25,
        "a heading and two outlets with twelve records"
    );
    assert!(lines[0].contains("Outlet id") && lines[0].contains("Times sent"));
    let resent = lines
        .iter()
        .filter(|line| line.contains(",9014,1,"))
        .count();
    assert_eq!(resent, 2, "{lines:#?}");
}
