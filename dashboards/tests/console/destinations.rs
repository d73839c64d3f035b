//! Destinations: who sees them, what is asked of them, and how trouble is told.

use crate::http::{Console, Request};
use cems_core::model::Role;

#[tokio::test]
async fn destinations_are_for_those_who_look_after_them() {
    let console = Console::start().await;
    for (role, status) in [
        (Role::Administrator, 200),
        (Role::Supervisor, 200),
        (Role::Auditor, 200),
        (Role::EnterpriseUser, 403),
        (Role::Inspector, 403),
    ] {
        for path in ["/destinations", "/api/v1/destinations/broker/refused"] {
            let request = if path.starts_with("/api") {
                Request::get(path).bearer(role)
            } else {
                Request::get(path).visit(role, "en")
            };
            let answer = console.ask(request).await;
            assert_eq!(answer.status, status, "{role} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_says_what_is_wrong_and_how_far_everything_is() {
    let console = Console::start().await;
    let page = Request::get("/destinations").visit(Role::Supervisor, "zh-CN");
    let page = console.ask(page).await.body;
    for said in [
        "地址无应答",
        "Connection refused",
        "1204",
        "37%",
        "topic not allowed",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let page = Request::get("/destinations").visit(Role::Supervisor, "en");
    let page = console.ask(page).await.body;
    assert!(page.contains("nobody answers at the address"), "{page}");
    assert!(page.contains("action=\"/destinations/refused/7/again\""));
    let reads = Request::get("/destinations").visit(Role::Auditor, "en");
    let reads = console.ask(reads).await.body;
    assert!(!reads.contains("<form method=\"post\" action=\"/destinations/"));
}

#[tokio::test]
async fn a_replay_and_a_refused_thing_are_asked_for() {
    let console = Console::start().await;
    let form = "from=2026-03-01T00%3A00&until=2026-03-02T00%3A00";
    for (to, form, role, status) in [
        ("series", form, Role::Auditor, 403),
        ("pigeon", form, Role::Supervisor, 422),
        (
            "series",
            "from=2026-03-02T00%3A00&until=2026-03-01T00%3A00",
            Role::Supervisor,
            422,
        ),
        (
            "series",
            "from=&until=2026-03-01T00%3A00",
            Role::Supervisor,
            422,
        ),
        ("series", form, Role::Supervisor, 303),
    ] {
        let path = format!("/destinations/{to}/replay");
        let answer = console
            .ask(Request::form(&path, form).visit(role, "en"))
            .await;
        assert_eq!(answer.status, status, "{to} {role} {form}");
    }
    let body = serde_json::json!({
        "from": "2026-03-01T00:00:00+08:00",
        "until": "2026-03-02T00:00:00+08:00",
    });
    let ask = Request::json("/api/v1/destinations/series/replay", &body).bearer(Role::Supervisor);
    assert_eq!(console.ask(ask).await.status, 200);
    let again =
        || Request::form("/destinations/refused/7/again", "").visit(Role::Administrator, "en");
    assert_eq!(console.ask(again()).await.status, 303);
    assert_eq!(console.ask(again()).await.status, 422, "it waits already");
}
