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

const FORM: &str = "uplink=province&outlet=&from=2026-03-10T00%3A00&until=2026-03-12T00%3A00";

#[tokio::test]
async fn periods_sent_again_are_told_to_those_who_look_after_uploads() {
    let console = Console::start().await;
    for (role, status) in [
        (Role::Administrator, 200),
        (Role::Supervisor, 200),
        (Role::Auditor, 200),
        (Role::EnterpriseUser, 403),
        (Role::Inspector, 403),
    ] {
        let list = Request::get("/api/v1/uplinks/replays").bearer(role);
        assert_eq!(console.ask(list).await.status, status, "{role}");
        let page = Request::get("/receipts").visit(role, "en");
        let page = console.ask(page).await.body;
        assert_eq!(page.contains("id=\"replays\""), status == 200, "{role}");
    }
    let page = Request::get("/receipts").visit(Role::Supervisor, "zh-CN");
    let page = console.ask(page).await.body;
    for said in [
        "时段重发",
        "37%",
        "正在发送",
        "已完成",
        "/receipts/replays/2/cancel",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let reads = Request::get("/receipts").visit(Role::Auditor, "en");
    let reads = console.ask(reads).await.body;
    assert!(reads.contains("being sent") && !reads.contains("<form method=\"post\" action=\"/rec"));
}

#[tokio::test]
async fn a_period_is_asked_for_once_and_in_bounds() {
    let console = Console::start().await;
    for (change, role, status, said) in [
        (("", ""), Role::Auditor, 403, ""),
        (
            ("province", "pigeon"),
            Role::Supervisor,
            422,
            "There is no such centre",
        ),
        (
            ("outlet=", "outlet=mx-01"),
            Role::Supervisor,
            422,
            "does not go to the centre",
        ),
        (
            ("2026-03-12", "2026-03-09"),
            Role::Supervisor,
            422,
            "ends before it begins",
        ),
        (
            ("2026-03-12", "2026-03-29"),
            Role::Supervisor,
            422,
            "in the future",
        ),
        (
            ("2026-03-10", "2025-03-10"),
            Role::Supervisor,
            422,
            "Nothing is stored before",
        ),
        (("2026-03-10T00%3A00", ""), Role::Supervisor, 422, ""),
        (("province", "city"), Role::Supervisor, 303, ""),
        (("", ""), Role::Supervisor, 303, ""),
        (("", ""), Role::Supervisor, 422, "being sent again already"),
    ] {
        let form = if change.0.is_empty() {
            FORM.to_owned()
        } else {
            FORM.replace(change.0, change.1)
        };
        let ask = Request::form("/receipts/replays", &form).visit(role, "en");
        let answer = console.ask(ask).await;
        assert_eq!(answer.status, status, "{role} {form}: {}", answer.body);
        assert!(answer.body.contains(said), "{said}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_period_is_called_off() {
    let console = Console::start().await;
    let body = serde_json::json!({
        "from": "2026-03-13T00:00:00+08:00",
        "until": "2026-03-14T00:00:00+08:00",
        "outlet": "yt-01",
    });
    let path = "/api/v1/uplinks/province/replays";
    let ask = |role| Request::json(path, &body).bearer(role);
    assert_eq!(console.ask(ask(Role::EnterpriseUser)).await.status, 403);
    assert_eq!(console.ask(ask(Role::Administrator)).await.status, 200);
    let list = Request::get("/api/v1/uplinks/replays").bearer(Role::Auditor);
    let list = console.ask(list).await.json();
    assert_eq!(
        (&list[0]["outlet"], &list[0]["stage"]),
        (&"yt-01".into(), &"booking".into())
    );
    let id = list[0]["id"].as_u64().expect("a number");
    let cancel = |role| {
        let path = format!("/api/v1/uplinks/replays/{id}/cancel");
        Request::json(&path, &serde_json::json!({})).bearer(role)
    };
    assert_eq!(console.ask(cancel(Role::Auditor)).await.status, 403);
    assert_eq!(console.ask(cancel(Role::Supervisor)).await.status, 200);
    assert_eq!(console.ask(cancel(Role::Supervisor)).await.status, 422);
    let cancel = || Request::form("/receipts/replays/2/cancel", "").visit(Role::Supervisor, "en");
    assert_eq!(console.ask(cancel()).await.status, 303);
    assert_eq!(console.ask(cancel()).await.status, 422, "it is over");
    let trail = Request::get("/api/v1/audit").bearer(Role::Auditor);
    let trail = console.ask(trail).await.body;
    for what in [
        "\"uplink.replay\"",
        "\"uplink.replay.cancelled\"",
        "uplink/province",
    ] {
        assert!(trail.contains(what), "{what}: {trail}");
    }
}
